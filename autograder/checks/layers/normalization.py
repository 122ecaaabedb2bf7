"""Checks of batch normalization and layer normalization."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checking.criteria import Checks
from autograder.checks.layers.backward import add_backward_criteria
from autograder.checks.layers.criteria import add_layer_criteria
from autograder.checks.layers.forward import add_forward_criteria
from autograder.checks.layers.gradient_paths import EPS, compute_gradient_paths
from autograder.checks.layers.layer import Case, Edge, Inputs, Layer, Terms, make_single_example_edge
from autograder.checks.layers.running_averages import STATISTICS, add_running_average_criteria
from cs231n import layers as reference

CHECKS = Checks()

GRADIENTS = {"x": "dx", "gamma": "dgamma", "beta": "dbeta"}

# Scales of x. With LARGE, the default eps is negligible compared with the variance of x; with SMALL, it is not.
LARGE, SMALL = 10.0, 2e-3


def draw_features(rng: np.random.Generator, shape: Sequence[int], axis: int, size: float) -> np.ndarray:
    """Return an x of this shape, whose features are along `axis`.

    The features have different means and different standard deviations, all proportional to `size`.
    """
    feature_shape = [shape[axis] if position == axis else 1 for position in range(len(shape))]
    others = tuple(position for position in range(len(shape)) if position != axis)
    x = rng.normal(size=shape)
    x = (x - x.mean(axis=others, keepdims=True)) / x.std(axis=others, keepdims=True)
    return size * (x * rng.uniform(4, 9, size=feature_shape) + 4 * rng.normal(size=feature_shape))


def draw_batch(
    rng: np.random.Generator,
    shape: Sequence[int],
    eps: float | None = None,
    size: float = LARGE,
    still: bool = False,
) -> Inputs:
    """Return the inputs of a layer that has bn_param; x has shape (N, D) or (N, C, H, W).

    bn_param already contains running averages: code that cannot create them fails only the criterion about that.

    - size: the scale of x, such as LARGE
    - still: whether the first feature has the same value in all examples
    """
    D = shape[1]
    x = draw_features(rng, shape, 1, size)
    running_mean, running_var = 4 * size * rng.normal(size=D), (size * rng.uniform(4, 9, size=D)) ** 2
    bn_param = {"mode": "train", "running_mean": running_mean, "running_var": running_var}
    if still:
        x[:, 0] = 2.0
    if eps is not None:
        bn_param["eps"] = eps
    return {"x": x, "gamma": rng.normal(size=D) + 2, "beta": rng.normal(size=D), "bn_param": bn_param}


def make_eps_edge(case: Case) -> Edge:
    """Return the edge case in which eps has an effect: the default eps with small inputs, then a large eps.

    The default eps comes first. With a large eps, code that ignores the setting and code without any eps give the
    same answer.
    """
    cases = (case | {"size": SMALL}, case | {"size": 1.0, "eps": 4.0})
    return Edge("eps", cases, "where eps is not negligible compared with the variance", 1)


def _draw_rows(rng: np.random.Generator, N: int, D: int, **more: Any) -> Inputs:
    return draw_batch(rng, (N, D), **more)


def _batchnorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]) -> np.ndarray:
    return reference.batchnorm_forward(x, gamma, beta, bn_param)[0]


def _batchnorm_terms(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]
) -> Terms:
    return {"x": compute_gradient_paths(dout, x, gamma, bn_param.get("eps", EPS), axes=0)}


BATCHNORM = Layer(
    module="cs231n.layers",
    forward="batchnorm_forward",
    backward="batchnorm_backward",
    function=_batchnorm,
    draw=_draw_rows,
    cases=({"N": 6, "D": 4, "eps": EPS}, {"N": 5, "D": 7}, {"N": 16, "D": 3}),
    edges=(make_eps_edge({"N": 7, "D": 5}),),
    gradients=GRADIENTS,
    formula="In mode 'train', out is gamma · x_hat + beta, with mean and variance of each feature over the batch",
    terms=_batchnorm_terms,
    may_change=tuple(STATISTICS),
    large={"N": 12, "D": 10000},
)
# Forward only: with the default eps the slopes of a constant feature are too steep to measure.
CONSTANT = Edge("constant feature", ({"N": 6, "D": 4, "still": True},), "where one feature is constant in the batch")
add_forward_criteria(CHECKS, replace(BATCHNORM, edges=(*BATCHNORM.edges, CONSTANT)))
add_running_average_criteria(CHECKS, BATCHNORM, rows=lambda x: x)
add_backward_criteria(CHECKS, BATCHNORM)
add_backward_criteria(CHECKS, replace(BATCHNORM, backward="batchnorm_backward_alt"))


def _draw_layernorm(rng: np.random.Generator, N: int, D: int, eps: float | None = None, size: float = LARGE) -> Inputs:
    return {
        "x": draw_features(rng, (N, D), 0, size),
        "gamma": rng.normal(size=D) + 2,
        "beta": rng.normal(size=D),
        "ln_param": {} if eps is None else {"eps": eps},
    }


def _layernorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ln_param: dict[str, Any]) -> np.ndarray:
    return reference.layernorm_forward(x, gamma, beta, ln_param)[0]


def _layernorm_terms(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ln_param: dict[str, Any]
) -> Terms:
    return {"x": compute_gradient_paths(dout, x, gamma, ln_param.get("eps", EPS), axes=1)}


LAYERNORM = Layer(
    module="cs231n.layers",
    forward="layernorm_forward",
    backward="layernorm_backward",
    function=_layernorm,
    draw=_draw_layernorm,
    cases=({"N": 4, "D": 6, "eps": EPS}, {"N": 7, "D": 5}, {"N": 3, "D": 16}),
    edges=(
        make_eps_edge({"N": 5, "D": 7}),
        make_single_example_edge({"N": 1, "D": 8}),
    ),
    gradients=GRADIENTS,
    formula="out is gamma · x_hat + beta, with mean and variance of each example over its own features",
    terms=_layernorm_terms,
    large={"N": 10000, "D": 12},
)
add_layer_criteria(CHECKS, LAYERNORM)
