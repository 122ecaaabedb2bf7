"""The naive convolution and pooling layers follow their formulas, written out as sums, and their gradients hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n import layers
from cs231n.gradient_check import check_gradients

small = st.integers(1, 3)
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=20, deadline=None)

# C, H, W, F, HH, WW, stride, pad: square; nothing square; no padding; a window that skips pixels; one pixel a window
SHAPES = [
    (3, 4, 4, 2, 3, 3, 1, 1),
    (2, 5, 8, 3, 3, 2, 2, 1),
    (1, 4, 7, 2, 2, 3, 2, 0),
    (2, 5, 5, 2, 2, 2, 3, 0),
    (3, 3, 2, 4, 1, 1, 1, 0),
    (1, 2, 3, 2, 4, 5, 1, 2),
]
# H, W, height, width, stride: the usual; overlapping; not square; with a gap; the whole image
POOLS = [(4, 6, 2, 2, 2), (5, 5, 3, 3, 1), (4, 7, 2, 3, 2), (5, 5, 2, 2, 3), (3, 4, 3, 4, 1)]


def convolution_by_sums(x, w, b, stride, pad):
    """The definition, a number at a time; pixels outside the image count as 0."""
    (N, C, H, W), (F, _, HH, WW) = x.shape, w.shape
    out = np.empty((N, F, (H + 2 * pad - HH) // stride + 1, (W + 2 * pad - WW) // stride + 1))
    for n, f, i, j in np.ndindex(out.shape):
        total = b[f]
        for c, p, q in np.ndindex(C, HH, WW):
            row, column = i * stride + p - pad, j * stride + q - pad
            if 0 <= row < H and 0 <= column < W:
                total += x[n, c, row, column] * w[f, c, p, q]
        out[n, f, i, j] = total
    return out


def convolution(shape, N=2, seed=0):
    C, H, W, F, HH, WW, stride, pad = shape
    rng = np.random.default_rng(seed)
    arrays = {"x": (N, C, H, W), "w": (F, C, HH, WW), "b": (F,)}
    return {name: rng.normal(size=size) for name, size in arrays.items()}, {"stride": stride, "pad": pad}


@st.composite
def shapes(draw):
    C, F, HH, WW, stride = (draw(small) for _ in range(5))
    pad = draw(st.integers(0, min(HH, WW) - 1))
    H, W = (stride * draw(small) + window - 2 * pad for window in (HH, WW))
    return (C, max(H, 1), max(W, 1), F, HH, WW, stride if min(H, W) > 0 else 1, pad)


class TestConvolution:
    @quick
    @given(shape=shapes(), seed=seeds)
    def test_forward_is_its_formula(self, shape, seed):
        inputs, conv_param = convolution(shape, seed=seed)
        out, _ = layers.conv_forward_naive(**inputs, conv_param=conv_param)
        np.testing.assert_allclose(out, convolution_by_sums(**inputs, **conv_param), rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_forward_is_its_formula_here(self, shape):
        inputs, conv_param = convolution(shape)
        out, _ = layers.conv_forward_naive(**inputs, conv_param=conv_param)
        np.testing.assert_allclose(out, convolution_by_sums(**inputs, **conv_param), rtol=1e-12, atol=1e-12)

    def test_filters_are_not_flipped(self):
        x, w = np.arange(9.0).reshape(1, 1, 3, 3), np.array([[[[1.0, 0], [0, 0]]]])
        out, _ = layers.conv_forward_naive(x, w, np.array([10.0]), {"stride": 1, "pad": 0})
        np.testing.assert_array_equal(out[0, 0], [[10, 11], [13, 14]])

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_gradients(self, shape):
        inputs, conv_param = convolution(shape)
        out, cache = layers.conv_forward_naive(**inputs, conv_param=conv_param)
        dout = np.random.default_rng(1).normal(size=out.shape)
        gradients = dict(zip(inputs, layers.conv_backward_naive(dout, cache), strict=True))

        def forward(x, w, b):
            return layers.conv_forward_naive(x, w, b, conv_param)[0]

        check_gradients(forward, inputs, gradients, dout).require()

    @pytest.mark.parametrize(
        "change, said",
        [
            ({"stride": 2}, "windows of height 3 at a stride of 2 do not fit 6 pixels .*not divisible by 2"),
            ({"stride": 3}, "windows of width 3 at a stride of 3 do not fit 7 pixels .*not divisible by 3"),
            ({"pad": 0, "w": (1, 1, 5, 3)}, "windows of height 5 .* do not fit 4 pixels .*is not 0 or more"),
        ],
    )
    def test_sizes_that_do_not_divide_are_refused(self, change, said):
        conv_param = {"stride": 1, "pad": 1} | {name: change[name] for name in change if name != "w"}
        w = np.ones(change.get("w", (1, 1, 3, 3)))
        with pytest.raises(ValueError, match=f"conv_forward_naive: {said}"):
            layers.conv_forward_naive(np.ones((1, 1, 4, 5)), w, np.ones(1), conv_param)


def pooling(H, W, height, width, stride, seed=0):
    """Images whose entries all differ by more than a numeric gradient's step, and a pool_param."""
    x = np.random.default_rng(seed).permutation(2 * 3 * H * W).reshape(2, 3, H, W) / 10
    return x, {"pool_height": height, "pool_width": width, "stride": stride}


@pytest.mark.parametrize("shape", POOLS, ids=str)
class TestMaxPooling:
    def test_forward_is_the_largest_of_each_window(self, shape):
        x, pool_param = pooling(*shape)
        H, W, height, width, stride = shape
        out, _ = layers.max_pool_forward_naive(x, pool_param)
        assert out.shape == (2, 3, (H - height) // stride + 1, (W - width) // stride + 1)
        for n, c, i, j in np.ndindex(out.shape):
            window = [x[n, c, i * stride + p, j * stride + q] for p in range(height) for q in range(width)]
            assert out[n, c, i, j] == max(window)

    def test_gradient(self, shape):
        x, pool_param = pooling(*shape)
        out, cache = layers.max_pool_forward_naive(x, pool_param)
        dout = np.random.default_rng(1).normal(size=out.shape)

        def forward(x):
            return layers.max_pool_forward_naive(x, pool_param)[0]

        check_gradients(forward, {"x": x}, {"x": layers.max_pool_backward_naive(dout, cache)}, dout).require()


def test_ties_share_the_gradient():
    x, pool_param = np.ones((1, 1, 2, 2)), {"pool_height": 2, "pool_width": 2, "stride": 2}
    _, cache = layers.max_pool_forward_naive(x, pool_param)
    dx = layers.max_pool_backward_naive(np.full((1, 1, 1, 1), 8.0), cache)
    np.testing.assert_array_equal(dx, np.full((1, 1, 2, 2), 2.0))


@pytest.mark.parametrize(
    "height, width, stride, said",
    [
        (2, 2, 2, "windows of height 2 at a stride of 2 do not fit 5 pixels"),
        (3, 3, 2, "windows of width 3 at a stride of 2 do not fit 6 pixels"),
        (6, 6, 1, "windows of height 6 at a stride of 1 do not fit 5 pixels .* 5 - 6 is not 0 or more"),
    ],
)
def test_pooling_sizes_that_do_not_divide_are_refused(height, width, stride, said):
    with pytest.raises(ValueError, match=f"max_pool_forward_naive: {said}"):
        pool_param = {"pool_height": height, "pool_width": width, "stride": stride}
        layers.max_pool_forward_naive(np.ones((1, 1, 5, 6)), pool_param)


def test_arguments_are_left_alone_and_caches_serve_twice():
    inputs, conv_param = convolution(SHAPES[1])
    x, pool_param = pooling(*POOLS[1])
    for array in (*inputs.values(), x):
        array.flags.writeable = False
    out, cache = layers.conv_forward_naive(**inputs, conv_param=conv_param)
    for once, again in zip(layers.conv_backward_naive(out, cache), layers.conv_backward_naive(out, cache), strict=True):
        np.testing.assert_array_equal(once, again)
    out, cache = layers.max_pool_forward_naive(x, pool_param)
    once, again = (layers.max_pool_backward_naive(out, cache) for _ in range(2))
    np.testing.assert_array_equal(once, again)
