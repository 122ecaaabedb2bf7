"""Criteria of both functions of a layer."""

from autograder.checking.criteria import Checks
from autograder.checks.layers.backward import state_backward
from autograder.checks.layers.forward import state_forward
from autograder.checks.layers.layer import Layer


def state_layer(
    checks: Checks,
    layer: Layer,
    forward_weights: tuple[float, float] = (4, 0.5),
    gradient_weight: float = 2,
    edge_weight: float = 0.5,
) -> None:
    """State the criteria of the forward function and of the backward function."""
    state_forward(checks, layer, *forward_weights)
    state_backward(checks, layer, gradient_weight, edge_weight)
