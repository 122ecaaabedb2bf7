"""Checks of cs231n/classifiers/fc_net.py: TwoLayerNet, and FullyConnectedNet without batch norm and dropout."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.checking.criteria import Checks, Outcome, Trial
from autograder.checks.classifiers.initial_parameters import expect_initial_parameters
from autograder.checks.classifiers.large_loss import add_large_loss
from autograder.checks.classifiers.net_trial import NetClass, NetTrial
from autograder.checks.classifiers.regularization import NO_HALF, RELU_ON_SCORES
from autograder.checks.outcomes import combine_outcomes
from cs231n.classifiers import fc_net as reference

CHECKS = Checks()

MODULE = "cs231n.classifiers.fc_net"
TWO_LAYERS = NetClass(f"{MODULE}:TwoLayerNet", reference.TwoLayerNet)
DEEP = NetClass(f"{MODULE}:FullyConnectedNet", reference.FullyConnectedNet)
SHAPE, D, C = (3, 4), 12, 5
NO_GRADIENT = ("parameters", "scores", "loss", "regularized loss")  # criteria that need no gradient
WITH_GRADIENT = (NO_HALF, RELU_ON_SCORES)  # wrong losses; a right gradient of one of them gets its points


def _make_two_layers(trial: Trial, reg: float = 0.0, **options: Any) -> NetTrial:
    options = {"input_dim": D, "hidden_dim": 9, "num_classes": C, "reg": reg} | options
    return NetTrial(trial, TWO_LAYERS, **options)


def make_deep(trial: Trial, hidden_dims: list[int], reg: float = 0.0, **options: Any) -> NetTrial:
    """Return the NetTrial of a FullyConnectedNet, in float64 so that numeric gradients are precise."""
    options = {"hidden_dims": hidden_dims, "input_dim": D, "num_classes": C, "reg": reg, "dtype": np.float64} | options
    return NetTrial(trial, DEEP, **options)


@CHECKS.criterion("TwoLayerNet", "parameters", 2)
def two_parameters(trial: Trial) -> None:
    """W1, b1, W2, b2 have the right shapes; weights have standard deviation weight_scale, and biases are 0."""
    expect_initial_parameters(
        trial, lambda **o: _make_two_layers(trial, input_dim=60, hidden_dim=50, num_classes=40, **o)
    )


@CHECKS.criterion("TwoLayerNet", "scores", 2)
def two_scores(trial: Trial) -> Outcome:
    """loss(X) without y returns the scores."""
    net = _make_two_layers(trial)
    net.share_parameters()
    return net.expect_scores(net.batch(6, SHAPE, C)[0])


@CHECKS.criterion("TwoLayerNet", "loss", 1)
def two_loss(trial: Trial) -> Outcome:
    """The loss is right without regularization."""
    net = _make_two_layers(trial)
    net.share_parameters()
    return net.expect_loss(*net.batch(6, SHAPE, C))


@CHECKS.criterion("TwoLayerNet", "regularized loss", 1)
def two_regularized_loss(trial: Trial) -> Outcome:
    """The loss with reg > 0 adds ½·reg·ΣW² for both weights, and nothing for the biases."""
    net = _make_two_layers(trial, reg=0.7)
    net.share_parameters()
    return net.expect_loss(*net.batch(6, SHAPE, C))


def _add_two_layer_gradient(name: str) -> None:
    @CHECKS.criterion("TwoLayerNet", f"d{name}", 1, text=f"The gradient of {name} is right without regularization.")
    def gradient(trial: Trial) -> Outcome:
        net = _make_two_layers(trial)
        net.share_parameters()
        return net.expect_gradients(*net.batch(6, SHAPE, C), [name], WITH_GRADIENT)


for _name in ("W1", "b1", "W2", "b2"):
    _add_two_layer_gradient(_name)


@CHECKS.criterion("TwoLayerNet", "regularized gradients", 2)
def two_regularized_gradients(trial: Trial) -> Outcome:
    """All gradients are right with reg > 0."""
    net = _make_two_layers(trial, reg=0.7)
    names = net.share_parameters()
    return net.expect_gradients(*net.batch(6, SHAPE, C), names, WITH_GRADIENT)


@CHECKS.criterion("TwoLayerNet", "one example", 0.5, edge=True)
def two_one_example(trial: Trial) -> Outcome:
    """Loss and gradients are right with a single example, N = 1."""
    net = _make_two_layers(trial)
    names = net.share_parameters()
    batch = net.batch(1, SHAPE, C)
    net.expect_loss(*batch)
    return net.expect_gradients(*batch, names, WITH_GRADIENT)


@CHECKS.criterion("TwoLayerNet", "called again", 0.5, edge=True)
def two_called_again(trial: Trial) -> None:
    """Repeated calls on one batch give the same loss and gradients, and the parameters are unchanged."""
    net = _make_two_layers(trial, reg=0.3)
    names = net.share_parameters()
    net.expect_repeatable(*net.batch(5, SHAPE, C), names, WITH_GRADIENT)


LARGE = {"N": 2, "shape": (20, 50), "input_dim": 1000, "num_classes": C}
add_large_loss(CHECKS, TWO_LAYERS, without_gradient=NO_GRADIENT, hidden_dim=400, **LARGE)


DEPTHS = ([9], [8, 7], [9, 6, 8, 5, 7])


@CHECKS.criterion("FullyConnectedNet", "parameters", 2)
def deep_parameters(trial: Trial) -> None:
    """W and b of every layer have the right shapes; weights have standard deviation weight_scale, and biases are 0."""
    expect_initial_parameters(trial, lambda **o: make_deep(trial, [50, 40, 45], input_dim=60, num_classes=40, **o))


@CHECKS.criterion("FullyConnectedNet", "scores", 2)
def deep_scores(trial: Trial) -> Outcome:
    """loss(X) without y returns the scores, for one, two and five hidden layers."""

    def scores(hidden_dims: list[int]) -> Outcome:
        net = make_deep(trial, hidden_dims)
        net.share_parameters()
        return net.expect_scores(net.batch(6, SHAPE, C)[0])

    return combine_outcomes([scores(dims) for dims in DEPTHS])


@CHECKS.criterion("FullyConnectedNet", "loss", 1)
def deep_loss(trial: Trial) -> Outcome:
    """The loss is right without regularization."""

    def loss(hidden_dims: list[int]) -> Outcome:
        net = make_deep(trial, hidden_dims)
        net.share_parameters()
        return net.expect_loss(*net.batch(6, SHAPE, C))

    return combine_outcomes([loss(dims) for dims in DEPTHS])


@CHECKS.criterion("FullyConnectedNet", "regularized loss", 2)
def deep_regularized_loss(trial: Trial) -> Outcome:
    """The loss with reg > 0 adds ½·reg·ΣW² for the weights of every layer, including the last."""

    def loss(hidden_dims: list[int]) -> Outcome:
        net = make_deep(trial, hidden_dims, reg=0.4)
        net.share_parameters()
        return net.expect_loss(*net.batch(6, SHAPE, C))

    return combine_outcomes([loss(dims) for dims in DEPTHS])


def _check_deep_gradients(
    trial: Trial, kind: str | tuple[str, ...], reg: float = 0.0, N: int = 6, depths: Sequence[list[int]] = DEPTHS
) -> Outcome:
    found = []
    for hidden_dims in depths:
        net = make_deep(trial, hidden_dims, reg=reg)
        names = [name for name in net.share_parameters() if name.startswith(kind)]
        found.append(net.expect_gradients(*net.batch(N, SHAPE, C), names, WITH_GRADIENT))
    return combine_outcomes(found)


@CHECKS.criterion("FullyConnectedNet", "weight gradients", 3)
def deep_weight_gradients(trial: Trial) -> Outcome:
    """The gradients of all weights are right without regularization."""
    return _check_deep_gradients(trial, "W")


@CHECKS.criterion("FullyConnectedNet", "bias gradients", 2)
def deep_bias_gradients(trial: Trial) -> Outcome:
    """The gradients of all biases are right without regularization."""
    return _check_deep_gradients(trial, "b")


@CHECKS.criterion("FullyConnectedNet", "regularized gradients", 3)
def deep_regularized_gradients(trial: Trial) -> Outcome:
    """All gradients are right with reg > 0."""
    return _check_deep_gradients(trial, ("W", "b"), reg=0.4)


@CHECKS.criterion("FullyConnectedNet", "one example", 0.5, edge=True)
def deep_one_example(trial: Trial) -> Outcome:
    """All gradients are right with a single example, N = 1."""
    return _check_deep_gradients(trial, ("W", "b"), N=1, depths=DEPTHS[1:2])


@CHECKS.criterion("FullyConnectedNet", "called again", 0.5, edge=True)
def deep_called_again(trial: Trial) -> None:
    """Repeated calls on one batch give the same loss and gradients, and the parameters are unchanged."""
    net = make_deep(trial, DEPTHS[1], reg=0.3)
    names = net.share_parameters()
    net.expect_repeatable(*net.batch(5, SHAPE, C), names, WITH_GRADIENT)


add_large_loss(
    CHECKS,
    DEEP,
    without_gradient=(
        *NO_GRADIENT,
        *("batch norm: parameters", "batch norm: loss", "batch norm: testing", "dropout: loss", "dropout: testing"),
    ),
    hidden_dims=[400, 30],
    dtype=np.float64,
    **LARGE,
)
