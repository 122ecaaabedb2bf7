"""Checks of the TensorFlow notebook's `complex_model`."""

from contextlib import contextmanager

import numpy as np

from autograder.checks.pack import criterion
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.setting import Setting, expect_gradients
from autograder.compare import RTOL_FLOAT32, agrees, expect_array, expect_close
from autograder.criteria import Outcome, Wrong
from autograder.report import Diagnosis


@criterion("complex_model", "logits in training", 3)
def logits_in_training(trial):
    """With training=True, the logits of a batch: batch normalization takes the moments of that batch."""
    return Setting(trial).expect_logits(True)


@criterion("complex_model", "logits in testing", 3)
def logits_in_testing(trial):
    """With training=False, the logits of a batch: batch normalization takes the running averages."""
    return Setting(trial).expect_logits(False)


@criterion("complex_model", "running averages", 1.5)
def running_averages(trial):
    """With training=True, each running average becomes MOMENTUM of itself and 1 - MOMENTUM of the batch's moment."""
    setting = Setting(trial)
    setting.logits(True)
    after = setting.moved(reference.RUNNING)
    moments = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values)))
    pixels = setting.x.shape[0] * 26 * 26
    worst = Outcome(max_rel_error=0.0)
    for name, moment in moments.items():
        before = setting.values[name].astype(np.float64)
        expected = _mixed(before, moment)
        if name == "running_var" and agrees(after[name], _mixed(before, moment * pixels / (pixels - 1))):
            continue  # fused_batch_norm divides by one less: as good
        try:
            found = expect_close(after[name], expected, f"after {setting.call(True)}", RTOL_FLOAT32, name)
        except Wrong as wrong:
            wrong.outcome.diagnosis += _about_averages(name, before, moment, after[name], setting)
            raise
        worst = max(worst, found, key=lambda outcome: outcome.max_rel_error)
    return worst


def _mixed(before, moment, momentum=reference.MOMENTUM):
    return momentum * before + (1 - momentum) * moment


def _about_averages(name, before, moment, after, setting):
    """Name the mistake in a running average, where it is a known one."""
    early = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values, reference.Way(order="norm"))))
    known = {
        "never moved": (before, f"{name} is as it was: move it with .assign, in training only."),
        "moved the other way": (
            _mixed(before, moment, 1 - reference.MOMENTUM),
            f"MOMENTUM is the part of {name} that stays; here the batch's moment gets it.",
        ),
        "standard deviation": (_mixed(before, np.sqrt(moment)), f"{name} averages the standard deviation."),
        "replaced": (moment, f"{name} is the moment of the last batch; average it with what was there before."),
        "before the ReLU": (_mixed(before, early[name]), "These are the moments before the ReLU; take them after it."),
    }
    return [Diagnosis("state", kind, text) for kind, (value, text) in known.items() if agrees(after, value)][:1]


@criterion("complex_model", "gradients", 1.5)
def model_gradients(trial):
    """TensorFlow's gradients through the model, in training, are the measured slopes for every trainable variable."""
    setting = Setting(trial)
    with _tape(trial) as tape:
        logits = setting.logits(True)
    came = setting.array(logits, setting.call(True))
    expect_array(came, (len(setting.x), reference.C), setting.call(True))
    if logits.kind == "ndarray":
        raise Wrong(f"{setting.call(True)} is a NumPy array, which no tape can follow; leave .numpy() out")
    dout = trial.rng("dout").normal(size=came.shape)
    upstream = trial.call("tensorflow:constant", dout.astype(np.float32), returns="handle")
    sources = {name: setting.variables[name] for name in setting.trainable}
    claimed = trial.call((tape, "gradient"), logits, sources, output_gradients=upstream)
    variant = setting.variant_of(came, True)
    model = variant.function if variant else reference.model
    dout = dout.astype(np.float32)
    found = expect_gradients(setting, claimed, lambda v: np.sum(model(setting.x, v, True) * dout), "the logits")
    if variant:
        found.message = f"right for what your model computes ({variant.name})"
    return found


@contextmanager
def _tape(trial):
    tape = trial.call("tensorflow:GradientTape", returns="handle")
    trial.call((tape, "__enter__"), returns="handle")
    yield tape
    trial.call((tape, "__exit__"), None, None, None, returns="handle")  # after a failure the worker may be gone


@criterion("complex_model", "testing changes nothing", 0.5, edge=True)
def testing_changes_nothing(trial):
    """With training=False every variable stays as it was, and a second call gives the same logits."""
    setting = Setting(trial)
    first = setting.array(setting.logits(False), setting.call(False))
    expect_array(first, (len(setting.x), reference.C), setting.call(False))
    if not np.isfinite(first).all():
        raise Wrong(f"{setting.call(False)} gives logits that are not finite")
    after = setting.moved(setting.values)
    changed = [name for name, value in setting.values.items() if not np.array_equal(after[name], value)]
    if changed:
        raise Wrong(f"{setting.call(False)} changed {', '.join(changed)}; in testing nothing may move")
    return expect_close(setting.array(setting.logits(False), setting.call(False)), first, "the second call", 1e-5)


@criterion("complex_model", "one image", 0.5, edge=True)
def one_image(trial):
    """The logits of a single image, N = 1, in testing and in training."""
    setting = Setting(trial, size=1)
    return max(setting.expect_logits(False), setting.expect_logits(True), key=lambda outcome: outcome.max_rel_error)
