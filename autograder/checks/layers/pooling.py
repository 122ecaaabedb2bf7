"""Checks of max pooling."""

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Checks, Trial, Wrong, block_if_failed
from autograder.checks.layers.convolution import get_windows
from autograder.checks.layers.criteria import add_layer_criteria
from autograder.checks.layers.layer import Edge, Inputs, Layer

CHECKS = Checks()

TOLERANCE = 1e-4  # for a share of dout, because code may compute in float32


def max_pool(x: np.ndarray, pool_param: dict[str, int]) -> np.ndarray:
    """Return the output of the forward function."""
    return get_windows(x, *_settings(pool_param)).max(axis=(4, 5))


def _settings(pool_param: dict[str, int]) -> tuple[int, int, int]:
    return pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]


def _draw(
    rng: np.random.Generator,
    N: int = 2,
    C: int = 3,
    image: tuple[int, int] = (6, 6),
    window: tuple[int, int] = (2, 2),
    stride: int = 2,
    above: float = -1.0,
) -> Inputs:
    """Draw images with entries from `above` to `above` + 2 that differ by more than the steps of a numeric gradient."""
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
            "with overlapping windows (a stride smaller than the windows)",
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
        Edge("images not square", ({"image": (4, 6)}, {"image": (6, 2)}), "with H ≠ W", EDGE),
        Edge("negative values", ({"image": (4, 4), "above": -3.0},), "for images without positive entries", EDGE),
        Edge("one example", ({"N": 1, "image": (4, 4)},), "with a single example, N = 1", EDGE),
    ),
    gradients={"x": "dx"},
    lenient=False,
    formula="out[n, c, i, j] is the largest entry of window [i, j] of channel c",
    large={"N": 100, "C": 16, "image": (8, 8)},
)

# The ordinary sizes have three quarters of the points; a failed edge case costs only its own points.
add_layer_criteria(CHECKS, LAYER, forward_weights=(6, EDGE), gradient_weight=7, edge_weight=EDGE)


@CHECKS.criterion(LAYER.backward, "ties", EDGE, edge=True)
def ties(trial: Trial) -> None:
    """If several entries of a window are the largest, dout goes to one of them, to each, or is divided among them."""
    rng = trial.rng(LAYER.backward, "ties")
    x = rng.integers(0, 2, size=(2, 3, 4, 4)).astype(np.float64)
    x[0, 0] = 0.0
    inputs = {"x": x, "pool_param": {"pool_height": 2, "pool_width": 2, "stride": 2}}
    with block_if_failed(LAYER.backward, LAYER.forward):
        _, cache = LAYER.run_forward(trial, inputs)
    dout = rng.choice([-1.0, 1.0], size=(2, 3, 2, 2)) * rng.uniform(0.5, 1.5, size=(2, 3, 2, 2))
    (dx,), _ = LAYER.run_backward(trial, dout, cache)

    call = f"{LAYER.backward} {LAYER.describe(inputs)} of zeros and ones"
    dx = expect_array(dx, x.shape, f"{call}: dx").astype(np.float64)
    if not np.isfinite(dx).all():
        raise Wrong(f"{call}: dx has entries that are not finite. Is there a division by 0?")
    share = get_windows(dx, 2, 2, 2) / dout[..., np.newaxis, np.newaxis]
    largest = get_windows(x, 2, 2, 2) == max_pool(**inputs)[..., np.newaxis, np.newaxis]
    allowed = (share >= -TOLERANCE) & (share <= largest + TOLERANCE)
    wrong = ~(allowed.all(axis=(4, 5)) & (share.sum(axis=(4, 5)) >= 1 - TOLERANCE))
    if wrong.any():
        n, c, i, j = np.argwhere(wrong)[0]
        raise Wrong(
            f"{call}: in window [{n}, {c}, {i}, {j}] dx is {_list_entries(share[n, c, i, j])} times the window's dout; "
            "expected dout at the largest entries (at one, at each, or divided among them) and 0 elsewhere"
        )


def _list_entries(window: np.ndarray) -> str:
    return "[" + ", ".join(f"{entry:.3g}" for entry in window.flat) + "]"
