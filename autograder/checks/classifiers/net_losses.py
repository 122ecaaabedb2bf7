"""The right losses of nets for measuring slopes: forward passes only, without gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs231n.layers import affine_forward

Loss = Callable[[Any, np.ndarray, np.ndarray], float]  # (net of the reference, X, y) -> loss
Normalize = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]  # (a, gamma, beta, layer from 0)


def forward(net: Any, X: np.ndarray, normalize: Normalize | None = None, masks: Sequence[Any] = ()) -> np.ndarray:
    """Return the scores of a fully connected net with the given normalization and dropout masks.

    - net: the reference FullyConnectedNet, for its parameters
    - normalize: gives the normalized a of a hidden layer, or None
    - masks: the factors of each hidden layer's output
    """
    params, hidden = net.params, X
    for layer in range(1, net.num_layers):
        a, _ = affine_forward(hidden, params[f"W{layer}"], params[f"b{layer}"])
        if normalize:
            a = normalize(a, params[f"gamma{layer}"], params[f"beta{layer}"], layer - 1)
        hidden = np.maximum(0, a) * (masks[layer - 1] if len(masks) else 1)
    return affine_forward(hidden, params[f"W{net.num_layers}"], params[f"b{net.num_layers}"])[0]


def compute_loss(net: Any, scores: np.ndarray, y: np.ndarray) -> float:
    """Return the loss for a net's scores, with its regularization: bit for bit equal to the reference's loss."""
    loss = _softmax_loss_alone(scores, y)
    if not net.reg:
        return loss
    weights = [value for name, value in net.params.items() if name.startswith("W")]
    return loss + 0.5 * net.reg * sum(np.sum(W**2) for W in weights)


def _softmax_loss_alone(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the reference's softmax loss without the gradient, which doubles the time and is not needed here."""
    relative = scores - scores.max(axis=1, keepdims=True)
    log_p = relative - np.log(np.exp(relative).sum(axis=1, keepdims=True))
    return -(log_p[np.arange(len(y)), y].sum() / len(y))


def plain_loss(net: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Return the right loss of a net without dropout, whose batch normalization is in test mode.

    It uses the scores, because measuring a slope does not need the gradients that loss(X, y) computes too.
    """
    return compute_loss(net, net.loss(X), y)


@dataclass(frozen=True)
class LossByHand:
    """The right loss of a fully connected net with given `normalize` and `masks`; see forward."""

    normalize: Normalize | None = None
    masks: tuple[np.ndarray, ...] = ()

    def __call__(self, net: Any, X: np.ndarray, y: np.ndarray) -> float:
        """Return the loss of a batch."""
        return compute_loss(net, forward(net, X, self.normalize, self.masks), y)
