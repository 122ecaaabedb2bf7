"""The right losses of nets, as slopes are measured of them: forward passes alone, without any gradient."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cs231n.layers import affine_forward


def forward(net, X, normalize=None, masks=()):
    """The scores of a fully connected net, with what is normalized and dropped in the caller's hands.

    - net: the reference FullyConnectedNet, for its parameters
    - normalize: (a, gamma, beta, layer from 0) -> a, or None
    - masks: what each hidden layer's output is multiplied with
    """
    params, hidden = net.params, X
    for layer in range(1, net.num_layers):
        a, _ = affine_forward(hidden, params[f"W{layer}"], params[f"b{layer}"])
        if normalize:
            a = normalize(a, params[f"gamma{layer}"], params[f"beta{layer}"], layer - 1)
        hidden = np.maximum(0, a) * (masks[layer - 1] if len(masks) else 1)
    return affine_forward(hidden, params[f"W{net.num_layers}"], params[f"b{net.num_layers}"])[0]


def loss_of(net, scores, y):
    """The loss that belongs to a net's scores, with its regularization: to the last bit what the reference gives."""
    loss = _softmax_loss_alone(scores, y)
    if not net.reg:
        return loss
    weights = [value for name, value in net.params.items() if name.startswith("W")]
    return loss + 0.5 * net.reg * sum(np.sum(W**2) for W in weights)


def _softmax_loss_alone(scores, y):
    """The reference's softmax loss without its gradient, which takes as long again and no measured slope needs."""
    relative = scores - scores.max(axis=1, keepdims=True)
    log_p = relative - np.log(np.exp(relative).sum(axis=1, keepdims=True))
    return -(log_p[np.arange(len(y)), y].sum() / len(y))


def plain_loss(net, X, y):
    """The right loss of a net without dropout, whose batch normalization is in test mode.

    From the scores, because measuring a slope does not need the gradients that loss(X, y) computes as well.
    """
    return loss_of(net, net.loss(X), y)


@dataclass(frozen=True)
class LossByHand:
    """The right loss of a fully connected net: `normalize` and `masks` as in forward."""

    normalize: Callable | None = None
    masks: tuple[np.ndarray, ...] = ()

    def __call__(self, net, X, y):
        return loss_of(net, forward(net, X, self.normalize, self.masks), y)
