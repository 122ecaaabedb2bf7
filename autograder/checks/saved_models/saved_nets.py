"""Nets of the reference, rebuilt from the arrays of a saved model: the shapes of the arrays give all dimensions.

`N` examples, `F` filters of `HH × WW`, `C × H × W` = 3 × 32 × 32 images, 10 classes.
"""

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.classifiers.fc_net import FullyConnectedNet

C, H, W = IMAGE = (3, 32, 32)
CLASSES = 10
NORMALIZED = ("gamma", "beta", "running_mean", "running_var")  # arrays of each hidden layer, in addition to W and b
MAX_PRODUCTS = 50e6  # for one image; then 2,000 images take about ten seconds of one core
MOVED = 10  # the cost, in products, of copying one number for a convolution
BLOCK = 2**21  # numbers in one layer's output for one block of images: 16 MB
BLOCK_PRODUCTS = 2e9
TINY = 1e-30  # a smaller parameter becomes 0: numbers near the end of the float range are a hundred times slower


class NetMismatch(ValueError):
    """The arrays are not those of the expected net; the message says why in one sentence."""


class SavedNet:
    """A net that scores images; `widest` is the length of its longest layer for one image."""

    def __init__(self, make: Callable[[], Any], arrays: dict[str, np.ndarray], products: int, widest: int) -> None:
        if products > MAX_PRODUCTS:
            raise NetMismatch(
                f"the net is too large: it needs {products:,.0f} multiplications for one image; expected at most "
                f"{MAX_PRODUCTS:,.0f}. Train one with fewer units or filters."
            )
        self._net, self._block = make(), int(max(1, min(BLOCK // widest, BLOCK_PRODUCTS // products)))
        params = {name: arrays[name].astype(np.float64) for name in self._net.params}
        self._net.params = {name: np.where(np.abs(value) < TINY, 0, value) for name, value in params.items()}

    def scores(self, X: np.ndarray, seconds: float = np.inf) -> np.ndarray:
        """Return the scores (N, 10) of images X (N, 3, 32, 32) in test mode; they may be infinite or nan.

        Raise TimeoutError after this many seconds of processor time.
        """
        deadline, scores = time.process_time() + seconds, []
        with np.errstate(all="ignore"):
            for start in range(0, len(X), self._block):
                if time.process_time() > deadline:
                    raise TimeoutError
                scores.append(self._net.loss(X[start : start + self._block]))
        return np.concatenate(scores)


def rebuild_fully_connected(arrays: dict[str, np.ndarray]) -> SavedNet:
    """Return a FullyConnectedNet (a TwoLayerNet is one with two layers) as a SavedNet; raise NetMismatch."""
    if "W1" in arrays and arrays["W1"].ndim == 4:
        raise NetMismatch(
            f"this is a convolutional net: W1 has shape {arrays['W1'].shape}; expected a fully connected net, "
            f"whose W1 has shape ({C * H * W}, units)."
        )
    L = max((layer for layer in range(1, len(arrays) + 1) if f"W{layer}" in arrays), default=1)
    hidden = range(1, L)
    use_batchnorm = any(re.fullmatch(rf"({'|'.join(NORMALIZED)})\d+", name) for name in arrays)
    normalized = [f"{name}{layer}" for layer in hidden for name in NORMALIZED if use_batchnorm]
    _expect_names(arrays, [f"{name}{layer}" for layer in range(1, L + 1) for name in "Wb"] + normalized)

    dims = [C * H * W]
    for layer in range(1, L + 1):
        origin = f"an image has {dims[0]} numbers" if layer == 1 else f"W{layer - 1} gives {dims[-1]} outputs"
        dims.append(_expect_matrix(arrays, f"W{layer}", dims[-1], origin, last=layer == L))
        for name in ("b", *(NORMALIZED if use_batchnorm and layer < L else ())):
            _expect_shape(arrays, f"{name}{layer}", (dims[-1],), f"one for each output of W{layer}")

    def make() -> FullyConnectedNet:
        net = FullyConnectedNet(dims[1:-1], dims[0], CLASSES, use_batchnorm=use_batchnorm, dtype=np.float64)
        for layer, bn_param in enumerate(net.bn_params, start=1):
            bn_param |= {name: arrays[f"{name}{layer}"].astype(np.float64) for name in NORMALIZED[2:]}
        return net

    return SavedNet(make, arrays, sum(a * b for a, b in zip(dims, dims[1:])), max(dims))


def rebuild_convolutional(arrays: dict[str, np.ndarray]) -> SavedNet:
    """Return a ThreeLayerConvNet as a SavedNet; raise NetMismatch."""
    if "W1" in arrays and arrays["W1"].ndim == 2:
        raise NetMismatch(
            f"this is a fully connected net: W1 has shape {arrays['W1'].shape}; expected a ThreeLayerConvNet, "
            f"whose W1 has shape (F, {C}, HH, WW)."
        )
    _expect_names(arrays, ["W1", "b1", "W2", "b2", "W3", "b3"])
    shape = arrays["W1"].shape
    if len(shape) != 4 or shape[1] != C or shape[2] != shape[3] or shape[2] % 2 == 0 or shape[2] >= H:
        raise NetMismatch(
            f"W1 has shape {shape}; expected (F, {C}, HH, WW): filters for {C} colours, HH = WW odd and below {H}"
        )
    F, _, HH, WW = shape
    pooled = F * (H // 2) * (W // 2)
    _expect_shape(arrays, "b1", (F,), "one for each filter in W1")
    units = _expect_matrix(arrays, "W2", pooled, f"{F} filters in W1 give 16 × 16 numbers each after pooling")
    _expect_shape(arrays, "b2", (units,), "one for each output of W2")
    _expect_matrix(arrays, "W3", units, f"W2 gives {units} outputs", last=True)
    _expect_shape(arrays, "b3", (CLASSES,), "one for each class")
    products = H * W * (F + MOVED) * C * HH * WW + pooled * units + units * CLASSES
    return SavedNet(
        lambda: ThreeLayerConvNet(IMAGE, F, HH, units, CLASSES, dtype=np.float64), arrays, products, F * H * W
    )


def _expect_names(arrays: dict[str, np.ndarray], expected: list[str]) -> None:
    missing, surplus = [n for n in expected if n not in arrays], [n for n in arrays if n not in expected]
    for names, fault in ((missing, "is missing"), (surplus, "does not belong to this net")):
        if not names:
            continue
        text = f"{', '.join(names[:6])}{' ...' if len(names) > 6 else ''} {fault}"
        if any(name.startswith("running") for name in missing):
            text += "; batch normalization needs its running averages at test time"
        raise NetMismatch(f"{text}. The file contains {', '.join(list(arrays)[:12])}; save the net with save_model.")


def _expect_shape(arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...], origin: str) -> None:
    if arrays[name].shape != shape:
        raise NetMismatch(f"{name} has shape {arrays[name].shape}; expected {shape}, {origin}")


def _expect_matrix(arrays: dict[str, np.ndarray], name: str, inputs: int, origin: str, last: bool = False) -> int:
    """Return the number of outputs of a weight matrix; raise NetMismatch if its shape is wrong."""
    shape = arrays[name].shape
    if len(shape) != 2 or shape[0] != inputs or (last and shape[1] != CLASSES):
        outputs, classes = (CLASSES, f", and there are {CLASSES} classes") if last else ("outputs", "")
        hint = ". Is it transposed?" if len(shape) == 2 and shape[1] == inputs else ""
        raise NetMismatch(f"{name} has shape {shape}; expected ({inputs}, {outputs}): {origin}{classes}{hint}")
    return shape[1]
