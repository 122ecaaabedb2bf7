"""Checks of max pooling."""

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Checks, Wrong, needing
from autograder.checks.layer import Edge, Layer
from autograder.checks.layers.convolution import windows
from autograder.checks.pairs import state_layer

CHECKS = Checks()

TOLERANCE = 1e-4  # of a share of dout, which may be computed in float32


def max_pool(x, pool_param):
    """What the forward function computes, without a cache."""
    return windows(x, *_settings(pool_param)).max(axis=(4, 5))


def _settings(pool_param):
    return pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]


def _draw(rng, N=2, C=3, image=(6, 6), window=(2, 2), stride=2, above=-1.0):
    """Images whose entries all differ by more than a numeric gradient moves them, from `above` to `above` + 2."""
    x = above + 2 * rng.permutation(np.linspace(0.01, 0.99, N * C * image[0] * image[1])).reshape(N, C, *image)
    return {"x": x, "pool_param": {"pool_height": window[0], "pool_width": window[1], "stride": stride}}


EDGE = 0.3
LAYER = Layer(
    module="cs231n.layers",
    forward="max_pool_forward_naive",
    backward="max_pool_backward_naive",
    function=max_pool,
    draw=_draw,
    cases=({}, {"C": 2, "window": (3, 3), "stride": 3}),
    edges=(
        Edge(
            "overlapping windows",
            ({"C": 2, "image": (5, 5), "window": (3, 3), "stride": 1}, {"C": 2, "image": (5, 5), "window": (3, 3)}),
            "with a stride smaller than the windows, so that they overlap",
            EDGE,
        ),
        Edge("gaps between windows", ({"image": (5, 5), "stride": 3},), "with a stride larger than the windows", EDGE),
        Edge(
            "windows not square",
            (
                {"image": (5, 6), "window": (2, 3), "stride": 3},
                {"image": (6, 5), "window": (3, 2), "stride": 3},
            ),
            "with windows of 2×3 and 3×2",
            EDGE,
        ),
        Edge("images not square", ({"image": (4, 6)}, {"image": (6, 2)}), "with H and W that differ", EDGE),
        Edge("negative values", ({"image": (4, 4), "above": -3.0},), "for images without a positive entry", EDGE),
        Edge("one example", ({"N": 1, "image": (4, 4)},), "with a single example, N = 1", EDGE),
    ),
    gradients={"x": "dx"},
    lenient=False,
    says="out[n, c, i, j] is the largest entry of window [i, j] of channel c",
    large={"N": 100, "C": 16, "image": (8, 8)},
)

# Ordinary sizes carry three quarters of the points; each edge case costs no more than itself.
state_layer(CHECKS, LAYER, forward_weights=(6, EDGE), gradient_weight=7, edge_weight=EDGE)


@CHECKS.criterion(LAYER.backward, "ties", EDGE, edge=True)
def ties(trial):
    """Where several entries of a window are equally large, its dout goes to them: to one, in parts, or to each."""
    rng = trial.rng(LAYER.backward, "ties")
    x = rng.integers(0, 2, size=(2, 3, 4, 4)).astype(np.float64)
    x[0, 0] = 0.0
    inputs = {"x": x, "pool_param": {"pool_height": 2, "pool_width": 2, "stride": 2}}
    with needing(LAYER.backward, LAYER.forward):
        _, cache = LAYER.run_forward(trial, inputs)
    dout = rng.choice([-1.0, 1.0], size=(2, 3, 2, 2)) * rng.uniform(0.5, 1.5, size=(2, 3, 2, 2))
    (dx,), _ = LAYER.run_backward(trial, dout, cache)

    call = f"{LAYER.backward} {LAYER.describe(inputs)} of zeros and ones"
    dx = expect_array(dx, x.shape, f"{call}: dx").astype(np.float64)
    if not np.isfinite(dx).all():
        raise Wrong(f"{call}: dx has entries that are no finite numbers. Is something divided by 0?")
    share = windows(dx, 2, 2, 2) / dout[..., np.newaxis, np.newaxis]
    largest = windows(x, 2, 2, 2) == max_pool(**inputs)[..., np.newaxis, np.newaxis]
    allowed = (share >= -TOLERANCE) & (share <= largest + TOLERANCE)
    wrong = ~(allowed.all(axis=(4, 5)) & (share.sum(axis=(4, 5)) >= 1 - TOLERANCE))
    if wrong.any():
        n, c, i, j = np.argwhere(wrong)[0]
        raise Wrong(
            f"{call}: in window [{n}, {c}, {i}, {j}] dx is {_listed(share[n, c, i, j])} times the window's dout; "
            "expected all of dout at entries that are the largest, at one of them or shared among them, and 0 elsewhere"
        )


def _listed(window):
    return "[" + ", ".join(f"{entry:.3g}" for entry in window.flat) + "]"
