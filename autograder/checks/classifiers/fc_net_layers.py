"""Checks of FullyConnectedNet with batch normalization and with dropout: {affine - [batch norm] - ReLU - [dropout]}."""

import numpy as np

from autograder.checks.classifiers.fc_net import SHAPE, C, deep
from autograder.checks.classifiers.nets import NOT_NORMALIZED, expect_initial_parameters, forward, loss_of
from autograder.checks.classifiers.regularization import NO_HALF
from autograder.checks.gradients import Variant
from autograder.checks.layers.masks import drawn_from
from autograder.checks.pack import criterion
from autograder.checks.pairs import worst
from autograder.compare import agrees, expect_close
from autograder.criteria import Wrong, needing
from autograder.report import Diagnosis
from cs231n.layers import batchnorm_forward

QUESTION = "FullyConnectedNet"
DEPTHS = ([9], [8, 7, 6])
BATCHNORM, BATCHNORM_BACK = ("batchnorm_forward",), ("batchnorm_forward", "batchnorm_backward")
DROPOUT, DROPOUT_BACK = ("dropout_forward",), ("dropout_forward", "dropout_backward")
KEEP = 0.7


def _normalized(trial, hidden_dims, **options):
    net = deep(trial, hidden_dims, use_batchnorm=True, **options)
    net.right_loss = lambda reference, X, y: loss_of(reference, forward(reference, X, _of_the_batch), y)
    return net, net.share_parameters()


@criterion(QUESTION, "batch norm: parameters", 0.75, needs=BATCHNORM)
def batchnorm_parameters(trial):
    """With use_batchnorm, every hidden layer has gamma, at first 1, and beta, at first 0; the last has neither."""
    net = deep(trial, [9, 8], use_batchnorm=True)
    last = [name for name in ("gamma3", "beta3") if name in net.parameters()]
    if last:
        raise Wrong(f"{net.call}: params has {' and '.join(last)}; the scores of the last layer are not normalized")
    wide = {"input_dim": 60, "num_classes": 40, "use_batchnorm": True}
    expect_initial_parameters(trial, lambda **o: deep(trial, [50, 40], **wide, **o))


@criterion(QUESTION, "batch norm: loss", 1.25, needs=BATCHNORM)
def batchnorm_loss(trial):
    """With use_batchnorm, the loss normalizes every hidden layer before its ReLU with the statistics of the batch."""

    def loss(hidden_dims):
        net, _ = _normalized(trial, hidden_dims)
        return net.expect_loss(*net.batch(6, SHAPE, C), (NOT_NORMALIZED, AFTER_RELU))

    return worst([loss(dims) for dims in DEPTHS])


@criterion(QUESTION, "batch norm: gradients", 1.25, needs=BATCHNORM_BACK)
def batchnorm_gradients(trial):
    """With use_batchnorm, the gradients of all W, b, gamma and beta, regularization of the weights included."""

    def gradients(hidden_dims):
        net, names = _normalized(trial, hidden_dims, reg=0.3)
        return net.expect_gradients(*net.batch(6, SHAPE, C), names, (NO_HALF,))

    return worst([gradients(dims) for dims in DEPTHS])


@criterion(QUESTION, "batch norm: testing", 0.5, needs=BATCHNORM)
def batchnorm_testing(trial):
    """After training passes, loss(X) without y normalizes with the running averages, one pair for each hidden layer."""
    net, _ = _normalized(trial, DEPTHS[1])
    for N in (6, 9, 7):
        batch = net.batch(N, SHAPE, C)
        net.run_loss(*batch)
        net.reference.loss(*batch)
    X = net.batch(5, SHAPE, C)[0]
    scores = trial.call((net.net, "loss"), X)
    call = f"{net.call}.loss(X) with X {X.shape}, after three training batches"
    try:
        return expect_close(scores, net.reference.loss(X), call, name="scores")
    except Wrong as wrong:
        if agrees(scores, forward(net.reference, X, _of_the_batch)):
            wrong.outcome.diagnosis.append(TRAINING_AT_TEST)
        net.reference.bn_params = [{"mode": "test"} for _ in DEPTHS[1]]
        if agrees(scores, net.reference.loss(X)):
            wrong.outcome.diagnosis.append(NOTHING_KEPT)
        raise


def _of_the_batch(a, gamma, beta, layer):
    return batchnorm_forward(a, gamma, beta, {"mode": "train"})[0]


def _after_relu(net, X, y):
    """The loss of a net that normalizes after the ReLU in place of before it."""
    hidden = X.reshape(len(X), -1)
    for layer in range(1, net.num_layers):
        a = np.maximum(0, hidden @ net.params[f"W{layer}"] + net.params[f"b{layer}"])
        hidden = _of_the_batch(a, net.params[f"gamma{layer}"], net.params[f"beta{layer}"], layer - 1)
    last = net.num_layers
    return loss_of(net, hidden @ net.params[f"W{last}"] + net.params[f"b{last}"], y)


AFTER_RELU = Variant(
    "batch norm after ReLU", _after_relu, "Batch normalization comes after the ReLU; it belongs before."
)
TRAINING_AT_TEST = Diagnosis(
    "function",
    "batch statistics at test time",
    "At test time the net normalizes with the statistics of the batch: set the mode of every bn_param to 'test'.",
)


NOTHING_KEPT = Diagnosis(
    "function",
    "running averages not kept",
    "At test time the running averages are those of a new net: make bn_params once, in __init__, and pass them on.",
)
NO_SEED = Diagnosis(
    "function",
    "seed not passed on",
    "Two calls with the same batch and the same seed give two losses: does the seed get into dropout_param?",
)
DROPPING_AT_TEST = Diagnosis(
    "function",
    "dropout at test time",
    "Without y the net still drops units: set the mode of dropout_param to 'test'.",
)


def _with_dropout(trial, hidden_dims, N, **options):
    """A net with dropout whose right loss uses the masks that the student's own dropout_forward draws."""
    seed = trial.seed % 1000
    net = deep(trial, hidden_dims, **options)
    given = {"dropout": KEEP, "seed": seed}
    net.net = net.make(**given)

    def mask(*shape, keep=KEEP):
        p = 1 - keep if trial.options.get("dropout") == "drop" else keep
        x, settings = trial.rng("mask", shape).uniform(0.5, 2.0, size=shape), {"p": p, "mode": "train", "seed": seed}
        with needing(f"{QUESTION} with dropout", "dropout_forward"):
            out, _ = trial.call("cs231n.layers:dropout_forward", x, settings, returns=["value", "handle"])
        drawn = drawn_from(out, x, f"dropout_forward with x {shape}, dropout_param {settings}")
        if drawn.share in (0, 1):
            raise Wrong(f"dropout_forward with x {shape}, dropout_param {settings} kept every unit, or none", "blocked")
        return drawn.kept * drawn.scale

    masks = [mask(N, units) for units in hidden_dims]
    net.right_loss = lambda reference, X, y: loss_of(reference, forward(reference, X, None, masks), y)
    return net, net.share_parameters(), mask


@criterion(QUESTION, "dropout: loss", 1.25, needs=DROPOUT)
def dropout_loss(trial):
    """With dropout, the output of every hidden layer goes through dropout, and neither the input nor the scores do."""

    def loss(hidden_dims):
        net, _, mask = _with_dropout(trial, hidden_dims, 6)
        X, y = net.batch(6, SHAPE, C)
        try:
            return net.expect_loss(X, y, _misplaced(net, X, mask, hidden_dims))
        except Wrong as wrong:
            if net.run_loss(X, y)[0] != net.run_loss(X, y)[0]:
                wrong.outcome.diagnosis.append(NO_SEED)
            raise

    return worst([loss(dims) for dims in reversed(DEPTHS)])  # the deep net first: it tells more mistakes apart


def _misplaced(net, X, mask, hidden_dims):
    """The Variants of a net whose dropout is missing, or stands where it does not belong."""
    right, rows = net.right_loss, mask(len(X), X[0].size).reshape(X.shape)

    def with_masks(reference, X, y, keep=KEEP, last=True):
        masks = [mask(len(X), units, keep=keep) for units in hidden_dims]
        masks[-1] = masks[-1] if last else 1
        return loss_of(reference, forward(reference, X, None, masks), y)

    def on_scores(reference, X, y):
        masks = [mask(len(X), reference.params[f"b{layer}"].size) for layer in range(1, reference.num_layers + 1)]
        return loss_of(reference, forward(reference, X, None, masks[:-1]) * masks[-1], y)

    return (
        Variant(
            "no dropout behind the last hidden layer",
            lambda n, X, y: with_masks(n, X, y, last=False) if len(hidden_dims) > 1 else np.nan,
            "Dropout is missing behind the last hidden layer; only the scores go without it.",
        ),
        Variant(
            "the other probability",
            lambda n, X, y: with_masks(n, X, y, keep=1 - KEEP),
            "The net hands 1 - dropout on as p; both are the same probability.",
        ),
        Variant("no dropout", lambda n, X, y: loss_of(n, forward(n, X), y), "Dropout is asked for but never applied."),
        Variant("dropout on the input", lambda n, X, y: right(n, X * rows, y), "Dropout is applied to the input too."),
        Variant("dropout on the scores", on_scores, "Dropout is applied to the scores too; nothing follows them."),
    )


@criterion(QUESTION, "dropout: gradients", 1.25, needs=DROPOUT_BACK)
def dropout_gradients(trial):
    """With dropout, the gradients of all weights and biases, for the mask that the seed fixes."""

    def gradients(hidden_dims):
        net, names, _ = _with_dropout(trial, hidden_dims, 6)
        return net.expect_gradients(*net.batch(6, SHAPE, C), names)

    return worst([gradients(dims) for dims in DEPTHS])


@criterion(QUESTION, "dropout: testing", 0.5, needs=DROPOUT)
def dropout_testing(trial):
    """With dropout, loss(X) without y drops nothing, after training as before."""
    net, _, mask = _with_dropout(trial, DEPTHS[1], 6)
    net.run_loss(*net.batch(6, SHAPE, C))
    X = net.batch(5, SHAPE, C)[0]
    try:
        return net.expect_scores(X)
    except Wrong as wrong:
        dropped = forward(net.reference, X, None, [mask(5, units) for units in DEPTHS[1]])
        if agrees(trial.call((net.net, "loss"), X), dropped):
            wrong.outcome.diagnosis.append(DROPPING_AT_TEST)
        raise


@criterion(QUESTION, "both", 0.25, edge=True, needs=(*BATCHNORM_BACK, *DROPOUT_BACK))
def both(trial):
    """Batch norm and dropout in one net: loss and gradients."""
    hidden_dims = DEPTHS[1]
    net, names, mask = _with_dropout(trial, hidden_dims, 6, use_batchnorm=True)
    masks = [mask(6, units) for units in hidden_dims]
    net.right_loss = lambda reference, X, y: loss_of(reference, forward(reference, X, _of_the_batch, masks), y)
    batch = net.batch(6, SHAPE, C)
    net.expect_loss(*batch)
    return net.expect_gradients(*batch, names)
