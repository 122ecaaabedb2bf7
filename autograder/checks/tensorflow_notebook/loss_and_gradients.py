"""Checks of the TensorFlow notebook's `loss_and_gradients`, which is given the student's own complex_model."""

import numpy as np

from autograder.checks.gradients import Variant
from autograder.checks.pack import criterion, misconception
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.setting import N, Setting, expect_gradients, fits
from autograder.compare import RTOL_FLOAT32, agrees, expect_close, expect_number
from autograder.criteria import Outcome, Wrong

QUESTION = "loss_and_gradients"


def _mean_loss(logits, y):
    return np.mean(reference.cross_entropy(logits, y))


def _sum_of_losses(logits, y):
    return np.sum(reference.cross_entropy(logits, y))


def _hinge(logits, y):
    return np.mean(np.maximum(0, 1 - np.where(_is_right(logits, y), logits, -logits)))


def _sigmoid(logits, y):
    return np.mean(np.logaddexp(0, np.where(_is_right(logits, y), -logits, logits)))


def _is_right(logits, y):
    return np.arange(logits.shape[1]) == y[:, np.newaxis]


def _wrong(name, function):
    return Variant(function, misconception(QUESTION, name))


LOSSES = (
    _wrong("tf_loss_summed", _sum_of_losses),
    _wrong("tf_softmax_twice", lambda logits, y: _mean_loss(reference.softmax(logits), y)),
    _wrong("tf_loss_over_classes", lambda logits, y: _mean_loss(logits, y) / logits.shape[1]),
    _wrong("tf_sigmoid_cross_entropy", _sigmoid),
    _wrong("tf_hinge_loss", _hinge),
)
# What a right loss comes with where the tape is asked about something else.
GRADIENTS = (
    _wrong("tf_gradient_of_the_sum", _sum_of_losses),
    _wrong("tf_gradient_of_logits", lambda logits, y: np.sum(logits)),
)
TEST_MODE = misconception(QUESTION, "tf_loss_in_test_mode")


class LossSetting(Setting):
    """The same for loss_and_gradients, which is given the student's own complex_model."""

    def __init__(self, trial, size=N):
        super().__init__(trial, size)
        self.labels = trial.call("tensorflow:constant", self.y, returns="handle")
        module = trial.call("importlib:import_module", self.module, returns="handle")
        self.model = trial.student.get(module, "complex_model", returns="handle")
        self.what = f"loss_and_gradients(complex_model, variables, x, y) with x of shape {self.x.shape}"

    def ask(self):
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
            message = f"{self.what}: the gradients are a {_kind(gradients)}; expected a dictionary by name"
            listed = isinstance(gradients, (list, tuple))
            diagnosis = [misconception(QUESTION, "tf_gradients_without_names")] if listed else []
            raise Wrong(Outcome(message, diagnosis=diagnosis))
        return self.array(loss, f"{self.what}: the loss"), gradients

    def variants(self):
        """Return (Variant or None, function of the variables) for the right loss and the wrong ones with a name."""
        yield None, self.of_logits(_mean_loss)
        for loss in LOSSES:
            yield loss, self.of_logits(loss.function)
        function = self.of_logits(_mean_loss, training=False)
        yield Variant(function, TEST_MODE), function

    def of_logits(self, function, training=True):
        """Return a function of (logits, y) as one of the variables."""
        return lambda v: function(reference.model(self.x, v, training), self.y)


def _kind(value):
    return getattr(value, "kind", type(value).__name__)


@criterion(QUESTION, "loss", 2)
def loss_value(trial):
    """The loss is the mean softmax cross-entropy of the logits in training mode."""
    setting = LossSetting(trial)
    loss, _ = setting.ask()
    loss = expect_number(loss, f"{setting.what}: the loss")
    (_, right), *wrong_ones = setting.variants()
    try:
        return expect_close(loss, right(setting.values), setting.what, RTOL_FLOAT32, "loss")
    except Wrong as wrong:
        named = (variant for variant, f in wrong_ones if agrees(loss, f(setting.values)))
        wrong.outcome.diagnosis += [variant.diagnosis for variant in named][:1]
        raise


@criterion(QUESTION, "gradients", 2.5)
def loss_gradients(trial):
    """The gradient of every trainable variable is the measured slope of the loss."""
    setting = LossSetting(trial)
    loss, claimed = setting.ask()
    # A gradient that is right for a wrong loss is right: the loss has a criterion of its own.
    (_, right), *wrong_ones = setting.variants()
    f = next((g for _, g in wrong_ones if agrees(loss, g(setting.values))), right)
    try:
        return expect_gradients(setting, claimed, f, "the loss")
    except Wrong as wrong:
        if agrees(loss, right(setting.values)):
            wrong.outcome.diagnosis += _about_gradients(setting, claimed)
        raise


def _about_gradients(setting, claimed):
    """Name the mistake in the gradients of a right loss, where it is a known one."""
    if claimed and all(gradient is None for gradient in claimed.values()):
        return [misconception(QUESTION, "tf_loss_outside_the_tape")]
    named = (variant for variant in GRADIENTS if fits(setting, claimed, setting.of_logits(variant.function)))
    return [variant.diagnosis for variant in named][:1]


@criterion(QUESTION, "trainable variables only", 0.5, edge=True)
def only_trainable(trial):
    """The gradients carry the names of the trainable variables and no others, and no weight has moved."""
    setting = LossSetting(trial)
    _, gradients = setting.ask()
    for kind, names, mistake in (
        ("lacks", set(setting.trainable) - set(gradients), "tf_biases_forgotten"),
        ("should not name", set(gradients) - set(setting.trainable), "tf_gradients_of_everything"),
    ):
        if names:
            message = f"{setting.what}: the dictionary of gradients {kind} {', '.join(sorted(map(str, names)))}"
            known = names <= set(setting.values)
            raise Wrong(Outcome(message, diagnosis=[misconception(QUESTION, mistake)] if known else []))
    after = setting.moved(setting.trainable)
    moved = [name for name in setting.trainable if not np.array_equal(after[name], setting.values[name])]
    if moved:
        message = f"{setting.what} changed {', '.join(moved)}; the step is the update rule's affair"
        raise Wrong(Outcome(message, diagnosis=[misconception(QUESTION, "tf_takes_a_step")]))
