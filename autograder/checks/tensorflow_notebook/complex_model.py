"""Checks of the TensorFlow notebook's `complex_model`."""

from contextlib import contextmanager

import numpy as np

from autograder.checks.pack import criterion, misconception
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.reference import mixed
from autograder.checks.tensorflow_notebook.setting import Setting, expect_gradients, fits
from autograder.compare import RTOL_FLOAT32, agrees, expect_array, expect_close
from autograder.criteria import Outcome, Wrong


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
    logits = setting.logits(True)
    after = setting.moved(reference.RUNNING)
    moments = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values)))
    pixels = setting.x.shape[0] * 26 * 26
    worst = Outcome(max_rel_error=0.0)
    for name, moment in moments.items():
        before = setting.values[name].astype(np.float64)
        expected = mixed(before, moment)
        if name == "running_var" and agrees(after[name], mixed(before, moment * pixels / (pixels - 1))):
            continue  # fused_batch_norm divides by one less: as good
        try:
            found = expect_close(after[name], expected, f"after {setting.call(True)}", RTOL_FLOAT32, name)
        except Wrong as wrong:
            wrong.outcome.diagnosis += _about_averages(name, before, moment, after[name], setting, logits)
            raise
        worst = max(worst, found, key=lambda outcome: outcome.max_rel_error)
    return worst


def _about_averages(name, before, moment, after, setting, logits):
    """Name the mistake in a running average, where it is a known one."""
    early = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values, reference.Way(order="norm"))))
    if agrees(after, mixed(before, early[name])):
        variant = setting.variant_of(setting.array(logits, setting.call(True)), True)
        if variant:
            return [variant.diagnosis]  # the moments may be right for what it normalizes
        return [misconception("complex_model", "tf_averages_before_relu")]
    known = {
        "tf_averages_never_moved": before,
        "tf_averages_other_way": mixed(before, moment, 1 - reference.MOMENTUM),
        "tf_averages_other_momentum": mixed(before, moment, 0.99),
        "tf_averages_of_std": mixed(before, np.sqrt(moment)),
        "tf_averages_replaced": moment,
    }
    return [misconception("complex_model", name) for name, value in known.items() if agrees(after, value)][:1]


@criterion("complex_model", "gradients", 1.5)
def model_gradients(trial):
    """TensorFlow's gradients through the model, in training, are the measured slopes for every trainable variable."""
    setting = Setting(trial)
    with _tape(trial) as tape:
        logits = setting.logits(True)
    came = setting.array(logits, setting.call(True))
    expect_array(came, (len(setting.x), reference.C), setting.call(True))
    if logits.kind == "ndarray":
        message = f"{setting.call(True)} is a NumPy array, which no tape can follow; leave .numpy() out"
        raise Wrong(Outcome(message, diagnosis=[misconception("complex_model", "tf_cut_off")]))
    dout = trial.rng("dout").normal(size=came.shape).astype(np.float32)
    upstream = trial.call("tensorflow:constant", dout, returns="handle")
    sources = {name: setting.variables[name] for name in setting.trainable}
    claimed = trial.call((tape, "gradient"), logits, sources, output_gradients=upstream)
    variant = setting.variant_of(came, True)
    model = variant.function if variant else reference.model
    try:
        found = expect_gradients(setting, claimed, lambda v: np.sum(model(setting.x, v, True) * dout), "the logits")
    except Wrong as wrong:
        if agrees(came, reference.model(setting.x, setting.values, True)):
            wrong.outcome.diagnosis += _about_gradients(setting, claimed, dout)
        raise
    if variant:
        found.message = f"right for what your model computes ({variant.name})"
    return found


def _about_gradients(setting, claimed, dout):
    """Name the mistake in the gradients of right logits, where it is a known one."""
    if any(gradient is None for gradient in claimed.values()):
        return [misconception("complex_model", "tf_cut_off")]
    moments = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values)))
    held = lambda v: np.sum(reference.model(setting.x, v | moments, False) * dout)  # noqa: E731
    return [misconception("complex_model", "tf_moments_constant")] if fits(setting, claimed, held) else []


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
        message = f"{setting.call(False)} changed {', '.join(changed)}; in testing nothing may move"
        moved = [misconception("complex_model", "tf_averages_in_testing")]
        raise Wrong(Outcome(message, diagnosis=moved if set(changed) <= set(reference.RUNNING) else []))
    return expect_close(setting.array(setting.logits(False), setting.call(False)), first, "the second call", 1e-5)


@criterion("complex_model", "one image", 0.5, edge=True)
def one_image(trial):
    """The logits of a single image, N = 1, in testing and in training."""
    setting = Setting(trial, size=1)
    return max(setting.expect_logits(False), setting.expect_logits(True), key=lambda outcome: outcome.max_rel_error)
