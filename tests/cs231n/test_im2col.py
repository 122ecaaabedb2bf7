"""Columns follow their formula, and col2im is the transpose of im2col."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n._fast.im2col import col2im, im2col

small = st.integers(1, 3)
quick = settings(max_examples=60, deadline=None)


@st.composite
def cases(draw):
    """Images (N, C, H, W), contiguous or not, H a multiple of the stride; window, stride and number of windows."""
    N, C, HH, WW, stride, down, across = (draw(small) for _ in range(7))
    H = HH + stride * (down - 1)
    H += -H % stride
    shape = (N, C, H, WW + stride * (across - 1))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape[::-1])
    x = x.T if draw(st.booleans()) else np.ascontiguousarray(x.T)
    return x.astype(draw(st.sampled_from([np.float32, np.float64])), order="K"), (HH, WW), stride, (down, across)


@quick
@given(case=cases())
def test_a_column_is_a_window(case):
    x, (HH, WW), stride, outputs = case
    columns = im2col(x, (HH, WW), stride, outputs)
    assert columns.dtype == x.dtype
    columns = columns.reshape(*x.shape[:2], HH, WW, *outputs)
    for n, c, p, q, i, j in np.ndindex(columns.shape):
        assert columns[n, c, p, q, i, j] == x[n, c, i * stride + p, j * stride + q]


@quick
@given(case=cases())
def test_col2im_is_the_transpose_of_im2col(case):
    """For linear maps that means <im2col(x), y> = <x, col2im(y)> for every x and y."""
    x, window, stride, outputs = case
    columns = im2col(x, window, stride, outputs)
    y = np.random.default_rng(1).normal(size=columns.shape).astype(x.dtype)
    images = col2im(y, x.shape, window, stride, outputs)
    assert images.dtype == x.dtype and images.shape == x.shape
    assert np.vdot(columns, y) == pytest.approx(np.vdot(x, images), rel=1e-3 if x.itemsize == 4 else 1e-11, abs=1e-5)
