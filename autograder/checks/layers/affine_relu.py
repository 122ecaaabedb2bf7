"""Checks of the affine layer and of ReLU."""

from collections.abc import Sequence

import numpy as np

from autograder.checking.criteria import Checks
from autograder.checks.layers.criteria import add_layer_criteria
from autograder.checks.layers.layer import Inputs, Layer, make_single_example_edge
from cs231n import layers as reference

CHECKS = Checks()


def _draw_affine(rng: np.random.Generator, N: int, shape: Sequence[int], M: int) -> Inputs:
    D = int(np.prod(shape))
    return {"x": rng.normal(size=(N, *shape)), "w": rng.normal(size=(D, M)), "b": rng.normal(size=M)}


def _affine(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return reference.affine_forward(x, w, b)[0]


def _draw_signs(rng: np.random.Generator, shape: Sequence[int], zeros: float = 0.1) -> Inputs:
    """Draw entries of both signs, and a share of exact zeros, where a ReLU has its kink."""
    x = rng.normal(size=shape)
    x[rng.random(shape) < zeros] = 0.0
    x.flat[0], x.flat[-1] = -abs(x.flat[0]) - 0.1, abs(x.flat[-1]) + 0.1
    return {"x": x}


def _relu(x: np.ndarray) -> np.ndarray:
    return reference.relu_forward(x)[0]


add_layer_criteria(
    CHECKS,
    Layer(
        module="cs231n.layers",
        forward="affine_forward",
        backward="affine_backward",
        function=_affine,
        draw=_draw_affine,
        cases=(
            {"N": 4, "shape": (3, 5), "M": 7},
            {"N": 6, "shape": (5,), "M": 3},
            {"N": 3, "shape": (2, 3, 2), "M": 5},
        ),
        edges=(make_single_example_edge({"N": 1, "shape": (2, 3), "M": 4}),),
        gradients={"x": "dx", "w": "dw", "b": "db"},
        formula="out is x·w + b with each example flattened to one row",
        keeps_type=True,
        large={"N": 5, "shape": (200, 200), "M": 5},
    ),
)

add_layer_criteria(
    CHECKS,
    Layer(
        module="cs231n.layers",
        forward="relu_forward",
        backward="relu_backward",
        function=_relu,
        draw=_draw_signs,
        cases=({"shape": (5, 7)}, {"shape": (4, 3, 2, 3)}, {"shape": (11,)}),
        edges=(make_single_example_edge({"shape": (1, 8)}),),
        gradients={"x": "dx"},
        formula="out is max(0, x) entry by entry",
        keeps_type=True,
        large={"shape": (500, 600), "zeros": 0},
    ),
    gradient_weight=3,
)
