"""Checks of the loss layers."""

import numpy as np

from autograder.checks.gradients import Variant, expect_gradient, named_variant
from autograder.checks.pack import criterion
from autograder.compare import expect_close, expect_number
from autograder.criteria import Wrong
from cs231n import layers as reference


def _loss_check(question, function, variants, sizes):
    """Register the criteria of a loss layer: (x, y) -> (loss, dx)."""
    module = "cs231n.layers"

    def draw(trial, size):
        N, C = size
        rng = trial.rng(question, N, C)
        return {"x": 2 * rng.normal(size=(N, C)), "y": rng.integers(C, size=N)}

    def run(trial, inputs):
        loss, dx = trial.call(f"{module}:{question}", inputs["x"], inputs["y"], returns=["value", "value"])
        return expect_number(loss, f"the loss of {question}"), dx

    def loss_value(trial, size):
        inputs = draw(trial, size)
        loss, _ = run(trial, inputs)
        try:
            return expect_close(loss, function(**inputs), f"{question} with x {size}", name="loss")
        except Wrong as wrong:
            variant = named_variant(variants, inputs, loss)
            if variant:
                wrong.outcome.diagnosis.append(variant.diagnosis)
            raise

    def gradient(trial, size):
        inputs = draw(trial, size)
        loss, dx = run(trial, inputs)
        variant = named_variant(variants, inputs, loss)
        return expect_gradient(function, inputs, "x", dx, "dx", f"{question} with x {size}", None, variant)

    *ordinary, single = sizes

    @criterion(question, "loss", 3)
    def loss_values(trial):
        """The loss is right for random scores and classes."""
        return max((loss_value(trial, size) for size in ordinary), key=lambda o: o.max_rel_error)

    @criterion(question, "dx", 4)
    def gradients(trial):
        """dx is the gradient of the loss with respect to the scores x."""
        return max((gradient(trial, size) for size in ordinary), key=lambda o: o.max_rel_error)

    @criterion(question, "one example", 0.5, edge=True)
    def one_example(trial):
        """Loss and gradient hold with a single example, N = 1."""
        loss_value(trial, single)
        return gradient(trial, single)

    @criterion(question, "scores unchanged", 0.5, edge=True)
    def unchanged(trial):
        """The scores are left as they were."""
        inputs = draw(trial, ordinary[0])
        (loss, dx), after = trial.call(f"{module}:{question}", *inputs.values(), returns=["value", "value"], echo=True)
        variant = named_variant(variants, inputs, loss)
        # leaving everything alone earns nothing by itself
        expect_gradient(function, inputs, "x", dx, "dx", question, None, variant)
        if not np.array_equal(after[0], inputs["x"]):
            raise Wrong(f"{question} changed the scores x in place. Work on a copy of them.")


def _per_example(loss):
    """The variant of a loss that adds the examples up."""
    text = "The loss is N times too large: it is the sum over the examples where the average is asked."
    return Variant("sum, not average", lambda x, y: loss(x, y) * len(y), text)


def _svm(x, y):
    return reference.svm_loss(x, y)[0]


def _softmax(x, y):
    return reference.softmax_loss(x, y)[0]


_loss_check(
    "svm_loss",
    _svm,
    (
        _per_example(_svm),
        Variant(
            "right class counted",
            lambda x, y: _svm(x, y) + 1,
            "The loss is too large by exactly 1: the margin of the right class with itself is counted too.",
        ),
    ),
    ((6, 5), (4, 9), (1, 6)),
)

_loss_check("softmax_loss", _softmax, (_per_example(_softmax),), ((6, 5), (4, 9), (1, 6)))


@criterion("softmax_loss", "large scores", 1, edge=True)
def softmax_large_scores(trial):
    """Scores of a thousand and more overflow nothing: loss and dx stay finite and right."""
    rng = trial.rng("large scores")
    x, y = 1000 * rng.normal(size=(5, 4)), rng.integers(4, size=5)
    loss, dx = trial.call("cs231n.layers:softmax_loss", x, y, returns=["value", "value"])
    right_loss, right_dx = reference.softmax_loss(x, y)
    call = "softmax_loss with scores around 1000"
    expect_close(expect_number(loss, "the loss"), right_loss, call, name="loss")
    return expect_close(dx, right_dx, call, name="dx")
