"""Checks of the forward pass of dropout. Any generator will do: what all right masks have in common is judged.

The manifest's option `dropout` says what `p` is the probability of: "keep" (of keeping a unit) or "drop".
"""

from contextlib import contextmanager
from math import erf, isclose, sqrt

import numpy as np

from autograder.checks.layers.masks import FORWARD, SIGMAS, Call, drawn_from, expect_some_dropped
from autograder.checks.pack import criterion, misconception
from autograder.checks.pairs import expect_unchanged
from autograder.compare import agrees, expect_close, told_apart
from autograder.criteria import Outcome, Wrong
from autograder.student import StudentError

KEEP = (0.3, 0.6, 0.9)  # probabilities of keeping a unit; no common mistake turns all of them into themselves
SHAPES = ((20011,), (12, 7, 40, 6))


# What kept units are multiplied by in a mistake, given the probability of keeping one.
SCALES = {
    "dropout_unscaled": lambda keep: [1],
    "dropout_wrong_divisor": lambda keep: [1 / (1 - keep)],
    "dropout_multiplied": lambda keep: [keep, 1 - keep],
    "dropout_scaled_twice": lambda keep: [1 / keep**2],
    "dropout_root": lambda keep: [1 / sqrt(keep)],
}


def _wrong(message, *names):
    return Wrong(Outcome(message, diagnosis=[misconception(FORWARD, name) for name in names]))


def _normal_below(value):
    return (1 + erf(value / sqrt(2))) / 2


def _about_share(drawn, call):
    """Return the name of a share of kept units that is not the one asked for, as a list."""
    known = {
        "dropout_other_probability": [1 - call.keep],
        "dropout_randn": [_normal_below(call.p), 1 - _normal_below(call.p)],
        "dropout_half": [0.5],
    }
    return [name for name, shares in known.items() if any(map(drawn.is_share, shares))][:1]


@criterion(FORWARD, "mask", 3)
def mask(trial):
    """In training each entry of out is 0 or a multiple of x, and as many are kept as p says, for several p."""
    small = Call(trial, 0.6, shape=(8, 12))
    expect_some_dropped(small.draw()[0], small)
    for keep in KEEP:
        call = Call(trial, keep)
        drawn, _ = call.draw()
        expect_some_dropped(drawn, call)
        if not drawn.is_share(keep):
            message = f"{call.name}: {drawn.share:.1%} of the units were kept; expected about {keep:.0%}"
            raise _wrong(message, *_about_share(drawn, call))


@criterion(FORWARD, "independent units", 1)
def independent_units(trial):
    """Each unit has its own chance: neighbours are kept or dropped independently."""
    call = Call(trial, 0.6)
    _expect_independent(call.draw()[0], call)


def _expect_independent(drawn, call):
    """Raise Wrong where neighbours along some axis are alike more often, or less, than chance has it."""
    expect_some_dropped(drawn, call)
    for axis in range(drawn.kept.ndim):
        pairs = drawn.kept.shape[axis] // 2
        first, second = (drawn.kept.take(range(start, 2 * pairs, 2), axis) for start in (0, 1))
        alike, count, expected = float(np.mean(first == second)), first.size, 1 - 2 * drawn.share * (1 - drawn.share)
        if abs(alike - expected) > SIGMAS * sqrt(expected * (1 - expected) / count):
            raise _wrong(
                f"{call.name}: along axis {axis}, {alike:.1%} of neighbours are both kept or both dropped; expected "
                f"about {expected:.0%} where every unit has its own chance",
                "dropout_shared_fate",
            )


@criterion(FORWARD, "scaling", 2)
def scaling(trial):
    """What is kept is scaled in training so that the expected value of out is x: inverted dropout."""
    for keep in KEEP:
        call = Call(trial, keep)
        drawn, _ = call.draw()
        expect_some_dropped(drawn, call)
        # Who takes p for the other probability, and divides by what is then right, has made one mistake and not two.
        meant = 1 - keep if drawn.is_share(1 - keep) and not drawn.is_share(keep) else keep
        if drawn.is_scale(1 / meant):
            continue
        came, expected = told_apart(drawn.scale, 1 / meant)
        message = f"{call.name}: kept units were multiplied by {came}; expected {expected}"
        raise _wrong(message, *_about_scale(drawn, meant))


def _about_scale(drawn, keep):
    """Return the name of a scale that is not the one asked for, as a list."""
    if isclose(drawn.scale * drawn.share, 1, rel_tol=1e-5):
        return ["dropout_drawn_share"]
    return [name for name, scales in SCALES.items() if any(map(drawn.is_scale, scales(keep)))][:1]


@criterion(FORWARD, "test mode", 2)
def test_mode(trial):
    """At test time out equals x."""
    for keep in (0.3, 0.9):
        call = Call(trial, keep, mode="test")
        out, _ = call.run()
        try:
            found = expect_close(out, call.x, call.name)
        except Wrong as wrong:
            wrong.outcome.diagnosis += _about_test_mode(out, call)
            raise
    return found


def _about_test_mode(out, call):
    if any(agrees(out, call.x * factor) for factor in (call.keep, 1 - call.keep, 1 / call.keep, 1 / (1 - call.keep))):
        return [misconception(FORWARD, "dropout_scaled_at_test_time")]
    if isinstance(out, np.ndarray) and out.shape == call.x.shape and 0.02 < np.mean(out == 0) < 0.98:
        return [misconception(FORWARD, "dropout_at_test_time")]
    return []


@criterion(FORWARD, "seed", 0.5, edge=True)
def seed(trial):
    """The same seed draws the same mask, another seed another one; without a seed every call draws anew."""
    (one, _), (again, _), (other, _) = (Call(trial, 0.6, seed=number).draw() for number in (231, 231, 1))
    expect_some_dropped(one, Call(trial, 0.6))
    if not np.array_equal(one.kept, again.kept):
        message = f"{FORWARD}: two calls with seed 231 drew different masks. Is the seed used before you draw?"
        raise _wrong(message, "dropout_seed_ignored")
    if np.array_equal(one.kept, other.kept):
        message = f"{FORWARD}: seeds 231 and 1 drew the same mask; draw it from what the seed has set"
        raise _wrong(message, "dropout_one_mask")
    first, second = (Call(trial, 0.6, seed=None).draw()[0] for _ in range(2))
    if np.array_equal(first.kept, second.kept):
        message = f"{FORWARD}: two calls without a seed drew the same mask; each should draw a new one"
        raise _wrong(message, "dropout_one_mask")


@criterion(FORWARD, "any number of dimensions", 0.75, edge=True)
def any_dimensions(trial):
    """It holds for input of one dimension and of four, in float32 too."""
    Call(trial, 0.6).draw()  # what goes wrong in two dimensions already is not about their number
    for shape, dtype in zip(SHAPES, ("float64", "float32")):
        call = Call(trial, 0.6, shape, dtype=dtype)
        with _only_2d(call):
            drawn, _ = call.draw()
        _expect_independent(drawn, call)


@contextmanager
def _only_2d(call):
    """Name what fails for another number of dimensions than two, which was tried before."""
    try:
        yield
    except (Wrong, StudentError) as error:
        if getattr(error, "verdict", "") not in ("failed", "error"):
            raise
        raise _wrong(f"{call.name}: {error}", "dropout_2d_only") from None


@criterion(FORWARD, "nothing to drop", 0.25, edge=True)
def nothing_to_drop(trial):
    """Where every unit is kept with certainty, out equals x in training too."""
    call = Call(trial, 1.0)
    out, _ = call.run()
    return expect_close(out, call.x, call.name)


@criterion(FORWARD, "arguments unchanged", 0.5, edge=True)
def forward_unchanged(trial):
    """x and dropout_param are left as they were."""
    call = Call(trial, 0.6)
    arguments = (call.x, call.param)
    (out, _), after = trial.call(f"cs231n.layers:{FORWARD}", *arguments, returns=["value", "handle"], echo=True)
    expect_some_dropped(drawn_from(out, call.x, call.name), call)  # doing nothing at all changes nothing either
    expect_unchanged({"x": call.x, "dropout_param": call.param}, dict(zip(("x", "dropout_param"), after)), FORWARD)
