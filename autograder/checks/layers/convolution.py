"""Checks of the convolution. What is right is computed on strided views: it is measured some ten thousand times."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograder.checks.gradients import Variant
from autograder.checks.layer import Edge, Layer
from autograder.checks.pairs import state_layer


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


def gradients(dout, x, w, b, conv_param, step=None, add=True):
    """The gradients by a loop over windows, where two things can be done wrong.

    - step: pixels between windows, instead of the stride
    - add: False where each window overwrites what the one before it left
    """
    (HH, WW), pad, step = w.shape[2:], conv_param["pad"], step or conv_param["stride"]
    x_pad = _padded(x, pad)
    dx_pad, dw = np.zeros(x_pad.shape), np.zeros(w.shape)
    for i, j in np.ndindex(*dout.shape[2:]):
        window = np.s_[:, :, i * step : i * step + HH, j * step : j * step + WW]
        here = dout[:, :, i, j]
        dw = add * dw + np.tensordot(here, x_pad[window], axes=(0, 0))
        dx_pad[window] = add * dx_pad[window] + np.tensordot(here, w, axes=(1, 0))
    return {"x": _cropped(dx_pad, pad, x), "w": dw, "b": dout.sum(axis=(0, 2, 3)), "x_pad": dx_pad}


def _padded(x, pad):
    N, C, H, W = x.shape
    x_pad = np.zeros((N, C, H + 2 * pad, W + 2 * pad))  # np.pad takes longer than all the rest
    x_pad[:, :, pad : pad + H, pad : pad + W] = x
    return x_pad


def _cropped(dx_pad, pad, x):
    return dx_pad[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]


def _draw(rng, N=2, C=3, image=(5, 5), F=4, filters=(3, 3), stride=1, pad=1):
    return {
        "x": rng.normal(size=(N, C, *image)),
        "w": rng.normal(size=(F, C, *filters)),
        "b": rng.normal(size=F),
        "conv_param": {"stride": stride, "pad": pad},
    }


# Forward passes that people really write. Some are only wrong for certain strides, paddings and sizes.


def _edge_padded(x, w, b, conv_param):
    pad = conv_param["pad"]
    repeated = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), "edge")
    return convolution(repeated, w, b, conv_param | {"pad": 0})


def _stride_in_size_only(x, w, b, conv_param):
    out = convolution(x, w, b, conv_param)
    return convolution(x, w, b, conv_param | {"stride": 1})[:, :, : out.shape[2], : out.shape[3]]


def _with(**settings):
    return lambda x, w, b, conv_param: convolution(x, w, b, conv_param | settings)


NO_STRIDE = "The stride is left out: window [i, j] begins at row i·stride and column j·stride of the padded image."
VARIANTS = (
    Variant(
        "flipped filters",
        lambda x, w, b, conv_param: convolution(x, w[:, :, ::-1, ::-1], b, conv_param),
        "The filters are flipped: that is the convolution of mathematics. Here a window and a filter are multiplied "
        "entry by entry as they lie.",
    ),
    Variant("no bias", lambda x, w, b, conv_param: convolution(x, w, 0 * b, conv_param), "The bias b[f] is not added."),
    Variant(
        "bias in every product",
        lambda x, w, b, conv_param: convolution(x, w, b * w[0].size, conv_param),
        "The bias is added to each product inside a window; it belongs to their sum, once.",
    ),
    Variant(
        "bias in every channel",
        lambda x, w, b, conv_param: convolution(x, w, b * w.shape[1], conv_param),
        "The bias is added once for each channel; it belongs to the sum over the channels, once.",
    ),
    Variant(
        "edges repeated",
        _edge_padded,
        "The padding repeats the pixels at the image's edge; it should be zeros.",
    ),
    Variant("no padding", _with(pad=0), "The image is not padded."),
    Variant("padding of 1", _with(pad=1), "The padding is 1 whatever conv_param['pad'] says."),
    Variant("no stride", _with(stride=1), NO_STRIDE),
    Variant("no stride", _stride_in_size_only, NO_STRIDE),
    Variant(
        "height and width mixed up",
        lambda x, w, b, conv_param: convolution(x, w, b, conv_param).swapaxes(2, 3),
        "Height and width are mixed up: out is (N, F, H', W'), and H' comes from H and HH.",
    ),
)


# Backward passes that people really write.


def _cropped_to_nothing(dout, x, w, b, conv_param):
    return {} if conv_param["pad"] else {"x": np.zeros((*x.shape[:2], 0, 0))}


def _padding_left_on(dout, x, w, b, conv_param):
    return {"x": gradients(dout, x, w, b, conv_param)["x_pad"]}


def _cropped_by_1(dout, x, w, b, conv_param):
    return {"x": gradients(dout, x, w, b, conv_param)["x_pad"][:, :, 1:-1, 1:-1]}


def _padded_by_1(dout, x, w, b, conv_param):
    return {} if conv_param["pad"] else gradients(dout, x, w, b, conv_param | {"pad": 1})


def _last_example(dout, x, w, b, conv_param):
    last = gradients(dout[-1:], x[-1:], w, b, conv_param)
    return {"w": last["w"], "b": last["b"]}


def _last_window(dout, x, w, b, conv_param):
    return gradients(dout, x, w, b, conv_param, add=False)


def _last_window_of_one(dout, x, w, b, conv_param):
    """Each example by itself overwrites dw and db, each filter by itself overwrites dx."""
    return {
        "w": gradients(dout[-1:], x[-1:], w, b, conv_param, add=False)["w"],
        "b": dout[-1, :, -1, -1],
        "x": gradients(dout[:, -1:], x, w[-1:], b, conv_param, add=False)["x"],
    }


def _averaged(dout, x, w, b, conv_param):
    return {name: value / len(x) for name, value in gradients(dout, x, w, b, conv_param).items()}


CROP = "dx is cropped by 1 on every side, or made with a padding of 1, whatever conv_param['pad'] says."
OVERWRITTEN = (
    "Each window overwrites what the one before it left: windows share filters and, where they overlap, pixels, and "
    "their gradients add up (+=)."
)
SLIPS = (
    Variant(
        "cropped to nothing",
        _cropped_to_nothing,
        "The slice pad:-pad is empty when pad is 0, so nothing of dx is left. Count from the front: where does the "
        "image end in the padded one?",
    ),
    Variant("padding left on", _padding_left_on, "dx still has the padding around it; only x's own pixels are asked."),
    Variant("padding of 1", _cropped_by_1, CROP),
    Variant("padding of 1", _padded_by_1, CROP),
    Variant("no stride", lambda dout, **inputs: gradients(dout, step=1, **inputs), NO_STRIDE),
    Variant(
        "last example only",
        _last_example,
        "dw, or db, is that of the last example alone; those of the whole batch add up (+=).",
    ),
    Variant("overwritten", _last_window, OVERWRITTEN),
    Variant("overwritten", _last_window_of_one, OVERWRITTEN),
    Variant(
        "averaged over the batch",
        _averaged,
        "The gradient is divided by N. The average over the batch is the loss layer's work; here gradients add up.",
    ),
    Variant(
        "averaged over windows",
        lambda dout, **inputs: {"b": dout.mean(axis=(0, 2, 3))},
        "db is an average; b is added to every output of its filter, so their gradients add up.",
    ),
    Variant(
        "flipped filters",
        lambda dout, x, w, b, conv_param: gradients(dout, x, w[:, :, ::-1, ::-1], b, conv_param),
        "dx goes through flipped filters; the entry that multiplied a pixel on the way there does so on the way back.",
    ),
    Variant(
        "dout ignored",
        lambda dout, **inputs: gradients(np.ones_like(dout), **inputs),
        "dout plays no part; multiply each window's share by its entry of dout.",
    ),
)

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
    says="out[n, f, i, j] is window [i, j] of the padded image n times filter f, plus b[f]",
    variants=VARIANTS,
    slips=SLIPS,
)

# Ordinary sizes carry three quarters of the points; each edge case costs no more than itself.
state_layer(LAYER, forward_weights=(6, EDGE), gradient_weight=2, edge_weight=EDGE)
