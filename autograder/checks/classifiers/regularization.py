"""Wrong losses of a net that have a gradient of their own, and regularization that counts some weights only."""

from itertools import product

import numpy as np

from autograder.checks.gradients import Variant
from autograder.checks.pack import misconception
from autograder.compare import agrees
from autograder.report import Diagnosis
from autograder.words import listed
from cs231n.layers import softmax_loss


def with_reg(net, X, y, factor):
    """The loss of the reference with its regularization term multiplied by `factor`."""
    reg = net.reg
    net.reg = factor * reg
    try:
        return net.loss(X, y)[0]
    finally:
        net.reg = reg


def _known(name, function):
    """A wrong loss that the catalogue knows, as a Variant; what it says of one net holds for all."""
    return Variant(function, misconception("FullyConnectedNet", name))


# A loss without the ½ has a gradient of its own, which may be right for it. Scores that went through a ReLU have one.
# A loss without any regularization has none to get right, so it is no ground for credit and not among these.
NO_HALF = _known("net_reg_no_half", lambda net, X, y: with_reg(net, X, y, 2.0))
RELU_ON_SCORES = _known(
    "net_relu_on_scores",
    lambda net, X, y: softmax_loss(np.maximum(0, net.loss(X)), y)[0] + net.loss(X, y)[0] - with_reg(net, X, y, 0.0),
)


def uneven_regularization(net, loss, X, y):
    """The Diagnosis, in a list, of a loss that counts one weight twice and another not at all; else an empty list.

    - net: the reference, with at most four weights
    - loss: what came in the place of net.loss(X, y)
    """
    names = sorted(name for name in net.params if name.startswith("W"))
    data, squares = with_reg(net, X, y, 0.0), [np.sum(net.params[name] ** 2) for name in names]
    for counts in product((0, 1, 2), repeat=len(names)) if net.reg and len(names) <= 4 else ():
        uneven = len(set(counts)) > 1
        if uneven and agrees(loss, data + 0.5 * net.reg * np.dot(counts, squares), 1e-6):
            said = [f"{name} {('not at all', '', 'twice')[n]}" for name, n in zip(names, counts) if n != 1]
            text = f"The regularization term counts {listed(said)}; every weight belongs in it once."
            return [Diagnosis("function", "uneven regularization", text)]
    return []
