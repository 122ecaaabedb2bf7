"""im2col: write every window of an image into a column, and a convolution becomes one matrix product.

One window holds C·HH·WW pixels. Flatten it into a column; flatten each filter into a row of the same length:

    weights    w.reshape(F, C·HH·WW)       row f is filter f
    columns    (C·HH·WW, H'·W')            column (i, j) is the window at row i, column j of the output
    out        weights @ columns           (F, H'·W'): every filter times every window

Backward, the chain rule for a matrix product gives the gradient of the columns. A pixel of several windows was copied
into several columns, so its gradient is the sum of theirs: `col2im` adds them up.

**Two short loops instead of HH·WW copies.** `im2col` copies along the width first, then along the height:

    strips[c, q, h, j]     = x[c, h, j·stride + q]           for each column q of a window
    columns[c, p, q, i, j] = strips[c, q, i·stride + p, j]   for each row p of a window

At stride 1, the second loop copies H'·W' neighbouring numbers at a time, which is fast. To get this at any stride, the
rows of the strips are grouped by their remainder: row h is at [h % stride, h // stride]. Then rows p, p + stride,
p + 2·stride ... follow one another.

Shapes: `N` images, `C` channels, `H W` image with its padding, `HH WW` window, `H' W'` windows down and across. H must
be a multiple of the stride; otherwise, pad the image below with zeros.
"""

import numpy as np


def im2col(x: np.ndarray, window: tuple, stride: int, outputs: tuple) -> np.ndarray:
    """Copy every window of x into a column.

    x: (N, C, H, W)
    window: (HH, WW)
    outputs: (H', W')

    Returns columns (N, C·HH·WW, H'·W').
    """
    N, C, _, _ = x.shape
    HH, WW = window
    H_out, W_out = outputs
    rows = group_rows(x, stride)
    strips = np.empty((N, C, WW, *rows.shape[2:4], W_out), dtype=x.dtype)
    for q in range(WW):
        strips[:, :, q] = rows[..., q : q + stride * W_out : stride]
    columns = np.empty((N, C, HH, WW, H_out, W_out), dtype=x.dtype)
    for p in range(HH):
        first = p // stride
        columns[:, :, p] = strips[:, :, :, p % stride, first : first + H_out]
    return columns.reshape(N, C * HH * WW, H_out * W_out)


def col2im(columns: np.ndarray, shape: tuple, window: tuple, stride: int, outputs: tuple) -> np.ndarray:
    """Add every entry of the columns to the pixel that `im2col` copies into it: the same two loops, backward.

    columns: (N, C·HH·WW, H'·W')
    shape: (N, C, H, W)
    window: (HH, WW)
    outputs: (H', W')

    Returns x (N, C, H, W).
    """
    N, C, _, _ = shape
    HH, WW = window
    H_out, W_out = outputs
    x = np.zeros(shape, dtype=columns.dtype)
    rows = group_rows(x, stride)
    columns = columns.reshape(N, C, HH, WW, H_out, W_out)
    strips = np.zeros((N, C, WW, *rows.shape[2:4], W_out), dtype=columns.dtype)
    for p in range(HH):
        first = p // stride
        target = strips[:, :, :, p % stride, first : first + H_out]
        if p < stride:  # the first row with this remainder; the target is still 0, and a copy is faster than a sum
            target[...] = columns[:, :, p]
        else:
            target += columns[:, :, p]
    for q in range(WW):
        target = rows[..., q : q + stride * W_out : stride]
        if q < stride:
            target[...] = strips[:, :, q]
        else:
            target += strips[:, :, q]
    return x


def group_rows(x: np.ndarray, stride: int) -> np.ndarray:
    """Return a view (N, C, stride, H / stride, W) of the images; row h is at [h % stride, h // stride]."""
    N, C, H, W = x.shape
    return x.reshape(N, C, H // stride, stride, W).swapaxes(2, 3)
