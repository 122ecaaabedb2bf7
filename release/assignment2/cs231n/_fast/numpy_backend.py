"""Convolution and max pooling with NumPy's whole-array operations, for `fast_layers.py` without the compiled module.

A convolution is im2col and one matrix product for each image (see `im2col.py`). Images are processed in small blocks,
so that the columns of a block are still in the processor's cache when they are multiplied. NumPy's BLAS uses several
threads for a large product by itself; there are no other threads here.

Shapes: `N` images, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import math
from collections.abc import Iterator

import numpy as np

from cs231n._fast.im2col import col2im, im2col

BLOCK_BYTES = 2**20  # columns of one block; a processor's own cache is usually larger


def conv_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, pad: int, outputs: tuple, dtype: np.dtype
) -> np.ndarray:
    """Convolve x (N, C, H, W) with w (F, C, HH, WW), add b (F,), and return out (N, F, H', W')."""
    N, F = len(x), len(w)
    weights = flatten_filters(w, dtype)
    bias = b.astype(dtype)[:, np.newaxis]
    out = np.empty((N, F, outputs[0] * outputs[1]), dtype=dtype)
    for block in blocks(x, w, outputs, dtype):
        padded = pad_images(x[block], pad, stride, dtype)
        columns = im2col(padded, w.shape[2:], stride, outputs)
        np.matmul(weights, columns, out=out[block])
        out[block] += bias
    return out.reshape(N, F, *outputs)


def conv_backward(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int, pad: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients dx (N, C, H, W), dw (F, C, HH, WW) and db (F,) from dout (N, F, H', W')."""
    F, H_out, W_out = dout.shape[1:]
    H, W = x.shape[2:]
    weights = flatten_filters(w, dtype)
    dx = np.empty(x.shape, dtype=dtype)
    dweights = np.zeros(weights.shape, dtype=dtype)
    for block in blocks(x, w, (H_out, W_out), dtype):
        padded = pad_images(x[block], pad, stride, dtype)
        columns = im2col(padded, w.shape[2:], stride, (H_out, W_out))
        dproducts = dout[block].reshape(len(padded), F, H_out * W_out).astype(dtype, copy=False)
        dweights += (dproducts @ columns.swapaxes(1, 2)).sum(axis=0)
        dcolumns = np.matmul(weights.T, dproducts, out=columns)  # dw is done, so the memory of the columns is free
        dpadded = col2im(dcolumns, padded.shape, w.shape[2:], stride, (H_out, W_out))
        dx[block] = dpadded[:, :, pad : pad + H, pad : pad + W]
    return dx, dweights.reshape(w.shape), dout.sum(axis=(0, 2, 3), dtype=dtype)


def max_pool_forward(x: np.ndarray, window: tuple, stride: int, outputs: tuple) -> np.ndarray:
    """Return the largest entry of every window of x (N, C, H, W), as out (N, C, H', W')."""
    pixels = window_pixels(window, stride, outputs)
    out = x[pixels[0]].copy()
    for pixel in pixels[1:]:
        np.maximum(out, x[pixel], out=out)
    return out


def max_pool_backward(dout: np.ndarray, x: np.ndarray, out: np.ndarray, window: tuple, stride: int) -> np.ndarray:
    """Return dx (N, C, H, W) from dout (N, C, H', W'); equally large entries of a window share dout equally."""
    pixels = window_pixels(window, stride, out.shape[2:])
    count = np.zeros(out.shape, dtype=dout.dtype)
    for pixel in pixels:
        count += x[pixel] == out
    share = dout / count
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for pixel in pixels:
        dx[pixel] += share * (x[pixel] == out)
    return dx


def blocks(x: np.ndarray, w: np.ndarray, outputs: tuple, dtype: np.dtype) -> Iterator[slice]:
    """Yield slices of the batch whose columns take about BLOCK_BYTES together, one image at least."""
    bytes_per_image = math.prod(w.shape[1:]) * math.prod(outputs) * dtype.itemsize
    size = max(1, BLOCK_BYTES // max(1, bytes_per_image))
    for first in range(0, len(x), size):
        yield slice(first, first + size)


def flatten_filters(w: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the filters (F, C, HH, WW) as rows (F, C·HH·WW)."""
    F, C, HH, WW = w.shape
    return w.reshape(F, C * HH * WW).astype(dtype)


def pad_images(x: np.ndarray, pad: int, stride: int, dtype: np.dtype) -> np.ndarray:
    """Return the images with `pad` zeros on every side, and more zeros below up to a multiple of the stride."""
    N, C, H, W = x.shape
    rows = -(-(H + 2 * pad) // stride) * stride
    padded = np.zeros((N, C, rows, W + 2 * pad), dtype=dtype)
    padded[:, :, pad : pad + H, pad : pad + W] = x
    return padded


def window_pixels(window: tuple, stride: int, outputs: tuple) -> list[tuple]:
    """Return an index for each pixel (p, q) of a window: x[index] is (N, C, H', W'), that pixel of every window.

    A window has few pixels and an image has many windows, so a loop over pixels is short.
    """
    pixels = []
    for p in range(window[0]):
        for q in range(window[1]):
            rows = slice(p, p + stride * outputs[0], stride)
            columns = slice(q, q + stride * outputs[1], stride)
            pixels.append((..., rows, columns))
    return pixels
