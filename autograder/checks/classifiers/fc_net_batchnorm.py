"""Checks of FullyConnectedNet with batch normalization: {affine - batch norm - ReLU}."""

from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.classifiers.fc_net import SHAPE, C, make_deep
from autograder.checks.classifiers.initial_parameters import expect_initial_parameters
from autograder.checks.classifiers.net_losses import LossByHand
from autograder.checks.classifiers.net_trial import NetTrial
from autograder.checks.outcomes import combine_outcomes
from cs231n.layers import batchnorm_forward

CHECKS = Checks()

QUESTION = "FullyConnectedNet"
DEPTHS = ([9], [8, 7, 6])
BATCHNORM, BATCHNORM_BACK = ("batchnorm_forward",), ("batchnorm_forward", "batchnorm_backward")


def _make_net_with_batchnorm(trial: Trial, hidden_dims: list[int], **options: Any) -> tuple[NetTrial, list[str]]:
    """Return a net with batch normalization and its right loss, and the names of its parameters."""
    net = make_deep(trial, hidden_dims, use_batchnorm=True, **options)
    net.right_loss = LossByHand(normalize_by_batch)
    return net, list(net.share_parameters())


@CHECKS.criterion(QUESTION, "batch norm: parameters", 0.75, needs=BATCHNORM)
def batchnorm_parameters(trial: Trial) -> None:
    """With use_batchnorm, every hidden layer has gamma, initially 1, and beta, initially 0; the last has neither."""
    net = make_deep(trial, [9, 8], use_batchnorm=True)
    last = [name for name in ("gamma3", "beta3") if name in net.parameters()]
    if last:
        text = f"{net.call}: params has {' and '.join(last)}; expected neither, because the scores are not normalized"
        raise Wrong(Outcome(text, diagnosis=[net.find_misconception("net_batchnorm_on_scores")]))
    wide = {"input_dim": 60, "num_classes": 40, "use_batchnorm": True}
    expect_initial_parameters(trial, lambda **o: make_deep(trial, [50, 40], **wide, **o))


@CHECKS.criterion(QUESTION, "batch norm: loss", 1.25, needs=BATCHNORM)
def batchnorm_loss(trial: Trial) -> Outcome:
    """With use_batchnorm, the loss normalizes every hidden layer before its ReLU with the statistics of the batch."""

    def loss(hidden_dims: list[int]) -> Outcome:
        net, _ = _make_net_with_batchnorm(trial, hidden_dims)
        return net.expect_loss(*net.batch(6, SHAPE, C))

    return combine_outcomes([loss(dims) for dims in DEPTHS])


@CHECKS.criterion(QUESTION, "batch norm: gradients", 1.25, needs=BATCHNORM_BACK)
def batchnorm_gradients(trial: Trial) -> Outcome:
    """With use_batchnorm, the gradients of all W, b, gamma and beta are right without regularization."""

    def gradients(hidden_dims: list[int]) -> Outcome:
        net, names = _make_net_with_batchnorm(trial, hidden_dims)
        return net.expect_gradients(*net.batch(6, SHAPE, C), names)

    return combine_outcomes([gradients(dims) for dims in DEPTHS])


@CHECKS.criterion(QUESTION, "batch norm: regularization", 0.25, edge=True, needs=BATCHNORM)
def batchnorm_regularization(trial: Trial) -> Outcome | None:
    """With use_batchnorm, reg applies to the weights, not to gamma and beta, in the loss and in the gradients."""
    nets = [_make_net_with_batchnorm(trial, DEPTHS[1], reg=reg)[0] for reg in (0.0, 0.3)]
    batch = nets[0].batch(6, SHAPE, C)
    (loss, gradients), (reg_loss, reg_gradients) = (net.run_loss(*batch) for net in nets)
    for name, gradient in reg_gradients.items():
        if not name.startswith("W") and isinstance(gradient, np.ndarray) and name in gradients:
            expect_close(gradient, gradients[name], f"{nets[1].call}, compared with reg = 0", RTOL_FLOAT32, f"d{name}")
    squares = sum(np.sum(W**2) for name, W in nets[0].reference.params.items() if name.startswith("W"))
    added = np.asarray(reg_loss - loss)
    if agrees(added, 0.3 * squares, RTOL_FLOAT32):  # another criterion tests the factor ½
        return None
    return expect_close(added, 0.5 * 0.3 * squares, nets[1].call, RTOL_FLOAT32, "the regularization term of the loss")


@CHECKS.criterion(QUESTION, "batch norm: testing", 0.5, needs=BATCHNORM)
def batchnorm_testing(trial: Trial) -> Outcome:
    """After training, loss(X) without y normalizes with the running averages of each hidden layer."""
    net, _ = _make_net_with_batchnorm(trial, DEPTHS[1])
    for N in (6, 9, 7):
        batch = net.batch(N, SHAPE, C)
        net.run_loss(*batch)
        net.reference.loss(*batch)
    net.call = f"after three training batches, {net.call}"
    return net.expect_scores(net.batch(5, SHAPE, C)[0])


def normalize_by_batch(a: np.ndarray, gamma: np.ndarray, beta: np.ndarray, layer: int) -> np.ndarray:
    """Return the output of batch normalization in mode 'train'; `layer` has no effect."""
    return batchnorm_forward(a, gamma, beta, {"mode": "train"})[0]
