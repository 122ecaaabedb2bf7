"""What people do to the L2 regularization of a net, by name."""

from itertools import product

import numpy as np

from autograder.checks.gradients import Variant
from autograder.compare import agrees
from autograder.report import Diagnosis
from cs231n.layers import softmax_loss


def with_reg(net, X, y, factor):
    """The loss of the reference with its regularization term multiplied by `factor`."""
    reg = net.reg
    net.reg = factor * reg
    try:
        return net.loss(X, y)[0]
    finally:
        net.reg = reg


# What people add to a gradient where reg · W is due.
GRADIENT_MISTAKES = [
    (Diagnosis("gradient", name, text), term)
    for name, text, term in (
        ("no regularization", "The regularization term is missing from the gradient: add reg · W.", lambda v: 0 * v),
        ("sum of W", "The gradient of ½·reg·ΣW² is reg · W, entry by entry; no sum is left in it.", lambda v: v.sum()),
        ("half", "The gradient of ½·reg·ΣW² is reg · W: the ½ and the 2 of the square cancel.", lambda v: v / 2),
        ("twice", "The regularization term of the gradient is twice what is asked: add reg · W.", lambda v: 2 * v),
        (
            "not only weights",
            "reg · value is in this gradient too; only the weights are regularized.",
            lambda v: v,
        ),
    )
]

# A loss without the ½ has a gradient of its own, which may be right for it. A loss without any regularization has
# none to get right, so it is named but is no ground for credit. Scores that went through a ReLU have one.
NO_HALF = Variant(
    "no half",
    lambda net, X, y: with_reg(net, X, y, 2.0),
    "The regularization term is twice what is asked: the factor ½ is missing.",
)
RELU_ON_SCORES = Variant(
    "ReLU on the scores",
    lambda net, X, y: softmax_loss(np.maximum(0, net.loss(X)), y)[0] + net.loss(X, y)[0] - with_reg(net, X, y, 0.0),
    "The scores went through a ReLU; after the last affine layer there is none.",
)
NO_REG = Variant(
    "no regularization",
    lambda net, X, y: with_reg(net, X, y, 0.0),
    "The loss does not change with reg: the regularization term is missing from it.",
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
            text = f"The regularization term counts {' and '.join(said)}; every weight belongs in it once."
            return [Diagnosis("function", "uneven regularization", text)]
    return []
