"""Checks of the TensorFlow notebook's `loss_and_gradients`, whose argument is the student's own complex_model."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_close, expect_number
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.catalogue import find_misconception
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.setting import Function, N, Setting, are_gradients_of, expect_gradients
from autograder.checks.variants import Variant
from autograder.report.model import Diagnosis

CHECKS = Checks()

QUESTION = "loss_and_gradients"


def _mean_loss(logits: np.ndarray, y: np.ndarray) -> np.floating:
    return np.mean(reference.cross_entropy(logits, y))


def _sum_of_losses(logits: np.ndarray, y: np.ndarray) -> np.floating:
    return np.sum(reference.cross_entropy(logits, y))


def _hinge(logits: np.ndarray, y: np.ndarray) -> np.floating:
    return np.mean(np.maximum(0, 1 - np.where(_is_right(logits, y), logits, -logits)))


def _sigmoid(logits: np.ndarray, y: np.ndarray) -> np.floating:
    return np.mean(np.logaddexp(0, np.where(_is_right(logits, y), -logits, logits)))


def _is_right(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.arange(logits.shape[1]) == y[:, np.newaxis]


def _make_variant(name: str, function: Callable[..., Any]) -> Variant:
    return Variant(function, find_misconception(QUESTION, name))


LOSSES = (
    _make_variant("tf_loss_summed", _sum_of_losses),
    _make_variant("tf_softmax_twice", lambda logits, y: _mean_loss(reference.softmax(logits), y)),
    _make_variant("tf_loss_over_classes", lambda logits, y: _mean_loss(logits, y) / logits.shape[1]),
    _make_variant("tf_sigmoid_cross_entropy", _sigmoid),
    _make_variant("tf_hinge_loss", _hinge),
)
# Wrong gradients of a right loss: the tape differentiates another value.
GRADIENTS = (
    _make_variant("tf_gradient_of_the_sum", _sum_of_losses),
    _make_variant("tf_gradient_of_logits", lambda logits, y: np.sum(logits)),
)
TEST_MODE = find_misconception(QUESTION, "tf_loss_in_test_mode")


class LossSetting(Setting):
    """The inputs of loss_and_gradients: in addition the labels, and the student's own complex_model."""

    def __init__(self, trial: Trial, size: int = N) -> None:
        super().__init__(trial, size)
        self.labels = trial.call("tensorflow:constant", self.y, returns="handle")
        module = trial.call("importlib:import_module", self.module, returns="handle")
        self.model = trial.worker.get(module, "complex_model", returns="handle")
        self.loss_call = f"loss_and_gradients(complex_model, variables, x, y) with x of shape {self.x.shape}"

    def run(self) -> tuple[Any, dict[str, Any]]:
        """Call the student's function; return its loss as an array, and the gradients as handles by name."""
        loss, gradients = self.trial.call(
            f"{self.module}:loss_and_gradients",
            self.model,
            self.variables,
            self.images,
            self.labels,
            returns=["handle", "value"],
        )
        if not isinstance(gradients, dict):
            kind = getattr(gradients, "kind", type(gradients).__name__)
            message = f"{self.loss_call}: the gradients are a {kind}; expected a dictionary by name"
            listed = isinstance(gradients, (list, tuple))
            diagnosis = [find_misconception(QUESTION, "tf_gradients_without_names")] if listed else []
            raise Wrong(Outcome(message, diagnosis=diagnosis))
        return self.array(loss, f"{self.loss_call}: the loss"), gradients

    @property
    def right_loss(self) -> Function:
        """The right loss as a function of the variables."""
        return self.of_logits(_mean_loss)

    def wrong_losses(self) -> Iterator[tuple[Diagnosis, Function]]:
        """Yield the known wrong losses as functions of the variables."""
        for loss in LOSSES:
            yield loss.diagnosis, self.of_logits(loss.function)
        yield TEST_MODE, self.of_logits(_mean_loss, training=False)

    def of_logits(self, function: Callable[[np.ndarray, np.ndarray], Any], training: bool = True) -> Function:
        """Return a function of (logits, y) as a function of the variables."""
        return lambda v: function(reference.model(self.x, v, training), self.y)


@CHECKS.criterion(QUESTION, "loss", 2)
def loss_value(trial: Trial) -> Outcome:
    """The loss is the mean softmax cross-entropy of the logits in training mode."""
    setting = LossSetting(trial)
    loss, _ = setting.run()
    loss = expect_number(loss, f"{setting.loss_call}: the loss")
    try:
        return expect_close(loss, setting.right_loss(setting.values), setting.loss_call, RTOL_FLOAT32, "loss")
    except Wrong as wrong:
        known = (diagnosis for diagnosis, f in setting.wrong_losses() if agrees(loss, f(setting.values)))
        wrong.outcome.diagnosis += list(known)[:1]
        raise


@CHECKS.criterion(QUESTION, "gradients", 2.5)
def loss_gradients(trial: Trial) -> Outcome:
    """The gradients of all trainable variables equal the measured slopes of the loss."""
    setting = LossSetting(trial)
    loss, claimed = setting.run()
    # A gradient that is right for a wrong loss is right: the loss has its own criterion.
    f = next((g for _, g in setting.wrong_losses() if agrees(loss, g(setting.values))), setting.right_loss)
    try:
        return expect_gradients(setting, claimed, f, "the loss")
    except Wrong as wrong:
        if agrees(loss, setting.right_loss(setting.values)):
            wrong.outcome.diagnosis += _diagnose_gradients(setting, claimed)
        raise


def _diagnose_gradients(setting: LossSetting, claimed: dict[str, Any]) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a known mistake in the gradients of a right loss."""
    if claimed and all(gradient is None for gradient in claimed.values()):
        return [find_misconception(QUESTION, "tf_loss_outside_the_tape")]
    named = (
        variant for variant in GRADIENTS if are_gradients_of(setting, claimed, setting.of_logits(variant.function))
    )
    return [variant.diagnosis for variant in named][:1]


@CHECKS.criterion(QUESTION, "trainable variables only", 0.5, edge=True)
def only_trainable(trial: Trial) -> None:
    """The gradients have the names of the trainable variables and no others, and the call changes no weight."""
    setting = LossSetting(trial)
    _, gradients = setting.run()
    for kind, names, mistake in (
        ("lacks", set(setting.trainable) - set(gradients), "tf_biases_forgotten"),
        ("contains, but should not,", set(gradients) - set(setting.trainable), "tf_gradients_of_everything"),
    ):
        if names:
            message = f"{setting.loss_call}: the dictionary of gradients {kind} {', '.join(sorted(map(str, names)))}"
            known = names <= set(setting.values)
            raise Wrong(Outcome(message, diagnosis=[find_misconception(QUESTION, mistake)] if known else []))
    after = setting.current_values(setting.trainable)
    moved = [name for name in setting.trainable if not np.array_equal(after[name], setting.values[name])]
    if moved:
        message = f"{setting.loss_call} changed {', '.join(moved)}; expected no change: the update rule takes the step"
        raise Wrong(Outcome(message, diagnosis=[find_misconception(QUESTION, "tf_takes_a_step")]))
