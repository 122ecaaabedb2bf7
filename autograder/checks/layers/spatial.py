"""Checks of spatial batch normalization and of group normalization, both for images (N, C, H, W)."""

from typing import Any

import numpy as np

from autograder.checking.criteria import Checks
from autograder.checks.layers.backward import add_backward_criteria
from autograder.checks.layers.criteria import add_layer_criteria
from autograder.checks.layers.forward import add_forward_criteria
from autograder.checks.layers.gradient_paths import EPS, compute_gradient_paths
from autograder.checks.layers.layer import Edge, Inputs, Layer, Terms, make_single_example_edge
from autograder.checks.layers.normalization import GRADIENTS, LARGE, draw_batch, draw_features, make_eps_edge
from autograder.checks.layers.running_averages import STATISTICS, add_running_average_criteria
from cs231n import layers as reference

CHECKS = Checks()


def _draw_images(rng: np.random.Generator, N: int, C: int, H: int, W: int, **more: Any) -> Inputs:
    return draw_batch(rng, (N, C, H, W), **more)


def _spatial_batchnorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]) -> np.ndarray:
    return reference.spatial_batchnorm_forward(x, gamma, beta, bn_param)[0]


def _spatial_terms(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]
) -> Terms:
    return {"x": compute_gradient_paths(dout, x, gamma, bn_param.get("eps", EPS), axes=(0, 2, 3))}


def _make_rows(x: np.ndarray) -> np.ndarray:
    """Return the pixels of images as rows: (N, C, H, W) -> (N·H·W, C)."""
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


SPATIAL = Layer(
    module="cs231n.layers",
    forward="spatial_batchnorm_forward",
    backward="spatial_batchnorm_backward",
    function=_spatial_batchnorm,
    draw=_draw_images,
    cases=(
        {"N": 4, "C": 3, "H": 2, "W": 5, "eps": EPS},
        {"N": 3, "C": 5, "H": 4, "W": 2},
        {"N": 5, "C": 2, "H": 3, "W": 4},
    ),
    edges=(
        make_eps_edge({"N": 3, "C": 4, "H": 2, "W": 5}),
        make_single_example_edge({"N": 1, "C": 3, "H": 4, "W": 5}),
    ),
    gradients=GRADIENTS,
    formula="In mode 'train', out is gamma · x_hat + beta, with mean and variance of each channel over N, H and W",
    terms=_spatial_terms,
    may_change=tuple(STATISTICS),
    large={"N": 3, "C": 10000, "H": 2, "W": 2},
)
add_forward_criteria(CHECKS, SPATIAL)
add_running_average_criteria(CHECKS, SPATIAL, _make_rows)
add_backward_criteria(CHECKS, SPATIAL)


def _draw_groups(
    rng: np.random.Generator,
    N: int,
    C: int,
    H: int,
    W: int,
    G: int,
    eps: float | None = None,
    size: float = LARGE,
) -> Inputs:
    return {
        "x": draw_features(rng, (N, C, H, W), 1, size) + size * rng.normal(size=(N, 1, 1, 1)),
        "gamma": rng.normal(size=(1, C, 1, 1)) + 2,
        "beta": rng.normal(size=(1, C, 1, 1)),
        "G": G,
        "gn_param": {} if eps is None else {"eps": eps},
    }


def _groupnorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, G: int, gn_param: dict[str, Any]) -> np.ndarray:
    return reference.spatial_groupnorm_forward(x, gamma, beta, G, gn_param)[0]


def _groupnorm_terms(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, G: int, gn_param: dict[str, Any]
) -> Terms:
    return {"x": compute_gradient_paths(dout, x, gamma, gn_param.get("eps", EPS), axes=(2, 3, 4), groups=G)}


GROUPNORM = Layer(
    module="cs231n.layers",
    forward="spatial_groupnorm_forward",
    backward="spatial_groupnorm_backward",
    function=_groupnorm,
    draw=_draw_groups,
    cases=(
        {"N": 2, "C": 6, "H": 4, "W": 3, "G": 2, "eps": EPS},
        {"N": 3, "C": 6, "H": 2, "W": 4, "G": 3},
        {"N": 5, "C": 8, "H": 2, "W": 3, "G": 2},
    ),
    edges=(
        Edge("one group", ({"N": 3, "C": 4, "H": 2, "W": 5, "G": 1},), "with all channels in one group, G = 1"),
        Edge("groups of one", ({"N": 2, "C": 4, "H": 3, "W": 5, "G": 4},), "with one channel in each group, G = C"),
        make_eps_edge({"N": 2, "C": 6, "H": 3, "W": 4, "G": 3}),
    ),
    gradients=GRADIENTS,
    formula="out is gamma · x_hat + beta, with mean and variance of each group of channels of each example",
    terms=_groupnorm_terms,
    large={"N": 100, "C": 300, "H": 2, "W": 2, "G": 150},
)
add_layer_criteria(CHECKS, GROUPNORM)
