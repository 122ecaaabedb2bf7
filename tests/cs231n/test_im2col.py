"""Strips follow their formula and slices of them are rows of windows; back from strips is the transpose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n.im2col import add_strips, make_strips, output_size, row_of_windows

small = st.integers(1, 3)
quick = settings(max_examples=60, deadline=None)


@st.composite
def cases(draw):
    """Images (N, C, H, W), contiguous or not; window, stride and number of windows that fit them."""
    N, C, HH, WW, stride, down, across = (draw(small) for _ in range(7))
    shape = (N, C, HH + stride * (down - 1), WW + stride * (across - 1))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape[::-1])
    x = x.T if draw(st.booleans()) else np.ascontiguousarray(x.T)
    return x.astype(draw(st.sampled_from([np.float32, np.float64])), order="K"), (HH, WW), stride, (down, across)


@quick
@given(case=cases())
def test_a_row_of_all_windows_is_a_slice_of_the_strips(case):
    x, (HH, WW), stride, outputs = case
    strips = make_strips(x, WW, stride, outputs[1])
    assert strips.dtype == x.dtype
    for p in range(HH):
        row = row_of_windows(strips, p, stride, outputs)
        assert np.shares_memory(row, strips)
        row = row.reshape(*x.shape[:2], WW, *outputs)
        for n, c, q, i, j in np.ndindex(row.shape):
            assert row[n, c, q, i, j] == x[n, c, i * stride + p, j * stride + q]


@quick
@given(case=cases())
def test_add_strips_is_the_transpose_of_make_strips(case):
    """For linear maps that says: <make(x), y> = <x, add(y)> for every x and y."""
    x, (_, WW), stride, outputs = case
    strips = make_strips(x, WW, stride, outputs[1])
    y = np.random.default_rng(1).normal(size=strips.shape).astype(x.dtype)
    images = add_strips(y, x.shape, WW, stride, outputs[1])
    assert images.dtype == x.dtype and images.shape == x.shape
    assert np.vdot(strips, y) == pytest.approx(np.vdot(x, images), rel=1e-3 if x.itemsize == 4 else 1e-11, abs=1e-5)


@pytest.mark.parametrize(
    ("size", "window", "stride", "said"),
    [
        (5, 2, 2, "windows of height 2 at a stride of 2 do not fit 5 pixels .*: 5 - 2 is not divisible by 2"),
        (2, 3, 1, "do not fit 2 pixels .*: 2 - 3 is not 0 or more"),
        (4, 1, 0, "the height of a window is 1 and the stride 0; expected 1 or more"),
        (4, 0, 1, "the height of a window is 0"),
    ],
)
def test_windows_that_do_not_fit_are_refused(size, window, stride, said):
    with pytest.raises(ValueError, match=f"some_layer: .*{said}|some_layer: {said}"):
        output_size("some_layer", "height", size, window, stride)


def test_windows_that_fit_are_counted():
    assert [output_size("layer", "width", 7, window, stride) for window, stride in ((7, 1), (3, 2), (1, 3))] == [
        1,
        3,
        3,
    ]
