"""Checks of spatial batch normalization and of group normalization, both of images (N, C, H, W)."""

import numpy as np

from autograder.checks.gradients import Variant
from autograder.checks.layer import Edge, Layer, one_example
from autograder.checks.layers.normalization import GRADIENTS, LARGE, draw_batch, eps_matters, eps_of, spread_out
from autograder.checks.layers.normalizing import EPS, Norm, formula_variants, gradient_slips, other_axes
from autograder.checks.layers.running import STATISTICS, state_running
from autograder.checks.pairs import state_backward, state_forward, state_layer
from cs231n import layers as reference

_PER_CHANNEL = Norm(axes=(0, 2, 3), sums=(0, 2, 3))


def _draw_images(rng, N, C, H, W, **more):
    return draw_batch(rng, (N, C, H, W), **more)


def _spatial_batchnorm(x, gamma, beta, bn_param):
    return reference.spatial_batchnorm_forward(x, gamma, beta, bn_param)[0]


def _rows(x):
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def _mixed_rows(x):
    return x.reshape(-1, x.shape[1])


def _through_rows(to_rows, to_images):
    """Batch normalization of rows that were made, or put back, in another way."""

    def function(x, gamma, beta, bn_param):
        return to_images(reference.batchnorm_forward(to_rows(x), gamma, beta, bn_param)[0], x.shape)

    return function


def _mixed_gradients(dout, x, gamma, beta, bn_param):
    """What the right backward function of rows gives where dout is reshaped without moving its channel axis."""
    _, cache = reference.batchnorm_forward(_rows(x), gamma, beta, bn_param)
    dx, dgamma, dbeta = reference.batchnorm_backward(_mixed_rows(dout), cache)
    return {"x": dx.reshape(x.shape), "gamma": dgamma, "beta": dbeta}


def _not_moved_back(dout, x, gamma, beta, bn_param):
    _, cache = reference.batchnorm_forward(_rows(x), gamma, beta, bn_param)
    return {"x": reference.batchnorm_backward(_rows(dout), cache)[0].reshape(x.shape)}


_MOVE = "move the channel axis to the end, x.transpose(0, 2, 3, 1), before you reshape to (N·H·W, C)"

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
        eps_matters({"N": 3, "C": 4, "H": 2, "W": 5}),
        one_example({"N": 1, "C": 3, "H": 4, "W": 5}),
    ),
    gradients=GRADIENTS,
    says="In mode 'train' out is gamma · x_hat + beta, with mean and variance of each channel over N, H and W",
    variants=(
        *formula_variants(lambda bn_param: _PER_CHANNEL, eps_of),
        Variant(
            "channels mixed",
            _through_rows(_mixed_rows, lambda out, shape: out.reshape(shape)),
            f"A reshape alone mixes pixels of different channels into one column: {_MOVE}.",
        ),
        Variant(
            "channels split wrongly",
            _through_rows(lambda x: x.reshape(x.shape[1], -1).T, lambda out, shape: out.T.reshape(shape)),
            "reshape(C, -1) takes pixels of several channels into one row while N is the first axis: move the channel "
            "axis to the front first.",
        ),
        Variant(
            "channels not moved back",
            _through_rows(_rows, lambda out, shape: out.reshape(shape)),
            "out is reshaped to (N, C, H, W) while its channels are still the last axis: reshape to (N, H, W, C), then "
            "transpose(0, 3, 1, 2).",
        ),
        Variant(
            "channels left at the end",
            _through_rows(_rows, lambda out, shape: out.reshape(shape[0], *shape[2:], shape[1])),
            "out is (N, H, W, C): move the channels back with transpose(0, 3, 1, 2).",
        ),
        other_axes(
            "statistics of each pixel",
            Norm(axes=(0,), sums=(0, 2, 3)),
            "Mean and variance are taken over N only, pixel by pixel; all N·H·W pixels of a channel share one.",
            eps_of,
        ),
        other_axes(
            "statistics of each image",
            Norm(axes=(2, 3), sums=(0, 2, 3)),
            "Mean and variance are those of every single image; all N·H·W pixels of a channel share one.",
            eps_of,
        ),
        other_axes(
            "statistics over channels",
            Norm(axes=(1, 2, 3), sums=(0, 2, 3)),
            "Mean and variance are taken over the channels too; every channel has its own.",
            eps_of,
        ),
        other_axes(
            "statistics of all of x",
            Norm(axes=(0, 1, 2, 3), sums=(0, 2, 3)),
            "One mean and one variance are taken over all of x; every channel has its own.",
            eps_of,
        ),
    ),
    slips=(
        *gradient_slips(lambda bn_param: _PER_CHANNEL, eps_of),
        Variant(
            "channels of dout mixed",
            _mixed_gradients,
            f"dout is reshaped without moving its channel axis: as in the forward pass, {_MOVE}.",
            "gradient",
        ),
        Variant(
            "channels of dx not moved back",
            _not_moved_back,
            "dx is reshaped to (N, C, H, W) while its channels are still the last axis: reshape to (N, H, W, C), then "
            "transpose(0, 3, 1, 2).",
            "gradient",
        ),
    ),
    may_change=tuple(STATISTICS),
)
state_forward(SPATIAL)
state_running(SPATIAL, _rows, _mixed_rows)
state_backward(SPATIAL)


def _draw_groups(rng, N, C, H, W, G, eps=None, size=LARGE):
    return {
        "x": spread_out(rng, (N, C, H, W), 1, size) + size * rng.normal(size=(N, 1, 1, 1)),
        "gamma": rng.normal(size=(1, C, 1, 1)) + 2,
        "beta": rng.normal(size=(1, C, 1, 1)),
        "G": G,
        "gn_param": {} if eps is None else {"eps": eps},
    }


def _groupnorm(x, gamma, beta, G, gn_param):
    return reference.spatial_groupnorm_forward(x, gamma, beta, G, gn_param)[0]


def _norm_of_groups(G, gn_param):
    return Norm(axes=(2, 3, 4), sums=(0, 2, 3), groups=G)


def _eps_of_groups(G, gn_param):
    return gn_param.get("eps", EPS)


def _strided(x, gamma, beta, G, gn_param):
    """Groups of channels c with equal c mod G."""
    order = np.arange(x.shape[1]).reshape(-1, G).T.ravel()
    x_hat = np.empty_like(x)
    x_hat[:, order] = _norm_of_groups(G, gn_param).x_hat(x[:, order], _eps_of_groups(G, gn_param))
    return gamma * x_hat + beta


def _groups_of_size(x, gamma, beta, G, gn_param):
    """G taken for the number of channels in a group."""
    if x.shape[1] % G:
        return np.full(x.shape, np.nan)
    norm = _norm_of_groups(x.shape[1] // G, gn_param)
    return norm.out(x, gamma, beta, _eps_of_groups(G, gn_param))


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
        Edge("groups of one", ({"N": 2, "C": 4, "H": 3, "W": 5, "G": 4},), "with a group for each channel, G = C"),
        eps_matters({"N": 2, "C": 6, "H": 3, "W": 4, "G": 3}),
    ),
    gradients=GRADIENTS,
    says="out is gamma · x_hat + beta, with mean and variance of each group of channels of each example",
    variants=(
        *formula_variants(_norm_of_groups, _eps_of_groups, "gn_param"),
        Variant(
            "channels dealt out in turn",
            _strided,
            "Channels that lie G apart form a group here; a group is C/G channels side by side: (N, G, C/G, H, W).",
        ),
        Variant(
            "G taken for the size of a group",
            _groups_of_size,
            "G channels form a group here; G is the number of groups, each of C/G channels.",
        ),
        other_axes(
            "statistics of each channel",
            Norm(axes=(2, 3), sums=(0, 2, 3)),
            "Mean and variance are those of every single channel; the C/G channels of a group share one.",
            _eps_of_groups,
        ),
        other_axes(
            "statistics of each example",
            Norm(axes=(1, 2, 3), sums=(0, 2, 3)),
            "Mean and variance are taken over all channels of an example; every group has its own.",
            _eps_of_groups,
        ),
        other_axes(
            "statistics over the batch",
            lambda G, gn_param: Norm(axes=(0, 2, 3, 4), sums=(0, 2, 3), groups=G),
            "Mean and variance are taken over all examples; every example normalizes its groups by itself.",
            _eps_of_groups,
        ),
        other_axes(
            "statistics of each pixel",
            lambda G, gn_param: Norm(axes=(2,), sums=(0, 2, 3), groups=G),
            "Mean and variance are those of every pixel by itself; all pixels of a group share one.",
            _eps_of_groups,
        ),
    ),
    slips=gradient_slips(_norm_of_groups, _eps_of_groups, gamma_outside=True),
)
state_layer(GROUPNORM)
