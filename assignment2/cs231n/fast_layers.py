"""Convolution and max pooling, fast: the same results as the naive layers of `layers.py`.

Compiled loops do the work where `python setup.py build_ext --inplace` has been run (`fast_cython.pyx`), and NumPy's
whole-array operations otherwise (`fast_numpy.py`); `BACKEND` says which: "cython" or "numpy". Both files explain how.
This one checks what it is given, since compiled loops trust their indices.

A batch is never copied into columns: memory beyond the results is a few megabytes, however many images there are
(unless numbers have to be turned from one type into another).
Nothing here calls layers that students write.

Shapes: `N` examples, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import operator

import numpy as np

from cs231n.im2col import output_size

try:
    import cs231n.fast_cython as backend

    BACKEND = "cython"
except Exception as error:  # ImportError as a rule, but a broken binary may raise anything
    import cs231n.fast_numpy as backend

    BACKEND = "numpy"
    backend.announce(backend.notice(error))


def conv_forward_fast(x, w, b, conv_param):
    """Convolution of images with filters, as `conv_forward_naive`.

    x: (N, C, H, W)
    w: (F, C, HH, WW)
    b: (F,)
    conv_param: dictionary with stride and pad; and need_dx, True unless it says False, which saves `conv_backward_fast`
        a third of its work in a first layer

    Returns out (N, F, H', W') and a cache for `conv_backward_fast`. It is float32 if x and w are, else float64.
    Raises ValueError where the filters do not fit the images.
    """
    stride, pad, outputs = _sizes("conv_forward_fast", x, w, conv_param)
    if b.shape != w.shape[:1]:
        raise ValueError(f"conv_forward_fast: b has shape {b.shape}; expected {w.shape[:1]}, one for each filter")
    return backend.conv_forward(x, w, b, stride, pad, outputs, _precision(x, w)), (x, w, conv_param)


def conv_backward_fast(dout, cache):
    """Gradients of the convolution, as `conv_backward_naive`.

    dout: (N, F, H', W')
    cache: from `conv_forward_fast`

    Returns dx (N, C, H, W), or None if conv_param says need_dx False; dw (F, C, HH, WW); and db (F,).
    Raises ValueError where dout has not the shape of out.
    """
    x, w, conv_param = cache
    stride, pad, outputs = _sizes("conv_backward_fast", x, w, conv_param)
    _expect("conv_backward_fast", dout, (x.shape[0], w.shape[0], *outputs))
    return backend.conv_backward(dout, x, w, stride, pad, _precision(x, w, dout), conv_param.get("need_dx", True))


def max_pool_forward_fast(x, pool_param):
    """Max pooling, as `max_pool_forward_naive`.

    x: (N, C, H, W)
    pool_param: dictionary with pool_height, pool_width and stride

    Returns out (N, C, H', W') and a cache for `max_pool_backward_fast`.
    Raises ValueError where the windows do not fit the images.
    """
    window, stride, outputs = _pooling("max_pool_forward_fast", x, pool_param)
    out = backend.max_pool_forward(x, window, stride, outputs)
    return out, (x, out, pool_param)


def max_pool_backward_fast(dout, cache):
    """Gradient of max pooling, as `max_pool_backward_naive`; equally large entries of a window share dout equally.

    dout: (N, C, H', W')
    cache: from `max_pool_forward_fast`

    Returns dx (N, C, H, W).
    Raises ValueError where dout has not the shape of out, or out not the one that x and pool_param give.
    """
    x, out, pool_param = cache
    window, stride, outputs = _pooling("max_pool_backward_fast", x, pool_param)
    if out.shape != (*x.shape[:2], *outputs):  # compiled loops would read behind its end
        raise ValueError(
            f"max_pool_backward_fast: out has shape {out.shape}, but {(*x.shape[:2], *outputs)} is what x of shape "
            f"{x.shape} and pool_param give; did pool_param change after the forward pass?"
        )
    _expect("max_pool_backward_fast", dout, out.shape)
    return backend.max_pool_backward(dout, x, out, window, stride)


def _precision(*arrays):
    """The type to compute in: float32 where all arrays have it, else float64."""
    return np.dtype(np.float32 if np.result_type(*arrays) == np.float32 else np.float64)


def _sizes(function, x, w, conv_param):
    """Stride, padding and (H', W') of a convolution; ValueError where there is none."""
    stride, pad = operator.index(conv_param["stride"]), operator.index(conv_param["pad"])
    if w.shape[1] != x.shape[1]:
        raise ValueError(f"{function}: x has {x.shape[1]} channels and w expects {w.shape[1]}: {x.shape} and {w.shape}")
    if pad < 0:
        raise ValueError(f"{function}: pad is {pad}; expected 0 or more")
    stride, outputs = _steps(function, x.shape[2:], w.shape[2:], stride, pad)
    return stride, pad, outputs


def _pooling(function, x, pool_param):
    """Height and width of a window, stride and (H', W') of a pooling; ValueError where there is none."""
    height, width, stride = (operator.index(pool_param[name]) for name in ("pool_height", "pool_width", "stride"))
    return (height, width), *_steps(function, x.shape[2:], (height, width), stride, 0)


def _steps(function, image, window, stride, pad):
    """Stride, and number of windows down and across; ValueError where the last ones would not end with the image."""
    sizes = zip(("height", "width"), image, window)
    outputs = tuple(output_size(function, axis, size + 2 * pad, across, stride) for axis, size, across in sizes)
    return 1 if outputs == (1, 1) else stride, outputs  # from one window no stride leads to another


def _expect(function, dout, shape):
    if dout is None:
        raise ValueError(f"{function}: dout is None; does the conv_param of the layer above say need_dx False?")
    if dout.shape != shape:
        raise ValueError(f"{function}: dout has shape {dout.shape}; expected {shape}, which is the shape of out")
