"""The TensorFlow notebook's `complex_model` in NumPy and float64: the right model, and common wrong ones.

    x (N, 32, 32, 3) -> conv 7x7 -> ReLU -> spatial batch normalization -> max pool 2x2 -> affine -> ReLU -> affine

The judge needs no TensorFlow. This module computes no gradients; the judge measures them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograder.checks.catalogue import find_misconception
from autograder.checks.variants import Variant

EPS, MOMENTUM = 1e-5, 0.9
RUNNING = ("running_mean", "running_var")
F, M, C = 32, 1024, 10  # filters, hidden units, classes
WEAK = 4  # filters with nearly constant outputs, so that eps matters


@dataclass(frozen=True)
class ModelVersion:
    """A version of the model. The defaults are right.

    - order: "relu, norm", "norm, relu", or "norm" without the ReLU of the convolution
    - axes: the axes over which the moments are computed
    - batch: whether the moments of the batch normalize the values; None: only in training
    - roots: whether the model takes the root of the variance, in training and in testing
    """

    order: str = "relu, norm"
    axes: tuple[int, ...] = (0, 1, 2)
    batch: bool | None = None
    roots: tuple[bool, bool] = (True, True)
    eps: float = EPS
    scale: bool = True
    shift: bool = True
    pool: str = "max"
    channels_first: bool = False
    last_relu: bool = True
    softmax: bool = False


RIGHT = ModelVersion()


def draw_variables(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return float32 variables by name, with running averages as after a few steps of training."""
    strength = np.ones(F)
    strength[rng.permutation(F)[:WEAK]] = 0.02
    variables = {
        "conv_w": rng.normal(size=(7, 7, 3, F)) * np.sqrt(2 / 147) * strength,
        "conv_b": rng.normal(size=F) * 0.5 * strength,
        "gamma": 1 + 0.4 * rng.normal(size=F),
        "beta": 0.5 * rng.normal(size=F),
        "running_mean": rng.uniform(0.2, 0.9, size=F) * strength,
        "running_var": rng.uniform(0.4, 1.5, size=F) * strength**2,
        "affine1_w": rng.normal(size=(5408, M)) / np.sqrt(5408),
        "affine1_b": 0.3 * rng.normal(size=M),
        "affine2_w": rng.normal(size=(M, C)) * np.sqrt(2 / M),
        "affine2_b": 0.5 * rng.normal(size=C),
    }
    return {name: value.astype(np.float32) for name, value in variables.items()}


def model(x: np.ndarray, variables: Mapping[str, Any], training: bool, version: ModelVersion = RIGHT) -> np.ndarray:
    """Return the logits (N, 10) of images (N, 32, 32, 3)."""
    v = {name: np.asarray(value, dtype=np.float64) for name, value in variables.items()}
    hidden = _before_norm(x, v, version)
    of_batch = training if version.batch is None else version.batch
    if of_batch:
        mean, var = hidden.mean(axis=version.axes, keepdims=True), hidden.var(axis=version.axes, keepdims=True)
    else:
        mean, var = v["running_mean"], v["running_var"]
    std = np.sqrt(var + version.eps) if version.roots[0 if of_batch else 1] else var + version.eps
    hidden = (hidden - mean) / std
    hidden = hidden * v["gamma"] if version.scale else hidden
    hidden = hidden + v["beta"] if version.shift else hidden
    if version.order == "norm, relu":
        hidden = np.maximum(hidden, 0)
    windows = hidden.reshape(len(x), 13, 2, 13, 2, F)
    pooled = windows.max(axis=(2, 4)) if version.pool == "max" else windows.mean(axis=(2, 4))
    rows = (pooled.transpose(0, 3, 1, 2) if version.channels_first else pooled).reshape(len(x), -1)
    hidden = rows @ v["affine1_w"] + v["affine1_b"]
    hidden = np.maximum(hidden, 0) if version.last_relu else hidden
    logits = hidden @ v["affine2_w"] + v["affine2_b"]
    return softmax(logits) if version.softmax else logits


def moments(
    x: np.ndarray, variables: Mapping[str, Any], version: ModelVersion = RIGHT
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance (32,) of the input of batch normalization, over all pixels of all images."""
    hidden = _before_norm(
        x, {name: np.asarray(variables[name], dtype=np.float64) for name in ("conv_w", "conv_b")}, version
    )
    return hidden.mean(axis=(0, 1, 2)), hidden.var(axis=(0, 1, 2))


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the loss of every example, (N,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (N, C) of scores (N, C)."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _before_norm(x: np.ndarray, v: Mapping[str, np.ndarray], version: ModelVersion) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(x, dtype=np.float64), (7, 7), axis=(1, 2))
    columns = windows.reshape(-1, 3 * 49)  # (N·26·26, C·HH·WW)
    out = columns @ v["conv_w"].transpose(2, 0, 1, 3).reshape(-1, F) + v["conv_b"]
    out = out.reshape(len(x), 26, 26, F)
    return np.maximum(out, 0) if version.order == "relu, norm" else out


def _with_updated_averages(x: np.ndarray, variables: Mapping[str, Any], training: bool) -> np.ndarray:
    """Return the logits of a model that normalizes, also in training, with the updated running averages."""
    if training:
        new = dict(zip(RUNNING, moments(x, variables)))
        variables = dict(variables) | {name: update_average(variables[name], moment) for name, moment in new.items()}
    return model(x, variables, False)


def update_average(before: np.ndarray, moment: np.ndarray, momentum: float = MOMENTUM) -> np.ndarray:
    """Return a running average after one batch."""
    return momentum * before + (1 - momentum) * moment


def _make_variant(name: str, function: Callable[..., Any] | None = None, **changes: Any) -> Variant:
    wrong = function or partial(model, version=ModelVersion(**changes))
    return Variant(wrong, find_misconception("complex_model", name))


MODELS = (
    _make_variant("tf_no_last_relu", last_relu=False),
    _make_variant("tf_no_first_relu", order="norm"),
    _make_variant("tf_normalized_first", order="norm, relu"),
    _make_variant("tf_batch_statistics", batch=True),
    _make_variant("tf_running_in_training", batch=False),
    _make_variant("tf_running_in_training", _with_updated_averages),
    _make_variant("tf_no_root", roots=(False, False)),
    _make_variant("tf_no_root", roots=(True, False)),
    _make_variant("tf_no_eps", eps=0.0),
    _make_variant("tf_other_eps", eps=1e-3),
    _make_variant("tf_per_pixel", axes=(0,)),
    _make_variant("tf_per_image", axes=(1, 2)),
    _make_variant("tf_over_channels", axes=(0, 1, 2, 3)),
    _make_variant("tf_no_gamma", scale=False),
    _make_variant("tf_no_beta", shift=False),
    _make_variant("tf_no_gamma_no_beta", scale=False, shift=False),
    _make_variant("tf_average_pooling", pool="mean"),
    _make_variant("tf_channels_first", channels_first=True),
    _make_variant("tf_softmax_in_model", softmax=True),
)
