"""The fast layers from NumPy's whole-array operations, for where nothing is compiled. `fast_layers.py` calls them.

Images are taken a few at a time, so that their strips (see `im2col.py`) stay in the processor's cache. NumPy's BLAS
uses several threads for large products by itself; many small ones are shared among threads here, image by image.

Shapes: `N` images, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import functools
import os
import sys
from pathlib import Path

import numpy as np

from cs231n.fast_threads import cut, share
from cs231n.im2col import add_strips, make_strips, row_of_windows

BLOCK = 2**16  # numbers in the strips of images that are taken together: 512 kB in float64
LARGE_PRODUCT, MANY_PRODUCTS = 2**20, 2**26  # multiplications, in one and in all


def conv_forward(x, w, b, stride, pad, outputs, dtype):
    """Convolve x (N, C, H, W) with w (F, C, HH, WW), add b (F,), and return out (N, F, H', W')."""
    return _convolve(x, w, b, stride, (pad, pad), outputs, dtype)


def _convolve(x, w, b, stride, pad, outputs, dtype):
    """The same, with rows of padding above and below, and columns of padding left and right: pad is both."""
    N, (F, _, HH, WW) = len(x), w.shape
    rows_of_w = _rows_of_filters(w, dtype)
    out = np.empty((N, F, outputs[0] * outputs[1]), dtype=dtype)

    def work(parts):
        for images in _blocks(parts, x, w, pad[0], outputs):
            strips = make_strips(_padded(x[images], pad, dtype), WW, stride, outputs[1])
            products = rows_of_w[0] @ row_of_windows(strips, 0, stride, outputs)
            for p in range(1, HH):
                products += rows_of_w[p] @ row_of_windows(strips, p, stride, outputs)
            np.add(products, b[:, np.newaxis], out=out[images], casting="same_kind")

    share(work, _parts(x, w, outputs))
    return out.reshape(N, F, *outputs)


def conv_backward(dout, x, w, stride, pad, dtype, need_dx):
    """Gradients dx (N, C, H, W) or None, dw (F, C, HH, WW) and db (F,) from dout (N, F, H', W')."""
    (C, H, W), (F, _, HH, WW), outputs, dx = x.shape[1:], w.shape, dout.shape[2:], None
    if need_dx and stride == 1 and pad < min(HH, WW) and F <= C:
        # At a stride of 1, dx is a convolution as well: of dout, padded, with all filters turned around. With more
        # filters than channels it would have more strips to write than it saves.
        turned = np.flip(w, axis=(2, 3)).swapaxes(0, 1)
        dx = _convolve(dout, turned, np.zeros(C, dtype), 1, (HH - 1 - pad, WW - 1 - pad), (H, W), dtype)
        need_dx = False
    elif need_dx:
        dx = np.empty(x.shape, dtype=dtype)
    rows_of_w, parts = _rows_of_filters(w, dtype), _parts(x, w, outputs)
    drows = np.zeros((len(parts), *rows_of_w.shape), dtype=dtype)  # of each part, added up in the end in the same order

    def work(parts):
        for part in parts:
            for images in _blocks([part], x, w, pad, outputs):
                add_gradients(part[0], images)

    def add_gradients(part, images):
        padded = _padded(x[images], (pad, pad), dtype)
        strips = make_strips(padded, WW, stride, outputs[1])
        dproducts = dout[images].reshape(len(padded), F, outputs[0] * outputs[1]).astype(dtype, copy=False)
        for p in range(HH):
            row = row_of_windows(strips, p, stride, outputs)
            drows[part, p] += (dproducts @ row.swapaxes(1, 2)).sum(axis=0)
        if need_dx:
            dstrips = np.zeros_like(strips)
            for p in range(HH):
                drow = row_of_windows(dstrips, p, stride, outputs)
                drow += rows_of_w[p].T @ dproducts
            dpadded = add_strips(dstrips, padded.shape, WW, stride, outputs[1])
            dx[images] = dpadded[:, :, pad : pad + H, pad : pad + W]

    share(work, parts)
    dw = drows.sum(axis=0).reshape(HH, F, C, WW).transpose(1, 2, 0, 3)
    return dx, np.ascontiguousarray(dw), dout.sum(axis=(0, 2, 3), dtype=dtype)


def max_pool_forward(x, window, stride, outputs):
    """The largest entry of every window of x (N, C, H, W), as out (N, C, H', W')."""
    first, *places = _places(window, stride, outputs)
    out = x[first].copy()
    for place in places:
        np.maximum(out, x[place], out=out)
    return out


def max_pool_backward(dout, x, out, window, stride):
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'), which equally large entries of a window share."""
    places = _places(window, stride, out.shape[2:])
    largest = np.zeros(out.shape, dtype=dout.dtype)
    for place in places:
        largest += x[place] == out
    share = dout / largest
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for place in places:
        dx[place] += share * (x[place] == out)
    return dx


def _rows_of_filters(w, dtype):
    """The filters w (F, C, HH, WW), row by row: (HH, F, C·WW)."""
    F, C, HH, WW = w.shape
    return np.ascontiguousarray(w.transpose(2, 0, 1, 3), dtype=dtype).reshape(HH, F, C * WW)


def _parts(x, w, outputs):
    """Parts of the images for threads to share: all images are one part where BLAS has enough to do for all threads."""
    N, (F, C, HH, WW) = len(x), w.shape
    product = F * C * WW * outputs[0] * outputs[1]
    many_small_ones = product < LARGE_PRODUCT and N * HH * product > MANY_PRODUCTS
    return cut(N, N * HH * product if many_small_ones else 0)


def _blocks(parts, x, w, rows, outputs):
    """Yield slices of the images of some parts whose strips hold about BLOCK numbers together; images are padded."""
    (C, H, _), WW = x.shape[1:], w.shape[3]
    size = max(1, BLOCK // max(1, C * WW * (H + 2 * rows) * outputs[1]))
    for _, first, last in parts:
        for start in range(first, last, size):
            yield slice(start, min(start + size, last))


def _padded(images, pad, dtype):
    """The images (n, C, H, W) with rows of zeros above and below, and columns left and right: pad is both."""
    (n, C, H, W), (top, left) = images.shape, pad
    padded = np.zeros((n, C, H + 2 * top, W + 2 * left), dtype=dtype)
    padded[:, :, top : top + H, left : left + W] = images
    return padded


def _places(window, stride, outputs):
    """For every place inside a window, the index of that place in all windows: x[index] is (N, C, H', W').

    There are few places in a window and many windows, so loops over places are short.
    """
    return [
        (..., slice(p, p + stride * outputs[0], stride), slice(q, q + stride * outputs[1], stride))
        for p in range(window[0])
        for q in range(window[1])
    ]


def notice(error):
    """One line that says why NumPy computes the fast layers here, and what makes them faster.

    error: what the import of the compiled module raised
    """
    binaries = [path.name for path in Path(__file__).parent.glob("fast_cython.*") if path.suffix in (".so", ".pyd")]
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
