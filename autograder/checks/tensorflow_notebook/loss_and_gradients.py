"""Checks of the TensorFlow notebook's `loss_and_gradients`, which is given the student's own complex_model."""

import numpy as np

from autograder.checks.gradients import Variant
from autograder.checks.pack import criterion
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.setting import N, Setting, expect_gradients
from autograder.compare import RTOL_FLOAT32, agrees, expect_close, expect_number
from autograder.criteria import Wrong

_each = reference.cross_entropy
OVER_BATCH = "mean over the batch"
LOSSES = (
    Variant("summed", lambda logits, y: np.sum(_each(logits, y)), f"The losses are summed; take their {OVER_BATCH}."),
    Variant(
        "softmax twice",
        lambda logits, y: np.mean(_each(reference.softmax(logits), y)),
        "The softmax is taken twice: softmax_cross_entropy_with_logits wants the logits as they are.",
    ),
    Variant(
        "divided by classes",
        lambda logits, y: np.mean(_each(logits, y)) / logits.shape[1],
        f"The mean runs over the classes as well, so the loss is a tenth of what it should be; take the {OVER_BATCH}.",
    ),
)


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
            raise Wrong(f"{self.what}: the gradients are a {_kind(gradients)}; expected a dictionary by name")
        return self.array(loss, f"{self.what}: the loss"), gradients

    def variants(self):
        """Return (Variant or None, function of the variables) for the right loss and the wrong ones with a name."""
        model = reference.model
        yield None, lambda v: np.mean(_each(model(self.x, v, True), self.y))
        for loss in LOSSES:
            yield loss, lambda v, loss=loss: loss.function(model(self.x, v, True), self.y)
        text = "The loss is taken in test mode: call the model with training=True."
        function = lambda v: np.mean(_each(model(self.x, v, False), self.y))  # noqa: E731
        yield Variant("test mode", function, text), function


def _kind(value):
    return getattr(value, "kind", type(value).__name__)


@criterion("loss_and_gradients", "loss", 2)
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


@criterion("loss_and_gradients", "gradients", 2.5)
def loss_gradients(trial):
    """The gradient of every trainable variable is the measured slope of the loss."""
    setting = LossSetting(trial)
    loss, claimed = setting.ask()
    # A gradient that is right for a wrong loss is right: the loss has a criterion of its own.
    (_, right), *wrong_ones = setting.variants()
    f = next((g for _, g in wrong_ones if agrees(loss, g(setting.values))), right)
    return expect_gradients(setting, claimed, f, "the loss")


@criterion("loss_and_gradients", "trainable variables only", 0.5, edge=True)
def only_trainable(trial):
    """The gradients carry the names of the trainable variables and no others, and no weight has moved."""
    setting = LossSetting(trial)
    _, gradients = setting.ask()
    for kind, names in (
        ("lacks", set(setting.trainable) - set(gradients)),
        ("should not name", set(gradients) - set(setting.trainable)),
    ):
        if names:
            raise Wrong(f"{setting.what}: the dictionary of gradients {kind} {', '.join(sorted(map(str, names)))}")
    after = setting.moved(setting.trainable)
    moved = [name for name in setting.trainable if not np.array_equal(after[name], setting.values[name])]
    if moved:
        raise Wrong(f"{setting.what} changed {', '.join(moved)}; the step is the update rule's affair")
