"""Convolution and max pooling, fast: the same results as the naive layers of `layers.py`, from whole-array operations.

A convolution is one matrix product on columns (see `im2col.py`). The columns of a whole batch can be larger than the
memory of a laptop, so images are taken in blocks whose columns fit the processor's cache, which is faster as well.

im2col and col2im come compiled where `python setup.py build_ext --inplace` has been run, and from NumPy otherwise;
`BACKEND` says which: "cython" or "numpy". Nothing here calls layers that students write.

Shapes: `N` examples, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import numpy as np

from cs231n.im2col import output_size, window_places

try:
    from cs231n.im2col_cython import col2im, im2col

    BACKEND = "cython"
except Exception as error:  # ImportError as a rule, but a broken binary may raise anything
    from cs231n.im2col import announce, col2im, im2col, numpy_notice

    BACKEND = "numpy"
    announce(numpy_notice(error))

BLOCK = 2**19  # numbers in the columns of one block of images: 4 MB in float64


def conv_forward_fast(x, w, b, conv_param):
    """Convolution of images with filters, as `conv_forward_naive`.

    x: (N, C, H, W)
    w: (F, C, HH, WW)
    b: (F,)
    conv_param: dictionary with stride and pad

    Returns out (N, F, H', W') and a cache for `conv_backward_fast`.
    Raises ValueError where the filters do not fit the images.
    """
    stride, pad = conv_param["stride"], conv_param["pad"]
    (N, C, H, W), (F, channels, HH, WW) = x.shape, w.shape
    if channels != C:
        raise ValueError(f"conv_forward_fast: x has {C} channels and w expects {channels}: {x.shape} and {w.shape}")
    H_out = output_size("conv_forward_fast", "height", H + 2 * pad, HH, stride)
    W_out = output_size("conv_forward_fast", "width", W + 2 * pad, WW, stride)

    out = np.empty((N, F, H_out, W_out), dtype=_precision(x, w))
    filters = w.reshape(F, C * HH * WW).astype(out.dtype, copy=False)
    for block in _blocks(N, C * HH * WW * H_out * W_out):
        columns = im2col(_padded(x[block], pad, out.dtype), HH, WW, stride)
        products = filters @ columns + b[:, np.newaxis]
        out[block] = products.reshape(F, -1, H_out, W_out).transpose(1, 0, 2, 3)
    return out, (x, w, conv_param)


def conv_backward_fast(dout, cache):
    """Gradients of the convolution, as `conv_backward_naive`.

    dout: (N, F, H', W')
    cache: from `conv_forward_fast`

    Returns dx (N, C, H, W), dw (F, C, HH, WW) and db (F,).
    """
    x, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    (N, C, H, W), (F, _, HH, WW) = x.shape, w.shape

    dx = np.empty(x.shape, dtype=_precision(x, w, dout))
    filters = w.reshape(F, C * HH * WW).astype(dx.dtype, copy=False)
    dfilters = np.zeros_like(filters)
    for block in _blocks(N, C * HH * WW * dout.shape[2] * dout.shape[3]):
        # The columns are made once more: to keep them from the forward pass would take HH·WW times the memory of x.
        images = _padded(x[block], pad, dx.dtype)
        dproducts = dout[block].transpose(1, 0, 2, 3).reshape(F, -1).astype(dx.dtype, copy=False)
        dfilters += dproducts @ im2col(images, HH, WW, stride).T
        dimages = col2im(filters.T @ dproducts, images.shape, HH, WW, stride)
        dx[block] = dimages[:, :, pad : pad + H, pad : pad + W]
    return dx, dfilters.reshape(w.shape), dout.sum(axis=(0, 2, 3))


def max_pool_forward_fast(x, pool_param):
    """Max pooling, as `max_pool_forward_naive`: one comparison of whole images for every place in a window.

    x: (N, C, H, W)
    pool_param: dictionary with pool_height, pool_width and stride

    Returns out (N, C, H', W') and a cache for `max_pool_backward_fast`.
    Raises ValueError where the windows do not fit the images.
    """
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    H_out = output_size("max_pool_forward_fast", "height", x.shape[2], height, stride)
    W_out = output_size("max_pool_forward_fast", "width", x.shape[3], width, stride)
    out = None
    for _, _, places in window_places(H_out, W_out, height, width, stride):
        out = x[places].copy() if out is None else np.maximum(out, x[places], out=out)
    return out, (x, out, pool_param)


def max_pool_backward_fast(dout, cache):
    """Gradient of max pooling, as `max_pool_backward_naive`; equally large entries of a window share dout equally.

    dout: (N, C, H', W')
    cache: from `max_pool_forward_fast`

    Returns dx (N, C, H, W).
    """
    x, out, pool_param = cache
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    windows = [places for _, _, places in window_places(*out.shape[2:], height, width, stride)]
    largest = np.zeros(out.shape, dtype=dout.dtype)
    for places in windows:
        largest += x[places] == out
    share = dout / largest
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for places in windows:
        dx[places] += share * (x[places] == out)
    return dx


def _precision(*arrays):
    """The type to compute in: float32 where all arrays have it, else float64."""
    return np.float32 if np.result_type(*arrays) == np.float32 else np.float64


def _blocks(N, numbers):
    """Split N images, each with so many numbers in its columns, into slices of about BLOCK numbers."""
    size = max(1, BLOCK // numbers)
    return [slice(start, start + size) for start in range(0, N, size)]


def _padded(images, pad, dtype):
    """The images with `pad` rows and columns of zeros on every side."""
    return np.pad(images.astype(dtype, copy=False), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
