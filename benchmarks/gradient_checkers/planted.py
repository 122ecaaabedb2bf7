"""The planted bugs: wrong backward functions, each with one mistake that people make."""

import numpy as np

from cs231n import layers

REG = 0.1


def relu_in_place(dout, x):
    dout[x <= 0] = 0
    return (dout,)


def row_db(dout, cache):
    dx, dw, db = layers.affine_backward(dout, cache)
    return dx, dw, db[None]


def relu_without_dout(dout, x):
    return ((x > 0) * np.ones_like(dout),)


def relu_partly_off(dout, x):
    dx = dout * (x > 0)
    dx[::25, ::25] *= 1.2
    return (dx,)


def relu_one_entry(dout, x):
    dx = dout * (x > 0)
    dx[31, 7] += 0.5 * dout[31, 7]
    return (dx,)


def square(x):
    return x**2, x


def square_steeper(dout, x):
    return (2.001 * x * dout,)


def scaled(backward, factor):
    """Return a backward function whose gradients are all this factor too large."""
    return lambda dout, cache: tuple(factor * gradient for gradient in backward(dout, cache))


def row_dropped(dout, cache):
    dx, dw, db = layers.affine_backward(dout, cache)
    dx[-1] = 0
    return dx, dw, db


def filter_transposed(dout, cache):
    dx, dw, db = layers.conv_backward_naive(dout, cache)
    return dx, dw.swapaxes(2, 3).copy(), db


def db_averaged(dout, cache):
    dx, dw, db = layers.affine_backward(dout, cache)
    return dx, dw, db / len(dout)


def pool_overwrites(dout, cache):
    x, _, param = cache
    height, width, stride = param["pool_height"], param["pool_width"], param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
        window = x[n, c, rows, columns]
        dx[n, c, rows, columns] = (window == window.max()) * dout[n, c, i, j]
    return (dx,)


def cropped_wrongly(dout, cache):
    dx, dw, db = layers.conv_backward_naive(dout, cache)
    shifted = np.zeros_like(dx)
    shifted[:, :, 1:, 1:] = dx[:, :, :-1, :-1]  # the border was cut off at one side only
    return shifted, dw, db


def dropout_unscaled(dout, cache):
    return (dout * (cache[1] > 0),)


def without_mean(dout, cache):
    _, deviation, x_hat, gamma = cache
    dx_hat = dout * gamma
    dx = (dx_hat - x_hat * (dx_hat * x_hat).mean(axis=0)) / deviation
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def without_variance(dout, cache):
    _, deviation, x_hat, gamma = cache
    dx_hat = dout * gamma
    return (dx_hat - dx_hat.mean(axis=0)) / deviation, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def regularized(w):
    loss, dw = layers.softmax_loss(w, np.arange(len(w)) % w.shape[1])
    return loss + 0.5 * REG * np.sum(w**2), dw


def unregularized(dout, dw):
    return (dout * dw,)


LAST = {}


def global_forward(x):
    LAST["x"] = x
    return np.maximum(x, 0), None


def global_backward(dout, _):
    return (dout * (LAST["x"] > 0),)


def float32_forward(x, w, b):
    return layers.affine_forward(*(array.astype(np.float32) for array in (x, w, b)))


def float32_backward(dout, cache):
    return layers.affine_backward(dout.astype(np.float32), cache)
