"""Checks of FullyConnectedNet with dropout, alone and with batch normalization: {affine - ReLU - dropout}."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.checking.compare import agrees
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong, block_if_failed
from autograder.checks.classifiers.fc_net import SHAPE, C, make_deep
from autograder.checks.classifiers.fc_net_batchnorm import BATCHNORM_BACK, DEPTHS, QUESTION, normalize_by_batch
from autograder.checks.classifiers.net_losses import LossByHand, compute_loss, forward
from autograder.checks.classifiers.net_trial import NetTrial
from autograder.checks.layers.dropout_masks import recover_mask
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import Variant

CHECKS = Checks()

DROPOUT, DROPOUT_BACK = ("dropout_forward",), ("dropout_forward", "dropout_backward")
KEEP = 0.7

DrawMask = Callable[..., np.ndarray]  # (*shape, keep) -> mask


def _make_net_with_dropout(
    trial: Trial, hidden_dims: list[int], N: int, **options: Any
) -> tuple[NetTrial, list[str], DrawMask]:
    """Return a net with dropout, the names of its parameters, and a function that draws masks.

    The net's right loss uses the masks that the student's dropout_forward draws with the same seed.

    - N: the number of examples
    """
    seed = trial.seed % 1000
    net = make_deep(trial, hidden_dims, **options)
    net.net = net.make(dropout=KEEP, seed=seed)

    def draw_mask(*shape: int, keep: float = KEEP) -> np.ndarray:
        p = 1 - keep if trial.options.get("dropout") == "drop" else keep
        x, settings = trial.rng("mask", shape).uniform(0.5, 2.0, size=shape), {"p": p, "mode": "train", "seed": seed}
        call = f"dropout_forward with x {shape}, dropout_param {settings}"
        with block_if_failed(f"{QUESTION} with dropout", "dropout_forward"):
            out, again = (
                trial.call("cs231n.layers:dropout_forward", x, settings, returns=["value", "handle"])[0]
                for _ in range(2)
            )
        drawn = recover_mask(out, x, call)
        if drawn.share in (0, 1):
            raise Wrong(f"{call} kept all units or none; expected a share of kept units that fits p", "blocked")
        if not np.array_equal(out, again):
            raise Wrong(f"{call} drew different masks in two calls with one seed; expected the same mask", "blocked")
        return drawn.kept * drawn.scale

    net.right_loss = LossByHand(masks=tuple(draw_mask(N, units) for units in hidden_dims))
    return net, list(net.share_parameters()), draw_mask


@CHECKS.criterion(QUESTION, "dropout: loss", 1.25, needs=DROPOUT)
def dropout_loss(trial: Trial) -> Outcome:
    """With dropout, the loss applies dropout to the output of every hidden layer, not to the input or the scores."""

    def loss(hidden_dims: list[int]) -> Outcome:
        net, _, draw_mask = _make_net_with_dropout(trial, hidden_dims, 6)
        X, y = net.batch(6, SHAPE, C)
        try:
            return net.expect_loss(X, y, _make_misplaced_variants(net, X, draw_mask, hidden_dims))
        except Wrong as wrong:
            if net.run_loss(X, y)[0] != net.run_loss(X, y)[0]:
                wrong.outcome.diagnosis.append(net.find_misconception("net_seed_lost"))
            raise

    # The deep net comes first, because it distinguishes more mistakes.
    return combine_outcomes([loss(dims) for dims in reversed(DEPTHS)])


def _make_misplaced_variants(
    net: NetTrial, X: np.ndarray, draw_mask: DrawMask, hidden_dims: Sequence[int]
) -> list[Variant]:
    """Return the Variants of a net whose dropout is missing, has another probability, or is in a wrong place."""
    right_loss, input_mask = net.right_loss, draw_mask(len(X), X[0].size).reshape(X.shape)

    def with_masks(reference: Any, X: np.ndarray, y: np.ndarray, keep: float = KEEP, last: bool = True) -> float:
        masks: list[Any] = [draw_mask(len(X), units, keep=keep) for units in hidden_dims]
        masks[-1] = masks[-1] if last else 1
        return compute_loss(reference, forward(reference, X, None, masks), y)

    def on_scores(reference: Any, X: np.ndarray, y: np.ndarray) -> float:
        masks = [draw_mask(len(X), reference.params[f"b{layer}"].size) for layer in range(1, reference.num_layers + 1)]
        return compute_loss(reference, forward(reference, X, None, masks[:-1]) * masks[-1], y)

    misplaced = {
        "net_last_layer_without_dropout": lambda n, X, y: (
            with_masks(n, X, y, last=False) if len(hidden_dims) > 1 else np.nan
        ),
        "net_other_probability": lambda n, X, y: with_masks(n, X, y, keep=1 - KEEP),
        "net_no_dropout": lambda n, X, y: compute_loss(n, forward(n, X), y),
        "net_dropout_on_input": lambda n, X, y: right_loss(n, X * input_mask, y),
        "net_dropout_on_scores": on_scores,
    }
    return [Variant(function, net.find_misconception(name)) for name, function in misplaced.items()]


@CHECKS.criterion(QUESTION, "dropout: gradients", 1.25, needs=DROPOUT_BACK)
def dropout_gradients(trial: Trial) -> Outcome:
    """With dropout, the gradients of all weights and biases are right for the mask that the seed determines."""

    def gradients(hidden_dims: list[int]) -> Outcome:
        net, names, _ = _make_net_with_dropout(trial, hidden_dims, 6)
        return net.expect_gradients(*net.batch(6, SHAPE, C), names)

    return combine_outcomes([gradients(dims) for dims in DEPTHS])


@CHECKS.criterion(QUESTION, "dropout: testing", 0.5, needs=DROPOUT)
def dropout_testing(trial: Trial) -> Outcome:
    """With dropout, loss(X) without y drops nothing, also after training."""
    net, _, draw_mask = _make_net_with_dropout(trial, DEPTHS[1], 6)
    net.run_loss(*net.batch(6, SHAPE, C))
    X = net.batch(5, SHAPE, C)[0]
    try:
        return net.expect_scores(X)
    except Wrong as wrong:
        dropped = forward(net.reference, X, None, [draw_mask(5, units) for units in DEPTHS[1]])
        if agrees(trial.call((net.net, "loss"), X), dropped):
            wrong.outcome.diagnosis.append(net.find_misconception("net_dropout_at_test_time"))
        raise


@CHECKS.criterion(QUESTION, "both", 0.25, edge=True, needs=(*BATCHNORM_BACK, *DROPOUT_BACK))
def both(trial: Trial) -> Outcome:
    """Loss and gradients are right with batch norm and dropout in one net."""
    hidden_dims = DEPTHS[1]
    net, names, draw_mask = _make_net_with_dropout(trial, hidden_dims, 6, use_batchnorm=True)
    net.right_loss = LossByHand(normalize_by_batch, tuple(draw_mask(6, units) for units in hidden_dims))
    batch = net.batch(6, SHAPE, C)
    net.expect_loss(*batch)
    return net.expect_gradients(*batch, names)
