"""Gradients against slopes along directions: right ones pass, wrong ones are named."""

import numpy as np
import pytest

from autograder.checking.criteria import Wrong
from autograder.checks.tensorflow_notebook import slopes
from autograder.checks.tensorflow_notebook.slopes import expect_slopes

RNG = np.random.default_rng(0)
SHAPES = {"u": (30, 20), "v": (20,), "w": (7, 3), "z": (2,)}
VALUES = {name: RNG.normal(size=shape) for name, shape in SHAPES.items()}


def f(values):
    return np.sum(np.tanh(values["u"] @ values["v"])) + 1e-2 * np.sum(values["w"] ** 3) + np.sum(values["z"])


def gradients():
    slope = 1 - np.tanh(VALUES["u"] @ VALUES["v"]) ** 2
    return {
        "u": np.outer(slope, VALUES["v"]),
        "v": VALUES["u"].T @ slope,
        "w": 3e-2 * VALUES["w"] ** 2,  # far smaller than the others
    }


def test_right_gradients_pass():
    outcome = expect_slopes(f, VALUES, gradients())
    assert outcome.max_rel_error < 1e-6 and not outcome.message


def test_gradients_in_float32_pass():
    assert expect_slopes(f, VALUES, {name: g.astype(np.float32) for name, g in gradients().items()})


@pytest.mark.parametrize("name", ["u", "v", "w"])
@pytest.mark.parametrize(
    "mistake",
    [lambda g: 1.01 * g, lambda g: -g, lambda g: 0 * g, lambda g: g[::-1].copy(), lambda g: g + 0.1 * np.abs(g).max()],
    ids=["scaled", "sign", "zero", "reversed", "shifted"],
)
def test_a_wrong_gradient_is_named_whatever_its_size(name, mistake):
    claimed = gradients()
    claimed[name] = mistake(claimed[name])
    with pytest.raises(Wrong, match=f"^the gradient of {name} is wrong: along one direction its slope is"):
        expect_slopes(f, VALUES, claimed)


def test_all_wrong_gradients_are_named():
    claimed = gradients()
    claimed["u"], claimed["w"] = 2 * claimed["u"], -claimed["w"]
    with pytest.raises(Wrong, match="the gradient of u is wrong.*Also wrong: the gradient of w$"):
        expect_slopes(f, VALUES, claimed)


def test_rounding_in_a_gradient_of_zero_is_no_mistake():
    noise = 1e-7 * np.abs(gradients()["u"]).max()
    assert expect_slopes(f, VALUES | {"unused": np.ones(5)}, gradients() | {"unused": np.full(5, noise)})


def test_no_gradient_at_all_is_wrong():
    with pytest.raises(Wrong, match="the gradient of u is wrong.*Also wrong: the gradient of v, w"):
        expect_slopes(f, VALUES, {name: 0 * gradient for name, gradient in gradients().items()})


def test_a_wrong_shape_and_nan_are_told():
    with pytest.raises(Wrong, match=r"the gradient of v has shape \(20, 1\); expected \(20,\)"):
        expect_slopes(f, VALUES, gradients() | {"v": np.ones((20, 1))})
    with pytest.raises(Wrong, match="the gradient of v holds entries that are not finite"):
        expect_slopes(f, VALUES, gradients() | {"v": np.full(20, np.nan)})


def test_the_step_with_the_smallest_error_counts_where_rounding_spoils_the_shorter_ones(monkeypatch):
    """One direction of each kind is enough, though no step is as exact as it is with a smooth function."""
    monkeypatch.setattr(slopes, "TRIES", 1)
    rng = np.random.default_rng(1)
    weights, signs, u = rng.normal(size=(3000, 20)), rng.normal(size=3000), rng.normal(size=20)

    def with_many_kinks(values):
        return np.round(np.sum(np.maximum(weights @ values["u"], 0) * signs), 8)

    outcome = slopes.expect_slopes(with_many_kinks, {"u": u}, {"u": weights.T @ (signs * (weights @ u > 0))})
    assert outcome.max_rel_error < 1e-5


def test_a_function_too_rough_to_be_measured_is_a_fault_of_the_grader():
    with pytest.raises(RuntimeError, match="too rough"):
        expect_slopes(lambda values: np.sum(np.abs(values["z"] - 1)), {"z": np.ones(2)}, {"z": np.ones(2)})
