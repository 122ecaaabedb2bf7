"""im2col and col2im, with which a convolution is one matrix product. This is the NumPy path of `fast_layers`.

im2col writes every window of the images, flattened, into a column. The filters, flattened, are the rows of a matrix;
that matrix times the columns is every filter on every window. col2im goes back: it adds each column to the place that
its window came from, which is what the gradient asks for.

    columns[(c, p, q), (n, i, j)] = x[n, c, i·stride + p, j·stride + q]

Padding is the caller's work: images come in padded. `im2col_cython.pyx` does the same in compiled loops; where it is
not compiled, `numpy_notice` says how to change that.

Shapes: `N` images, `C` channels, `H W` image, `HH WW` window, `H' W'` windows down and across.
"""

import functools
import os
import sys
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def im2col(x, HH, WW, stride):
    """Every window of the images x (N, C, H, W) as a column: returns (C·HH·WW, N·H'·W').

    Raises ValueError where the windows do not fit the images.
    """
    N, C, H, W = x.shape
    H_out = output_size("im2col", "height", H, HH, stride)
    W_out = output_size("im2col", "width", W, WW, stride)
    # A view (N, C, H', W', HH, WW) that holds no number of its own; the reshape is what copies.
    windows = sliding_window_view(x, (HH, WW), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(C * HH * WW, N * H_out * W_out)


def col2im(columns, shape, HH, WW, stride):
    """Add every column to the window it belongs to: images of the given shape (N, C, H, W), 0 where no window lies.

    columns: (C·HH·WW, N·H'·W')

    Raises ValueError where the windows do not fit the images, or the columns not the windows.
    """
    N, C, H, W = shape
    H_out = output_size("col2im", "height", H, HH, stride)
    W_out = output_size("col2im", "width", W, WW, stride)
    expected = (C * HH * WW, N * H_out * W_out)
    if columns.shape != expected:
        raise ValueError(f"col2im: columns have shape {columns.shape}; expected {expected} for images of {shape}")
    columns = columns.reshape(C, HH, WW, N, H_out, W_out)
    x = np.zeros(shape, dtype=columns.dtype)
    for p, q, places in window_places(H_out, W_out, HH, WW, stride):
        x[places] += columns[:, p, q].transpose(1, 0, 2, 3)
    return x


def window_places(H_out, W_out, HH, WW, stride):
    """For every place (p, q) inside a window, yield p, q and the index of that place in all windows of (N, C, H, W).

    There are few places in a window and many windows, so a loop over places is short, and x[index] is (N, C, H', W').
    """
    for p in range(HH):
        for q in range(WW):
            rows = slice(p, p + stride * H_out, stride)
            columns = slice(q, q + stride * W_out, stride)
            yield p, q, (slice(None), slice(None), rows, columns)


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


def numpy_notice(error):
    """One line that says why NumPy computes the fast layers here, and what makes them faster.

    error: what the import of the compiled module raised
    """
    binaries = [path.name for path in Path(__file__).parent.glob("im2col_cython.*") if path.suffix in (".so", ".pyd")]
    reason = "it is for another Python" if isinstance(error, ModuleNotFoundError) else " ".join(str(error).split())
    return (
        "cs231n.fast_layers uses NumPy"
        + (f", because {sorted(binaries)[0]} does not load ({reason})" if binaries else "")
        + ": all results are the same, only slower. For the compiled version install a C compiler (Linux: "
        "build-essential and python3-dev; macOS: xcode-select --install; Windows: Microsoft C++ Build Tools), type "
        "`pip install cython setuptools`, then `python setup.py build_ext --inplace` or `make fast`."
    )


@functools.cache  # once in a process, however often a notebook reloads modules
def announce(line):
    """Print a line on stderr, except in the autograder, where nobody would read it."""
    if not os.environ.get("AUTOGRADER"):
        print(line, file=sys.stderr)
