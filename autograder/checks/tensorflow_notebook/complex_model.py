"""Checks of the TensorFlow notebook's `complex_model`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_array, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.catalogue import find_misconception
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.reference import update_average
from autograder.checks.tensorflow_notebook.setting import Setting, are_gradients_of, expect_gradients
from autograder.report.model import Diagnosis

CHECKS = Checks()


@CHECKS.criterion("complex_model", "logits in training", 3)
def logits_in_training(trial: Trial) -> Outcome:
    """With training=True, the logits are right: batch normalization uses the moments of the batch."""
    return Setting(trial).expect_logits(True)


@CHECKS.criterion("complex_model", "logits in testing", 3)
def logits_in_testing(trial: Trial) -> Outcome:
    """With training=False, the logits are right: batch normalization uses the running averages."""
    return Setting(trial).expect_logits(False)


@CHECKS.criterion("complex_model", "running averages", 1.5)
def running_averages(trial: Trial) -> Outcome:
    """With training=True, each running average becomes MOMENTUM · old + (1 - MOMENTUM) · moment of the batch."""
    setting = Setting(trial)
    logits = setting.logits(True)
    after = setting.current_values(reference.RUNNING)
    moments = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values)))
    pixels = setting.x.shape[0] * 26 * 26
    outcomes = [Outcome(max_rel_error=0.0)]
    for name, moment in moments.items():
        before = setting.values[name].astype(np.float64)
        expected = update_average(before, moment)
        if name == "running_var" and agrees(after[name], update_average(before, moment * pixels / (pixels - 1))):
            continue  # fused_batch_norm divides by one less, which is right too
        try:
            outcomes.append(expect_close(after[name], expected, f"after {setting.call(True)}", RTOL_FLOAT32, name))
        except Wrong as wrong:
            wrong.outcome.diagnosis += _diagnose_average(name, before, moment, after[name], setting, logits)
            raise
    return combine_outcomes(outcomes)


def _diagnose_average(
    name: str, before: np.ndarray, moment: np.ndarray, after: Any, setting: Setting, logits: Any
) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a known mistake in a running average."""
    without_relu = reference.moments(setting.x, setting.values, reference.ModelVersion(order="norm"))
    if agrees(after, update_average(before, without_relu[reference.RUNNING.index(name)])):
        variant = setting.find_variant(setting.array(logits, setting.call(True)), True)
        if variant:
            return [variant.diagnosis]  # the moments may be right for the values that it normalizes
        return [find_misconception("complex_model", "tf_averages_before_relu")]
    known = {
        "tf_averages_never_moved": before,
        "tf_averages_other_way": update_average(before, moment, 1 - reference.MOMENTUM),
        "tf_averages_other_momentum": update_average(before, moment, 0.99),
        "tf_averages_of_std": update_average(before, np.sqrt(moment)),
        "tf_averages_replaced": moment,
    }
    return [find_misconception("complex_model", name) for name, value in known.items() if agrees(after, value)][:1]


@CHECKS.criterion("complex_model", "gradients", 1.5)
def model_gradients(trial: Trial) -> Outcome:
    """With training=True, TensorFlow's gradients of all trainable variables equal the measured slopes."""
    setting = Setting(trial)
    with _record_on_tape(trial) as tape:
        logits = setting.logits(True)
    came = setting.array(logits, setting.call(True))
    expect_array(came, (len(setting.x), reference.C), setting.call(True))
    if logits.kind == "ndarray":
        text = "is a NumPy array, which TensorFlow cannot differentiate; expected a tensor. Remove .numpy()"
        message = f"{setting.call(True)} {text}"
        raise Wrong(Outcome(message, diagnosis=[find_misconception("complex_model", "tf_cut_off")]))
    dout = trial.rng("dout").normal(size=came.shape).astype(np.float32)
    upstream = trial.call("tensorflow:constant", dout, returns="handle")
    sources = {name: setting.variables[name] for name in setting.trainable}
    claimed = trial.call((tape, "gradient"), logits, sources, output_gradients=upstream)
    variant = setting.find_variant(came, True)
    model = variant.function if variant else reference.model
    try:
        found = expect_gradients(setting, claimed, lambda v: np.sum(model(setting.x, v, True) * dout), "the logits")
    except Wrong as wrong:
        if agrees(came, reference.model(setting.x, setting.values, True)):
            wrong.outcome.diagnosis += _diagnose_gradients(setting, claimed, dout)
        raise
    if variant:
        found.message = f"right for the function that your model computes ({variant.name})"
    return found


def _diagnose_gradients(setting: Setting, claimed: dict[str, Any], dout: np.ndarray) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a known mistake in the gradients of right logits."""
    if any(gradient is None for gradient in claimed.values()):
        return [find_misconception("complex_model", "tf_cut_off")]
    moments = dict(zip(reference.RUNNING, reference.moments(setting.x, setting.values)))

    def with_constant_moments(v: Mapping[str, np.ndarray]) -> float:
        return np.sum(reference.model(setting.x, dict(v) | moments, False) * dout)

    constant = are_gradients_of(setting, claimed, with_constant_moments)
    return [find_misconception("complex_model", "tf_moments_constant")] if constant else []


@contextmanager
def _record_on_tape(trial: Trial) -> Iterator[Any]:
    tape = trial.call("tensorflow:GradientTape", returns="handle")
    trial.call((tape, "__enter__"), returns="handle")
    yield tape
    trial.call((tape, "__exit__"), None, None, None, returns="handle")  # after a failure the worker may be gone


@CHECKS.criterion("complex_model", "testing changes nothing", 0.5, edge=True)
def testing_changes_nothing(trial: Trial) -> Outcome:
    """With training=False, the call changes no variable, and a second call gives the same logits."""
    setting = Setting(trial)
    first = setting.array(setting.logits(False), setting.call(False))
    expect_array(first, (len(setting.x), reference.C), setting.call(False))
    if not np.isfinite(first).all():
        raise Wrong(f"{setting.call(False)} returns logits that are not finite")
    after = setting.current_values(setting.values)
    changed = [name for name, value in setting.values.items() if not np.array_equal(after[name], value)]
    if changed:
        message = f"{setting.call(False)} changed {', '.join(changed)}; expected no change in testing"
        moved = [find_misconception("complex_model", "tf_averages_in_testing")]
        raise Wrong(Outcome(message, diagnosis=moved if set(changed) <= set(reference.RUNNING) else []))
    return expect_close(setting.array(setting.logits(False), setting.call(False)), first, "the second call", 1e-5)


@CHECKS.criterion("complex_model", "one image", 0.5, edge=True)
def one_image(trial: Trial) -> Outcome:
    """The logits of a single image, N = 1, are right in testing and in training."""
    setting = Setting(trial, size=1)
    return combine_outcomes([setting.expect_logits(False), setting.expect_logits(True)])
