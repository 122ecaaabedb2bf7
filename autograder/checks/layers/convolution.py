"""Checks of the convolution. What is right is computed on strided views: it is measured some ten thousand times."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograder.checking.criteria import Checks
from autograder.checks.layer import Edge, Layer
from autograder.checks.pairs import state_layer

CHECKS = Checks()


def windows(x, height, width, stride):
    """Every window of the images x (N, C, H, W), as a view (N, C, H', W', height, width); for windows that fit x."""
    N, C, H, W = x.shape
    shape = (N, C, 1 + (H - height) // stride, 1 + (W - width) // stride, height, width)
    to_example, to_channel, to_row, to_column = x.strides
    return as_strided(x, shape, (to_example, to_channel, stride * to_row, stride * to_column, to_row, to_column))


def convolution(x, w, b, conv_param):
    """What the forward function computes, without a cache."""
    seen = windows(_padded(x, conv_param["pad"]), *w.shape[2:], conv_param["stride"])
    N, _, H_out, W_out = seen.shape[:4]
    columns = seen.transpose(1, 4, 5, 0, 2, 3).reshape(w[0].size, -1)
    out = w.reshape(len(w), -1) @ columns + b[:, np.newaxis]
    return out.reshape(-1, N, H_out, W_out).swapaxes(0, 1)


def _padded(x, pad):
    N, C, H, W = x.shape
    x_pad = np.zeros((N, C, H + 2 * pad, W + 2 * pad))  # np.pad takes longer than all the rest
    x_pad[:, :, pad : pad + H, pad : pad + W] = x
    return x_pad


def _draw(rng, N=2, C=3, image=(5, 5), F=4, filters=(3, 3), stride=1, pad=1):
    return {
        "x": rng.normal(size=(N, C, *image)),
        "w": rng.normal(size=(F, C, *filters)),
        "b": rng.normal(size=F),
        "conv_param": {"stride": stride, "pad": pad},
    }


EDGE = 0.25
LAYER = Layer(
    module="cs231n.layers",
    forward="conv_forward_naive",
    backward="conv_backward_naive",
    function=convolution,
    draw=_draw,
    cases=({"N": 3}, {"C": 2, "stride": 2}),
    edges=(
        Edge("channels", ({"C": 5, "image": (4, 4)}, {"C": 1}), "with five channels, and with one", EDGE),
        Edge("no padding", ({"pad": 0},), "with pad = 0", EDGE),
        Edge("padding of 2", ({"pad": 2, "image": (4, 4), "C": 2},), "with pad = 2", EDGE),
        Edge("images not square", ({"image": (4, 6), "C": 2}, {"image": (5, 3)}), "with H and W that differ", EDGE),
        Edge("filters not square", ({"filters": (2, 3), "C": 2}, {"filters": (3, 1)}), "with HH other than WW", EDGE),
        Edge("even filters", ({"image": (6, 6), "filters": (4, 4), "stride": 2, "C": 2},), "with 4×4 filters", EDGE),
        Edge("stride 3", ({"image": (7, 7), "stride": 3, "C": 2},), "with a stride of 3", EDGE),
        Edge("one example", ({"N": 1},), "with a single example, N = 1", EDGE),
    ),
    gradients={"x": "dx", "w": "dw", "b": "db"},
    lenient=False,
    says="out[n, f, i, j] is window [i, j] of the padded image n times filter f, plus b[f]",
    large={"C": 1000, "F": 8, "stride": 2},  # as many channels as it takes for filters as large as the images
)

# Ordinary sizes carry three quarters of the points; each edge case costs no more than itself.
state_layer(CHECKS, LAYER, forward_weights=(6, EDGE), gradient_weight=2, edge_weight=EDGE)
