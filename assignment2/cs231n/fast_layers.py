"""Fast convolution and max pooling, with the same results as the naive layers of `layers.py`.

After `python setup.py build_ext --inplace`, compiled loops compute them (`_fast/cython_backend.pyx`); otherwise NumPy's
whole-array operations do (`_fast/numpy_backend.py`). `BACKEND` is "cython" or "numpy". Both files explain their method.
This file checks the arguments, because compiled loops read memory without checks.

The columns of a whole batch are never in memory at once. The layers need a few megabytes in addition to the results,
for any number of images (more if numbers must be converted from one type to another).
No function here calls a layer that students write.

Shapes: `N` examples, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import operator
from collections.abc import Mapping

import numpy as np

from cs231n.shapes import output_size

Size = tuple[int, ...]  # height and width

try:
    import cs231n._fast.cython_backend as backend  # pyright: ignore[reportMissingImports]  (setup.py compiles it)

    BACKEND = "cython"
except Exception as error:  # usually ImportError, but a broken binary may raise anything
    import cs231n._fast.numpy_backend as backend
    from cs231n._fast.notice import explain_fallback, print_once

    BACKEND = "numpy"
    print_once(explain_fallback(error))


def conv_forward_fast(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict) -> tuple[np.ndarray, tuple]:
    """Convolution of images with filters, as `conv_forward_naive`.

    x: (N, C, H, W)
    w: (F, C, HH, WW)
    b: (F,)
    conv_param: dictionary with stride and pad

    Returns out (N, F, H', W') and a cache for `conv_backward_fast`. out is float32 if x and w are, else float64.
    Raises ValueError if the filters do not fit the images.
    """
    stride, pad, outputs = _conv_sizes("conv_forward_fast", x, w, conv_param)
    if b.shape != w.shape[:1]:
        raise ValueError(f"conv_forward_fast: b has shape {b.shape}; expected {w.shape[:1]}, one for each filter")
    out = backend.conv_forward(x, w, b, stride, pad, outputs, _common_type(x, w))
    return out, (x, w, conv_param)


def conv_backward_fast(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of the convolution, as `conv_backward_naive`.

    dout: (N, F, H', W')
    cache: from `conv_forward_fast`

    Returns dx (N, C, H, W), dw (F, C, HH, WW) and db (F,).
    Raises ValueError if dout does not have the shape of out.
    """
    x, w, conv_param = cache
    stride, pad, outputs = _conv_sizes("conv_backward_fast", x, w, conv_param)
    _check_dout("conv_backward_fast", dout, (x.shape[0], w.shape[0], *outputs))
    return backend.conv_backward(dout, x, w, stride, pad, _common_type(x, w, dout))


def max_pool_forward_fast(x: np.ndarray, pool_param: dict) -> tuple[np.ndarray, tuple]:
    """Max pooling, as `max_pool_forward_naive`.

    x: (N, C, H, W)
    pool_param: dictionary with pool_height, pool_width and stride

    Returns out (N, C, H', W') and a cache for `max_pool_backward_fast`.
    Raises ValueError if the windows do not fit the images.
    """
    window, stride, outputs = _pool_sizes("max_pool_forward_fast", x, pool_param)
    out = backend.max_pool_forward(x, window, stride, outputs)
    return out, (x, out, pool_param)


def max_pool_backward_fast(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of max pooling, as `max_pool_backward_naive`; equally large entries of a window share dout equally.

    dout: (N, C, H', W')
    cache: from `max_pool_forward_fast`

    Returns dx (N, C, H, W).
    Raises ValueError if dout does not have the shape of out, or x and pool_param do not give an out of that shape.
    """
    x, out, pool_param = cache
    window, stride, outputs = _pool_sizes("max_pool_backward_fast", x, pool_param)
    expected = (*x.shape[:2], *outputs)
    if out.shape != expected:  # compiled loops would read past its end
        raise ValueError(
            f"max_pool_backward_fast: out has shape {out.shape}, but x of shape {x.shape} and pool_param give "
            f"{expected}; did pool_param change after the forward pass?"
        )
    _check_dout("max_pool_backward_fast", dout, out.shape)
    return backend.max_pool_backward(dout, x, out, window, stride)


def _common_type(*arrays: np.ndarray) -> np.dtype:
    """Return the type to compute in: float32 if all arrays have it, else float64."""
    return np.dtype(np.float32 if np.result_type(*arrays) == np.float32 else np.float64)


def _conv_sizes(function: str, x: np.ndarray, w: np.ndarray, conv_param: Mapping[str, int]) -> tuple[int, int, Size]:
    """Return stride, padding and (H', W') of a convolution; raise ValueError if the shapes do not fit."""
    stride = operator.index(conv_param["stride"])
    pad = operator.index(conv_param["pad"])
    if w.shape[1] != x.shape[1]:
        raise ValueError(f"{function}: x has {x.shape[1]} channels and w expects {w.shape[1]}: {x.shape} and {w.shape}")
    if pad < 0:
        raise ValueError(f"{function}: pad is {pad}; expected 0 or more")
    stride, outputs = _window_counts(function, x.shape[2:], w.shape[2:], stride, pad)
    return stride, pad, outputs


def _pool_sizes(function: str, x: np.ndarray, pool_param: Mapping[str, int]) -> tuple[Size, int, Size]:
    """Return window, stride and (H', W') of a pooling; raise ValueError if the windows do not fit."""
    height = operator.index(pool_param["pool_height"])
    width = operator.index(pool_param["pool_width"])
    stride = operator.index(pool_param["stride"])
    stride, outputs = _window_counts(function, x.shape[2:], (height, width), stride, 0)
    return (height, width), stride, outputs


def _window_counts(function: str, image: Size, window: Size, stride: int, pad: int) -> tuple[int, Size]:
    """Return the stride and (H', W'); raise ValueError if the last windows do not end at the edge."""
    H_out = output_size(function, "height", image[0] + 2 * pad, window[0], stride)
    W_out = output_size(function, "width", image[1] + 2 * pad, window[1], stride)
    if H_out == W_out == 1:
        stride = 1  # with a single window the stride has no effect, and a huge one would waste memory
    return stride, (H_out, W_out)


def _check_dout(function: str, dout: np.ndarray | None, shape: Size) -> None:
    if dout is None:
        raise ValueError(f"{function}: dout is None; does the backward function of the layer above return its dx?")
    if dout.shape != shape:
        raise ValueError(f"{function}: dout has shape {dout.shape}; expected {shape}, the shape of out")
