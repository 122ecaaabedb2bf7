"""Checks of the loss layers."""

import numpy as np

from autograder.checking.compare import expect_close, expect_number
from autograder.checking.criteria import Checks, Wrong
from autograder.checking.large_call import LargeCall, expect_about
from autograder.checks.gradients import attribution, expect_gradient, fitting, variants_of
from cs231n import layers as reference

CHECKS = Checks()

LARGE = (10000, 10)  # x of the call that tells a derived gradient


def _loss_check(question, function, sizes, terms):
    """Register the criteria of a loss layer: (x, y) -> (loss, dx).

    - terms: (x, y) -> {name: array}, the named parts that dx is the sum of
    """
    module = "cs231n.layers"

    def draw(trial, size):
        N, C = size
        rng = trial.rng(question, N, C)
        return {"x": 2 * rng.normal(size=(N, C)), "y": rng.integers(C, size=N)}

    def run(trial, inputs):
        loss, dx = trial.call(f"{module}:{question}", inputs["x"], inputs["y"], returns=["value", "value"])
        return expect_number(loss, f"the loss of {question}"), dx

    def variant_of(inputs, loss):
        return next(iter(fitting(variants_of(question, 0), inputs, loss, function(**inputs))), None)

    def loss_value(trial, size):
        inputs = draw(trial, size)
        loss, _ = run(trial, inputs)
        return expect_close(loss, function(**inputs), f"{question} with x {size}", name="loss")

    def gradient(trial, size):
        inputs = draw(trial, size)
        loss, dx = run(trial, inputs)
        variant = variant_of(inputs, loss)
        call = f"{question} with x {size}"
        return expect_gradient(function, inputs, "x", dx, "dx", call, None, variant, explain(inputs))

    def explain(inputs):
        return lambda dx, name: attribution(dx, name, terms(**inputs), {"N": len(inputs["x"])})

    *ordinary, single = sizes

    @CHECKS.criterion(question, "loss", 3)
    def loss_values(trial):
        """The loss is right for random scores and classes."""
        return max((loss_value(trial, size) for size in ordinary), key=lambda o: o.max_rel_error)

    @CHECKS.criterion(question, "dx", 4)
    def gradients(trial):
        """dx is the gradient of the loss with respect to the scores x."""
        return max((gradient(trial, size) for size in ordinary), key=lambda o: o.max_rel_error)

    @CHECKS.criterion(question, "one example", 0.5, edge=True)
    def one_example(trial):
        """Loss and gradient hold with a single example, N = 1."""
        loss_value(trial, single)
        return gradient(trial, single)

    @CHECKS.criterion(question, "scores unchanged", 0.5, edge=True)
    def unchanged(trial):
        """The scores are left as they were."""
        inputs = draw(trial, ordinary[0])
        (loss, dx), after = trial.call(f"{module}:{question}", *inputs.values(), returns=["value", "value"], echo=True)
        variant = variant_of(inputs, loss)
        # leaving everything alone earns nothing by itself
        expect_gradient(function, inputs, "x", dx, "dx", question, None, variant)
        if not np.array_equal(after[0], inputs["x"]):
            raise Wrong(f"{question} changed the scores x in place. Work on a copy of them.")

    @CHECKS.large_call(question)
    def large(trial):
        inputs = draw(trial, LARGE)
        says = f"{question} with x {LARGE}"

        def derive():
            return getattr(reference, question)(**inputs)

        def ask(trial, _):
            expect_about(run(trial, inputs)[1], derive()[1], f"{says}: dx")

        return LargeCall(says, inputs["x"].size, derive, derive, ask, spared=("loss",))


def _svm(x, y):
    return reference.svm_loss(x, y)[0]


def _softmax(x, y):
    return reference.softmax_loss(x, y)[0]


def _of_right_class(dx, y):
    """Return dx at the right classes, 0 elsewhere."""
    return np.where(np.arange(dx.shape[1]) == y[:, np.newaxis], dx, 0)


def _svm_terms(x, y):
    dx = reference.svm_loss(x, y)[1]
    right = _of_right_class(dx, y)
    return {"the push on the wrong classes": dx - right, "the pull on the right class": right}


def _softmax_terms(x, y):
    minus = -_of_right_class(np.ones(x.shape), y) / len(y)
    return {"the probabilities": reference.softmax_loss(x, y)[1] - minus, "minus 1 at the right class": minus}


_loss_check("svm_loss", _svm, ((6, 5), (4, 9), (1, 6)), _svm_terms)
_loss_check("softmax_loss", _softmax, ((6, 5), (4, 9), (1, 6)), _softmax_terms)


@CHECKS.criterion("softmax_loss", "large scores", 1, edge=True)
def softmax_large_scores(trial):
    """Scores of a thousand and more overflow nothing: loss and dx stay finite and right."""
    rng = trial.rng("large scores")
    x, y = 1000 * rng.normal(size=(5, 4)), rng.integers(4, size=5)
    loss, dx = trial.call("cs231n.layers:softmax_loss", x, y, returns=["value", "value"])
    right_loss, right_dx = reference.softmax_loss(x, y)
    call = "softmax_loss with scores around 1000"
    expect_close(expect_number(loss, "the loss"), right_loss, call, name="loss")
    return expect_close(dx, right_dx, call, name="dx")
