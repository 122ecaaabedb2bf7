"""Checks of the convolution. The right output uses strided views, because it is computed about ten thousand times."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograder.checking.criteria import Checks
from autograder.checks.layers.criteria import add_layer_criteria
from autograder.checks.layers.layer import Edge, Inputs, Layer

CHECKS = Checks()


def get_windows(x: np.ndarray, height: int, width: int, stride: int) -> np.ndarray:
    """Return every window of the images x (N, C, H, W) as a view (N, C, H', W', height, width)."""
    N, C, H, W = x.shape
    shape = (N, C, 1 + (H - height) // stride, 1 + (W - width) // stride, height, width)
    to_example, to_channel, to_row, to_column = x.strides
    return as_strided(x, shape, (to_example, to_channel, stride * to_row, stride * to_column, to_row, to_column))


def convolution(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict[str, int]) -> np.ndarray:
    """Return the output of the forward function."""
    HH, WW = w.shape[2:]
    seen = get_windows(_pad(x, conv_param["pad"]), HH, WW, conv_param["stride"])
    N, _, H_out, W_out = seen.shape[:4]
    columns = seen.transpose(1, 4, 5, 0, 2, 3).reshape(w[0].size, -1)
    out = w.reshape(len(w), -1) @ columns + b[:, np.newaxis]
    return out.reshape(-1, N, H_out, W_out).swapaxes(0, 1)


def _pad(x: np.ndarray, pad: int) -> np.ndarray:
    N, C, H, W = x.shape
    x_pad = np.zeros((N, C, H + 2 * pad, W + 2 * pad))  # np.pad takes longer than the rest of the convolution
    x_pad[:, :, pad : pad + H, pad : pad + W] = x
    return x_pad


def _draw(
    rng: np.random.Generator,
    N: int = 2,
    C: int = 3,
    image: tuple[int, int] = (5, 5),
    F: int = 4,
    filters: tuple[int, int] = (3, 3),
    stride: int = 1,
    pad: int = 1,
) -> Inputs:
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
        Edge("images not square", ({"image": (4, 6), "C": 2}, {"image": (5, 3)}), "with H ≠ W", EDGE),
        Edge(
            "filters not square", ({"filters": (2, 3), "C": 2}, {"filters": (3, 1)}), "with HH and WW that differ", EDGE
        ),
        Edge("even filters", ({"image": (6, 6), "filters": (4, 4), "stride": 2, "C": 2},), "with 4×4 filters", EDGE),
        Edge("stride 3", ({"image": (7, 7), "stride": 3, "C": 2},), "with a stride of 3", EDGE),
        Edge("one example", ({"N": 1},), "with a single example, N = 1", EDGE),
    ),
    gradients={"x": "dx", "w": "dw", "b": "db"},
    lenient=False,
    formula="out[n, f, i, j] is the product of window [i, j] of the padded image n and filter f, plus b[f]",
    large={"C": 1000, "F": 8, "stride": 2},  # many channels, so that the filters are as large as the images
)

# The ordinary sizes have three quarters of the points; a failed edge case costs only its own points.
add_layer_criteria(CHECKS, LAYER, forward_weights=(6, EDGE), gradient_weight=2, edge_weight=EDGE)
