"""Checks of the loss layers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.checking.compare import expect_close, expect_number
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checking.large_call import LargeCall, expect_nearly
from autograder.checks.gradients import Explain, attribute_terms, expect_gradient
from autograder.checks.layers.layer import Inputs
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import Variant, find_matching_variants, get_variants
from cs231n import layers as reference

CHECKS = Checks()

Size = tuple[int, int]  # N, C

LARGE: Size = (10000, 10)  # x of the call that detects a measured gradient


def _add_loss_criteria(
    question: str,
    function: Callable[..., float],
    sizes: tuple[Size, ...],
    terms: Callable[..., Mapping[str, np.ndarray]],
) -> None:
    """Add the criteria of a loss layer: (x, y) -> (loss, dx).

    - function: (x, y) -> the right loss
    - sizes: the sizes (N, C) of ordinary inputs; the last size is that of a single example
    - terms: (x, y) -> {name: array}, the named parts whose sum is dx
    """
    module = "cs231n.layers"

    def draw(trial: Trial, size: Size) -> Inputs:
        N, C = size
        rng = trial.rng(question, N, C)
        return {"x": 2 * rng.normal(size=(N, C)), "y": rng.integers(C, size=N)}

    def run(trial: Trial, inputs: Inputs) -> tuple[Any, Any]:
        loss, dx = trial.call(f"{module}:{question}", inputs["x"], inputs["y"], returns=["value", "value"])
        return expect_number(loss, f"the loss of {question}"), dx

    def find_variant(inputs: Inputs, loss: Any) -> Variant | None:
        return next(iter(find_matching_variants(get_variants(question, 0), inputs, loss, function(**inputs))), None)

    def loss_value(trial: Trial, size: Size) -> Outcome:
        inputs = draw(trial, size)
        loss, _ = run(trial, inputs)
        return expect_close(loss, function(**inputs), f"{question} with x {size}", name="loss")

    def gradient(trial: Trial, size: Size) -> Outcome:
        inputs = draw(trial, size)
        loss, dx = run(trial, inputs)
        variant = find_variant(inputs, loss)
        call = f"{question} with x {size}"
        return expect_gradient(function, inputs, "x", dx, "dx", call, None, variant, explain(inputs))

    def explain(inputs: Inputs) -> Explain:
        return lambda dx, name: attribute_terms(dx, name, terms(**inputs), {"N": len(inputs["x"])})

    *ordinary, single = sizes

    @CHECKS.criterion(question, "loss", 3)
    def loss_values(trial: Trial) -> Outcome:
        """The loss is right for random scores and classes."""
        return combine_outcomes(loss_value(trial, size) for size in ordinary)

    @CHECKS.criterion(question, "dx", 4)
    def gradients(trial: Trial) -> Outcome:
        """dx is the gradient of the loss with respect to the scores x."""
        return combine_outcomes(gradient(trial, size) for size in ordinary)

    @CHECKS.criterion(question, "one example", 0.5, edge=True)
    def one_example(trial: Trial) -> Outcome:
        """Loss and gradient are right with a single example, N = 1."""
        loss_value(trial, single)
        return gradient(trial, single)

    @CHECKS.criterion(question, "scores unchanged", 0.5, edge=True)
    def unchanged(trial: Trial) -> None:
        """The scores x are unchanged after the call."""
        inputs = draw(trial, ordinary[0])
        (loss, dx), after = trial.call(f"{module}:{question}", *inputs.values(), returns=["value", "value"], echo=True)
        variant = find_variant(inputs, loss)
        # code that does nothing changes nothing, so the gradient has to be right
        expect_gradient(function, inputs, "x", dx, "dx", question, None, variant)
        if not np.array_equal(after[0], inputs["x"]):
            raise Wrong(f"{question} changed the scores x in place. Work on a copy of them.")

    @CHECKS.large_call(question)
    def large(trial: Trial) -> LargeCall:
        inputs = draw(trial, LARGE)
        call = f"{question} with x {LARGE}"

        def derive() -> Any:
            return getattr(reference, question)(**inputs)

        def run_student(trial: Trial, _: set[str]) -> None:
            expect_nearly(run(trial, inputs)[1], derive()[1], f"{call}: dx")

        return LargeCall(call, inputs["x"].size, derive, derive, run_student, without_gradient=("loss",))


def _svm(x: np.ndarray, y: np.ndarray) -> float:
    return reference.svm_loss(x, y)[0]


def _softmax(x: np.ndarray, y: np.ndarray) -> float:
    return reference.softmax_loss(x, y)[0]


def _select_right_class(dx: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return dx at the right classes, and 0 elsewhere."""
    return np.where(np.arange(dx.shape[1]) == y[:, np.newaxis], dx, 0)


def _svm_terms(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    dx = reference.svm_loss(x, y)[1]
    right = _select_right_class(dx, y)
    return {"the push on the wrong classes": dx - right, "the pull on the right class": right}


def _softmax_terms(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    minus = -_select_right_class(np.ones(x.shape), y) / len(y)
    return {"the probabilities": reference.softmax_loss(x, y)[1] - minus, "minus 1 at the right class": minus}


_add_loss_criteria("svm_loss", _svm, ((6, 5), (4, 9), (1, 6)), _svm_terms)
_add_loss_criteria("softmax_loss", _softmax, ((6, 5), (4, 9), (1, 6)), _softmax_terms)


@CHECKS.criterion("softmax_loss", "large scores", 1, edge=True)
def softmax_large_scores(trial: Trial) -> Outcome:
    """Scores around 1000 cause no overflow: loss and dx are finite and right."""
    rng = trial.rng("large scores")
    x, y = 1000 * rng.normal(size=(5, 4)), rng.integers(4, size=5)
    loss, dx = trial.call("cs231n.layers:softmax_loss", x, y, returns=["value", "value"])
    right_loss, right_dx = reference.softmax_loss(x, y)
    call = "softmax_loss with scores around 1000"
    expect_close(expect_number(loss, "the loss"), right_loss, call, name="loss")
    return expect_close(dx, right_dx, call, name="dx")
