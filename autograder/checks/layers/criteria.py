"""The criteria of a layer: those of its forward function and those of its backward function."""

from autograder.checking.criteria import Checks
from autograder.checks.layers.backward import add_backward_criteria
from autograder.checks.layers.forward import add_forward_criteria
from autograder.checks.layers.layer import Layer


def add_layer_criteria(
    checks: Checks,
    layer: Layer,
    forward_weights: tuple[float, float] = (4, 0.5),
    gradient_weight: float = 2,
    edge_weight: float = 0.5,
) -> None:
    """Add the criteria of a layer's forward function and of its backward function.

    - forward_weights: the weights of the criteria "values" and "arguments unchanged"
    - gradient_weight: the weight of the criterion of each gradient
    - edge_weight: the weight of each other criterion of the backward function
    """
    add_forward_criteria(checks, layer, *forward_weights)
    add_backward_criteria(checks, layer, gradient_weight, edge_weight)
