"""Eighteen planted bugs, and right code where checkers stumble: exact zeros, ties, float32, extreme sizes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cs231n import layers

from . import planted


@dataclass(frozen=True)
class Case:
    """A forward function, a claimed backward function, and inputs to try them on.

    - forward: inputs by position -> (out, cache), where out is an array or a number
    - backward: (dout, cache) -> tuple of gradients, one for each input
    - inputs: float64 arrays by name
    """

    name: str
    forward: Callable
    backward: Callable
    inputs: dict[str, np.ndarray]

    def value(self, *arrays):
        """Return out alone."""
        return self.forward(*arrays)[0]

    def fresh(self):
        """Return a copy of every input, in order."""
        return [np.array(value) for value in self.inputs.values()]

    def gradients(self, dout, arrays=None):
        """Return what backward claims after a forward pass."""
        _, cache = self.forward(*(arrays or self.fresh()))
        gradients = self.backward(dout, cache)
        return gradients if isinstance(gradients, tuple) else (gradients,)


def drawn(*shape, seed=0):
    """Return normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def tuples(backward):
    """Return a backward function that always returns a tuple of gradients, also if `backward` returns one array."""

    def wrapped(dout, cache):
        gradients = backward(dout, cache)
        return gradients if isinstance(gradients, tuple) else (gradients,)

    return wrapped


POOL = {"pool_height": 3, "pool_width": 3, "stride": 2}
CONV = {"stride": 1, "pad": 1}


def pool(x):
    return layers.max_pool_forward_naive(x, POOL)


def conv(x, w, b):
    return layers.conv_forward_naive(x, w, b, CONV)


def dropout(x):
    return layers.dropout_forward(x, {"p": 0.6, "mode": "train", "seed": 231})


def batchnorm(x, gamma, beta):
    return layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})


def softmax(scores):
    loss, dx = layers.softmax_loss(scores, np.arange(len(scores)) % scores.shape[1])
    return loss, dx


AFFINE = {"x": drawn(6, 5), "w": drawn(5, 4, seed=1), "b": drawn(4, seed=2)}
IMAGES = {"x": drawn(2, 2, 5, 5), "w": drawn(3, 2, 3, 3, seed=1), "b": drawn(3, seed=2)}
NORMED = {"x": 3 * drawn(8, 5) + 1, "gamma": drawn(5, seed=1) + 2, "beta": drawn(5, seed=2)}
LARGE = {"x": drawn(100, 100)}

BUGS = [
    Case("dout overwritten in place", layers.relu_forward, planted.relu_in_place, {"x": drawn(6, 5)}),
    Case("db of shape (1, M)", layers.affine_forward, planted.row_db, AFFINE),
    Case("ReLU ignores dout", layers.relu_forward, planted.relu_without_dout, {"x": drawn(6, 5)}),
    Case("20 % off in a few entries of a ReLU", layers.relu_forward, planted.relu_partly_off, LARGE),
    Case("one entry of 10,000 wrong", layers.relu_forward, planted.relu_one_entry, LARGE),
    Case("2.001 in place of 2", planted.square, planted.square_steeper, {"x": drawn(5, 4)}),
    Case("sign flipped", layers.affine_forward, planted.scaled(layers.affine_backward, -1), AFFINE),
    Case("N times too large", layers.affine_forward, planted.scaled(layers.affine_backward, 6), AFFINE),
    Case("one row dropped", layers.affine_forward, planted.row_dropped, AFFINE),
    Case("filter transposed", conv, planted.filter_transposed, IMAGES),
    Case("db averaged", layers.affine_forward, planted.db_averaged, AFFINE),
    Case("overlapping pools overwrite", pool, planted.pool_overwrites, {"x": drawn(2, 2, 7, 7)}),
    Case("padding cropped wrongly", conv, planted.cropped_wrongly, IMAGES),
    Case("dropout without its scale", dropout, planted.dropout_unscaled, {"x": drawn(6, 5)}),
    Case("batch norm without the mean's path", batchnorm, planted.without_mean, NORMED),
    Case("batch norm without the variance's path", batchnorm, planted.without_variance, NORMED),
    Case("regularization forgotten", planted.regularized, planted.unregularized, {"w": drawn(5, 4)}),
    Case("cache in a global variable", planted.global_forward, planted.global_backward, {"x": drawn(6, 5)}),
]

ZEROS = np.where(drawn(6, 5) > 0.3, drawn(6, 5), 0) - np.where(drawn(6, 5) < -0.8, 1, 0)
TIES = np.random.default_rng(0).integers(0, 3, size=(2, 2, 7, 7)).astype(float)
TINY = {"x": 1e-30 * AFFINE["x"], "w": AFFINE["w"], "b": 1e-30 * AFFINE["b"]}
HUGE = {"x": 1e30 * AFFINE["x"], "w": AFFINE["w"], "b": 1e30 * AFFINE["b"]}

RIGHT = [
    Case("ReLU at exact zeros", layers.relu_forward, tuples(layers.relu_backward), {"x": ZEROS}),
    Case("pooling with ties", pool, tuples(layers.max_pool_backward_naive), {"x": TIES}),
    Case("computed in float32", planted.float32_forward, planted.float32_backward, AFFINE),
    Case("values of 1e-30", layers.affine_forward, layers.affine_backward, TINY),
    Case("values of 1e+30", layers.affine_forward, layers.affine_backward, HUGE),
    Case("large softmax scores", softmax, lambda dout, dx: (dout * dx,), {"scores": 30 * drawn(6, 5) + 1000}),
]
