"""Checks of FullyConnectedNet with batch normalization and with dropout: {affine - [batch norm] - ReLU - [dropout]}."""

import numpy as np

from autograder.checks.classifiers.fc_net import SHAPE, C, deep
from autograder.checks.classifiers.nets import expect_initial_parameters, forward, loss_of
from autograder.checks.gradients import Variant
from autograder.checks.layers.masks import drawn_from
from autograder.checks.pack import criterion
from autograder.checks.pairs import worst
from autograder.compare import RTOL_FLOAT32, agrees, expect_close
from autograder.criteria import Outcome, Wrong, needing
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
        text = f"{net.call}: params has {' and '.join(last)}; the scores of the last layer are not normalized"
        raise Wrong(Outcome(text, diagnosis=[net.known("net_batchnorm_on_scores")]))
    wide = {"input_dim": 60, "num_classes": 40, "use_batchnorm": True}
    expect_initial_parameters(trial, lambda **o: deep(trial, [50, 40], **wide, **o))


@criterion(QUESTION, "batch norm: loss", 1.25, needs=BATCHNORM)
def batchnorm_loss(trial):
    """With use_batchnorm, the loss normalizes every hidden layer before its ReLU with the statistics of the batch."""

    def loss(hidden_dims):
        net, _ = _normalized(trial, hidden_dims)
        return net.expect_loss(*net.batch(6, SHAPE, C))

    return worst([loss(dims) for dims in DEPTHS])


@criterion(QUESTION, "batch norm: gradients", 1.25, needs=BATCHNORM_BACK)
def batchnorm_gradients(trial):
    """With use_batchnorm, the gradients of all W, b, gamma and beta, without regularization."""

    def gradients(hidden_dims):
        net, names = _normalized(trial, hidden_dims)
        return net.expect_gradients(*net.batch(6, SHAPE, C), names)

    return worst([gradients(dims) for dims in DEPTHS])


@criterion(QUESTION, "batch norm: regularization", 0.25, edge=True, needs=BATCHNORM)
def batchnorm_regularization(trial):
    """With use_batchnorm, reg counts the weights alone, neither gamma nor beta: in the loss and in the gradients."""
    nets = [_normalized(trial, DEPTHS[1], reg=reg)[0] for reg in (0.0, 0.3)]
    batch = nets[0].batch(6, SHAPE, C)
    (without, free), (with_reg, pulled) = (net.run_loss(*batch) for net in nets)
    for name, gradient in pulled.items():
        if not name.startswith("W") and isinstance(gradient, np.ndarray) and name in free:
            expect_close(gradient, free[name], f"{nets[1].call}: what reg = 0 gives", RTOL_FLOAT32, f"d{name}")
    squares = sum(np.sum(W**2) for name, W in nets[0].reference.params.items() if name.startswith("W"))
    added = np.asarray(with_reg - without)
    if agrees(added, 0.3 * squares, RTOL_FLOAT32):  # a half that is missing has a criterion of its own
        return None
    return expect_close(added, 0.5 * 0.3 * squares, f"{nets[1].call}: what reg adds to the loss", RTOL_FLOAT32, "it")


@criterion(QUESTION, "batch norm: testing", 0.5, needs=BATCHNORM)
def batchnorm_testing(trial):
    """After training passes, loss(X) without y normalizes with the running averages, one pair for each hidden layer."""
    net, _ = _normalized(trial, DEPTHS[1])
    for N in (6, 9, 7):
        batch = net.batch(N, SHAPE, C)
        net.run_loss(*batch)
        net.reference.loss(*batch)
    net.call = f"after three training batches, {net.call}"
    return net.expect_scores(net.batch(5, SHAPE, C)[0])


def _of_the_batch(a, gamma, beta, layer):
    return batchnorm_forward(a, gamma, beta, {"mode": "train"})[0]


def _with_dropout(trial, hidden_dims, N, **options):
    """A net with dropout whose right loss uses the masks that the student's own dropout_forward draws."""
    seed = trial.seed % 1000
    net = deep(trial, hidden_dims, **options)
    given = {"dropout": KEEP, "seed": seed}
    net.net = net.make(**given)

    def mask(*shape, keep=KEEP):
        p = 1 - keep if trial.options.get("dropout") == "drop" else keep
        x, settings = trial.rng("mask", shape).uniform(0.5, 2.0, size=shape), {"p": p, "mode": "train", "seed": seed}
        call = f"dropout_forward with x {shape}, dropout_param {settings}"
        with needing(f"{QUESTION} with dropout", "dropout_forward"):
            out, again = (
                trial.call("cs231n.layers:dropout_forward", x, settings, returns=["value", "handle"])[0]
                for _ in range(2)
            )
        drawn = drawn_from(out, x, call)
        if drawn.share in (0, 1):
            raise Wrong(f"{call} kept every unit, or none", "blocked")
        if not np.array_equal(out, again):
            raise Wrong(f"{call} drew two masks in two calls, though both had the same seed", "blocked")
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
                wrong.outcome.diagnosis.append(net.known("net_seed_lost"))
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

    misplaced = {
        "net_last_layer_without_dropout": lambda n, X, y: (
            with_masks(n, X, y, last=False) if len(hidden_dims) > 1 else np.nan
        ),
        "net_other_probability": lambda n, X, y: with_masks(n, X, y, keep=1 - KEEP),
        "net_no_dropout": lambda n, X, y: loss_of(n, forward(n, X), y),
        "net_dropout_on_input": lambda n, X, y: right(n, X * rows, y),
        "net_dropout_on_scores": on_scores,
    }
    return [Variant(function, net.known(name)) for name, function in misplaced.items()]


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
            wrong.outcome.diagnosis.append(net.known("net_dropout_at_test_time"))
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
