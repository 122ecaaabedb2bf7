"""im2col by rows of windows, with which a convolution is a few matrix products. `fast_numpy.py` does it so.

**im2col** writes every window of an image, flattened, into a column. The filters, flattened, are the rows of a matrix;
that matrix times the columns is every filter on every window, and so the whole convolution. But every pixel is written
HH·WW times, and to write a number takes longer than to multiply it.

**Strips** hold ONE ROW of a window in a column, so every pixel is written only WW times:

    strips[(c, q), (h, j)] = x[c, h, j·stride + q]     rows h of the image, windows j across, pixels q of a window's row

Row p of all windows starts p rows of the image further down, and these follow one another in the strips. So what im2col
would write for row p is a slice of what is there already. At a stride of 2 windows start at every second row; strips
keep even and odd rows apart, and a slice is enough again. The convolution is then HH products, added up:

    out = sum over p of    w[:, :, p, :] · row_of_windows(strips, p)

The idea is that of Cho and Brand, MEC: Memory-Efficient Convolution for Deep Neural Network (2017).

Padding is the caller's work: images come in padded.

Shapes: `N` images, `C` channels, `H W` image, `HH WW` window, `H' W'` windows down and across.
"""

import numpy as np


def make_strips(x, WW, stride, W_out):
    """Rows of windows as columns: x (N, C, H, W) to (N, C·WW, stride, rows·W').

    Row h of the image is row h // stride of those that leave the remainder h % stride.
    """
    N, C, H, _ = x.shape
    strips = np.zeros((N, C, WW, stride, -(-H // stride), W_out), dtype=x.dtype)
    for q, remainder, rows, columns in _places(H, WW, stride, W_out):
        strips[:, :, q, remainder, : len(range(H)[rows])] = x[:, :, rows, columns]
    return strips.reshape(N, C * WW, stride, strips.shape[4] * W_out)


def add_strips(strips, shape, WW, stride, W_out):
    """`make_strips` backward: images of a shape (N, C, H, W), where every number is added to the pixel it came from."""
    N, C, H, _ = shape
    strips = strips.reshape(N, C, WW, stride, -(-H // stride), W_out)
    x = np.zeros(shape, dtype=strips.dtype)
    for q, remainder, rows, columns in _places(H, WW, stride, W_out):
        x[:, :, rows, columns] += strips[:, :, q, remainder, : len(range(H)[rows])]
    return x


def _places(H, WW, stride, W_out):
    """For every pixel q of a window's row and every remainder: q, remainder, and the rows and columns of the image."""
    for q in range(WW):
        for remainder in range(min(stride, H)):
            yield q, remainder, slice(remainder, None, stride), slice(q, q + stride * W_out, stride)


def row_of_windows(strips, p, stride, outputs):
    """Row p of all windows: a view (N, C·WW, H'·W') of the strips, which copies nothing."""
    start = p // stride * outputs[1]
    return strips[:, :, p % stride, start : start + outputs[0] * outputs[1]]


def output_size(function, axis, size, window, stride):
    """Number of windows along one axis; ValueError where the last one would not end with the image.

    size: pixels along the axis, padding included
    """
    if window < 1 or stride < 1:
        raise ValueError(f"{function}: the {axis} of a window is {window} and the stride {stride}; expected 1 or more")
    steps, left_over = divmod(size - window, stride)
    if size < window or left_over:
        raise ValueError(
            f"{function}: windows of {axis} {window} at a stride of {stride} do not fit {size} pixels (padding "
            f"included): {size} - {window} is not {'0 or more' if size < window else f'divisible by {stride}'}"
        )
    return steps + 1
