"""Wrong losses of a net with their own gradients, and regularization terms that count only some weights."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from autograder.checking.compare import agrees
from autograder.checks.catalogue import find_misconception
from autograder.checks.variants import Variant
from autograder.report.model import Diagnosis
from autograder.runtime.text import join_words
from cs231n.layers import softmax_loss


def scale_regularization(net: Any, X: np.ndarray, y: np.ndarray, factor: float) -> float:
    """Return the loss of the reference with its regularization term multiplied by `factor`."""
    reg = net.reg
    net.reg = factor * reg
    try:
        return net.loss(X, y)[0]
    finally:
        net.reg = reg


def _make_variant(name: str, function: Callable[..., Any]) -> Variant:
    """Return a wrong loss of the catalogue as a Variant; its text for one net is right for all nets."""
    return Variant(function, find_misconception("FullyConnectedNet", name))


# Wrong losses: without the ½, or of scores after a ReLU. A right gradient of such a loss gets its points.
# A loss without regularization is not among these: its gradient is the one of reg = 0, which has its own criterion.
NO_HALF = _make_variant("net_reg_no_half", lambda net, X, y: scale_regularization(net, X, y, 2.0))
RELU_ON_SCORES = _make_variant(
    "net_relu_on_scores",
    lambda net, X, y: (
        softmax_loss(np.maximum(0, net.loss(X)), y)[0] + net.loss(X, y)[0] - scale_regularization(net, X, y, 0.0)
    ),
)


def diagnose_uneven_regularization(net: Any, loss: Any, X: np.ndarray, y: np.ndarray) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a loss that counts one weight twice and another not at all.

    - net: the reference, with at most four weights
    - loss: the student's value of net.loss(X, y)
    """
    names = sorted(name for name in net.params if name.startswith("W"))
    data, squares = scale_regularization(net, X, y, 0.0), [np.sum(net.params[name] ** 2) for name in names]
    for counts in product((0, 1, 2), repeat=len(names)) if net.reg and len(names) <= 4 else ():
        uneven = len(set(counts)) > 1
        if uneven and agrees(loss, data + 0.5 * net.reg * np.dot(counts, squares), 1e-6):
            counted = [f"{name} {('not at all', '', 'twice')[n]}" for name, n in zip(names, counts) if n != 1]
            text = f"The regularization term counts {join_words(counted)}; it must count every weight once."
            return [Diagnosis("function", "uneven regularization", text)]
    return []
