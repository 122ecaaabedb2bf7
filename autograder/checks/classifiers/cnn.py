"""Checks of cs231n/classifiers/cnn.py."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.checking.criteria import Checks, Outcome, Trial
from autograder.checks.classifiers.initial_parameters import expect_initial_parameters
from autograder.checks.classifiers.large_loss import add_large_loss
from autograder.checks.classifiers.net_trial import NetClass, NetTrial
from autograder.checks.classifiers.regularization import NO_HALF, RELU_ON_SCORES
from autograder.checks.outcomes import combine_outcomes
from cs231n.classifiers.cnn import ThreeLayerConvNet

CHECKS = Checks()

QUESTION = "ThreeLayerConvNet"
KIND = NetClass(f"cs231n.classifiers.cnn:{QUESTION}", ThreeLayerConvNet)
SHAPE, C = (3, 6, 6), 5
SHAPES = (SHAPE, (3, 8, 8))
NOT_SQUARE = ((3, 4, 8), (3, 8, 6))
WITH_GRADIENT = (NO_HALF, RELU_ON_SCORES)  # wrong losses; a right gradient of one of them gets its points


def _make_net(trial: Trial, input_dim: tuple[int, ...] = SHAPE, **options: Any) -> NetTrial:
    options = {"num_filters": 4, "filter_size": 3, "hidden_dim": 7, "num_classes": C, "dtype": np.float64} | options
    trial.call("numpy.random:seed", trial.seed % 2**32)  # a replay then draws the same weights
    return NetTrial(trial, KIND, input_dim=input_dim, **options)


def _check_gradients(
    trial: Trial,
    kind: str | tuple[str, ...],
    input_dims: Sequence[tuple[int, ...]] = SHAPES,
    N: int = 3,
    **options: Any,
) -> Outcome:
    found = []
    for input_dim in input_dims:
        net = _make_net(trial, input_dim, **options)
        names = [name for name in net.share_parameters() if name.startswith(kind)]
        found.append(net.expect_gradients(*net.batch(N, input_dim, C), names, WITH_GRADIENT))
    return combine_outcomes(found)


def _check_scores(trial: Trial, input_dim: tuple[int, ...], **options: Any) -> Outcome:
    net = _make_net(trial, input_dim, **options)
    net.share_parameters()
    return net.expect_scores(net.batch(3, input_dim, C)[0])


def _check_loss(trial: Trial, input_dim: tuple[int, ...], **options: Any) -> Outcome:
    net = _make_net(trial, input_dim, **options)
    net.share_parameters()
    return net.expect_loss(*net.batch(3, input_dim, C))


@CHECKS.criterion(QUESTION, "parameters", 2)
def parameters(trial: Trial) -> None:
    """W1, b1, W2, b2, W3, b3 have the right shapes; weights have standard deviation weight_scale, and biases are 0."""
    expect_initial_parameters(
        trial, lambda **o: _make_net(trial, (3, 16, 16), num_filters=8, hidden_dim=30, num_classes=20, **o)
    )


@CHECKS.criterion(QUESTION, "scores", 2)
def scores(trial: Trial) -> Outcome:
    """loss(X) without y returns the scores."""
    return combine_outcomes([_check_scores(trial, input_dim) for input_dim in SHAPES])


@CHECKS.criterion(QUESTION, "loss", 1)
def loss(trial: Trial) -> Outcome:
    """The loss is right without regularization."""
    return combine_outcomes([_check_loss(trial, input_dim) for input_dim in SHAPES])


@CHECKS.criterion(QUESTION, "regularized loss", 2)
def regularized_loss(trial: Trial) -> Outcome:
    """The loss with reg > 0 adds ½·reg·ΣW² for all three weights, and nothing for the biases."""
    return _check_loss(trial, SHAPE, reg=0.4)


@CHECKS.criterion(QUESTION, "weight gradients", 3)
def weight_gradients(trial: Trial) -> Outcome:
    """The gradients of all weights are right without regularization."""
    return _check_gradients(trial, "W")


@CHECKS.criterion(QUESTION, "bias gradients", 2)
def bias_gradients(trial: Trial) -> Outcome:
    """The gradients of all biases are right without regularization."""
    return _check_gradients(trial, "b")


@CHECKS.criterion(QUESTION, "regularized gradients", 3)
def regularized_gradients(trial: Trial) -> Outcome:
    """All gradients are right with reg > 0."""
    return _check_gradients(trial, ("W", "b"), (SHAPE,), reg=0.4)


@CHECKS.criterion(QUESTION, "images not square", 0.5, edge=True)
def not_square(trial: Trial) -> Outcome:
    """Scores and gradients are right for images whose height and width differ."""
    for input_dim in NOT_SQUARE:
        _make_net(trial, input_dim).expect_parameters()
        _check_scores(trial, input_dim)
    return _check_gradients(trial, ("W", "b"), NOT_SQUARE)


@CHECKS.criterion(QUESTION, "other channels and filters", 0.5, edge=True)
def other_sizes(trial: Trial) -> Outcome:
    """Scores and gradients are right for images with two channels, and filters of 5 by 5."""
    _make_net(trial, (2, 6, 6), filter_size=5).expect_parameters()
    return combine_outcomes(
        [
            _check_scores(trial, (2, 6, 6), filter_size=5),
            _check_gradients(trial, ("W", "b"), ((2, 6, 6),), filter_size=5),
        ]
    )


@CHECKS.criterion(QUESTION, "one example", 0.5, edge=True)
def one_example(trial: Trial) -> Outcome:
    """All gradients are right with a single example, N = 1."""
    return _check_gradients(trial, ("W", "b"), (SHAPE,), N=1)


@CHECKS.criterion(QUESTION, "called again", 0.5, edge=True)
def called_again(trial: Trial) -> None:
    """Repeated calls on one batch give the same loss and gradients, and the parameters are unchanged."""
    net = _make_net(trial, reg=0.3)
    names = net.share_parameters()
    net.expect_repeatable(*net.batch(3, SHAPE, C), names, WITH_GRADIENT)


add_large_loss(
    CHECKS,
    KIND,
    N=2,
    shape=(3, 8, 8),
    without_gradient=("parameters", "scores", "loss", "regularized loss"),
    input_dim=(3, 8, 8),
    num_filters=8,
    filter_size=3,
    hidden_dim=3000,
    num_classes=C,
    dtype=np.float64,
)
