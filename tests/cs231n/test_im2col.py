"""im2col follows its formula, col2im is its transpose, both the same in NumPy and compiled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n.im2col import output_size

small = st.integers(1, 3)
quick = settings(max_examples=40, deadline=None)


@st.composite
def cases(draw):
    """Images (N, C, H, W), contiguous or not, and a window size and stride that fit them."""
    N, C, HH, WW, stride, down, across = (draw(small) for _ in range(7))
    shape = (N, C, HH + stride * (down - 1), WW + stride * (across - 1))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape[::-1])
    x = x.T if draw(st.booleans()) else np.ascontiguousarray(x.T)
    return x.astype(draw(st.sampled_from([np.float32, np.float64])), order="K"), HH, WW, stride


@quick
@given(case=cases())
def test_every_entry_is_where_the_formula_says(fast, case):
    x, HH, WW, stride = case
    N, C, H, W = x.shape
    down, across = (H - HH) // stride + 1, (W - WW) // stride + 1
    columns = fast.im2col(x, HH, WW, stride)
    assert columns.dtype == x.dtype and columns.shape == (C * HH * WW, N * down * across)
    columns = columns.reshape(C, HH, WW, N, down, across)
    for c, p, q, n, i, j in np.ndindex(columns.shape):
        assert columns[c, p, q, n, i, j] == x[n, c, i * stride + p, j * stride + q]


@quick
@given(case=cases())
def test_col2im_is_the_transpose_of_im2col(fast, case):
    """For linear maps that says: <im2col(x), y> = <x, col2im(y)> for every x and y."""
    x, HH, WW, stride = case
    columns = fast.im2col(x, HH, WW, stride)
    y = np.random.default_rng(1).normal(size=columns.shape[::-1]).astype(x.dtype).T
    images = fast.col2im(y, x.shape, HH, WW, stride)
    assert images.dtype == x.dtype and images.shape == x.shape
    assert np.vdot(columns, y) == pytest.approx(np.vdot(x, images), rel=1e-3 if x.itemsize == 4 else 1e-11, abs=1e-5)


def test_read_only_arrays_will_do(fast):
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    x.flags.writeable = False
    columns = fast.im2col(x, 2, 2, 2)
    columns.flags.writeable = False
    np.testing.assert_array_equal(fast.col2im(columns, x.shape, 2, 2, 2), x)


def test_windows_that_do_not_fit_are_refused(fast):
    x = np.zeros((1, 1, 5, 4))
    with pytest.raises(ValueError, match="im2col: windows of height 2 at a stride of 2 do not fit 5 pixels"):
        fast.im2col(x, 2, 2, 2)
    with pytest.raises(ValueError, match="col2im: windows of width 5 at a stride of 1 do not fit 4 pixels"):
        fast.col2im(x[0, 0], x.shape, 1, 5, 1)
    with pytest.raises(ValueError, match="the stride 0; expected 1 or more"):
        fast.im2col(x, 1, 1, 0)


def test_columns_that_do_not_fit_the_images_are_refused(fast):
    message = r"col2im: columns have shape \(4, 9\); expected \(4, 4\) for images of \(1, 1, 4, 4\)"
    with pytest.raises(ValueError, match=message):
        fast.col2im(np.zeros((4, 9)), (1, 1, 4, 4), 2, 2, 2)


@pytest.mark.parametrize(
    "size, window, stride, steps", [(1, 1, 1, 1), (7, 3, 2, 3), (7, 7, 5, 1), (38, 7, 1, 32), (32, 2, 2, 16)]
)
def test_output_size_counts_windows(size, window, stride, steps):
    assert output_size("f", "height", size, window, stride) == steps


@pytest.mark.parametrize(
    "size, window, stride, said",
    [
        (6, 3, 2, "f: windows of width 3 at a stride of 2 do not fit 6 pixels .* 6 - 3 is not divisible by 2"),
        (3, 5, 2, "f: windows of width 5 .* 3 - 5 is not 0 or more"),
        (3, 0, 1, "f: the width of a window is 0 and the stride 1; expected 1 or more"),
        (3, 1, -1, "f: the width of a window is 1 and the stride -1; expected 1 or more"),
    ],
)
def test_output_size_says_what_does_not_fit(size, window, stride, said):
    with pytest.raises(ValueError, match=said):
        output_size("f", "width", size, window, stride)
