"""Checks of the forward pass of dropout. They accept any random generator: they test properties of all right masks.

The manifest's option `dropout` gives the meaning of `p`: the probability to "keep" or to "drop" a unit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import erf, isclose, sqrt
from typing import Any

import numpy as np

from autograder.checking.compare import agrees, expect_close, format_distinct
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.catalogue import find_misconception
from autograder.checks.layers.arguments import expect_unchanged
from autograder.checks.layers.dropout_masks import FORWARD, SIGMAS, Call, DropoutMask, expect_some_dropped, recover_mask
from autograder.checks.outcomes import combine_outcomes
from autograder.report.model import Diagnosis
from autograder.sandbox.worker_client import CallError

CHECKS = Checks()

KEEP = (0.3, 0.6, 0.9)  # probabilities of keeping a unit; no common mistake leaves all of them unchanged
SHAPES = ((20011,), (12, 7, 40, 6))

# The factor of kept units in a mistake, given the probability of keeping one.
SCALES = {
    "dropout_unscaled": lambda keep: [1],
    "dropout_wrong_divisor": lambda keep: [1 / (1 - keep)],
    "dropout_multiplied": lambda keep: [keep, 1 - keep],
    "dropout_scaled_twice": lambda keep: [1 / keep**2],
    "dropout_root": lambda keep: [1 / sqrt(keep)],
}


def _make_wrong(message: str, *names: str) -> Wrong:
    return Wrong(Outcome(message, diagnosis=[find_misconception(FORWARD, name) for name in names]))


def _normal_below(value: float) -> float:
    return (1 + erf(value / sqrt(2))) / 2


def _name_share_mistake(drawn: DropoutMask, call: Call) -> list[str]:
    """Return the name of the mistake behind a wrong share of kept units, as a list."""
    known = {
        "dropout_other_probability": [1 - call.keep],
        "dropout_randn": [_normal_below(call.p), 1 - _normal_below(call.p)],
        "dropout_half": [0.5],
    }
    return [name for name, shares in known.items() if any(map(drawn.is_share, shares))][:1]


@CHECKS.criterion(FORWARD, "mask", 3)
def mask(trial: Trial) -> None:
    """In training, each entry of out is 0 or a multiple of x; p determines the share of kept units, for several p."""
    small = Call(trial, 0.6, shape=(8, 12))
    expect_some_dropped(small.draw()[0], small)
    for keep in KEEP:
        call = Call(trial, keep)
        drawn, _ = call.draw()
        expect_some_dropped(drawn, call)
        if not drawn.is_share(keep):
            message = f"{call.name}: {drawn.share:.1%} of the units were kept; expected about {keep:.0%}"
            raise _make_wrong(message, *_name_share_mistake(drawn, call))


@CHECKS.criterion(FORWARD, "independent units", 1)
def independent_units(trial: Trial) -> None:
    """Each unit is kept or dropped independently of its neighbours."""
    call = Call(trial, 0.6)
    _expect_independent(call.draw()[0], call)


def _expect_independent(drawn: DropoutMask, call: Call) -> None:
    """Raise Wrong if neighbours along an axis agree more often, or less often, than independent units."""
    expect_some_dropped(drawn, call)
    for axis in range(drawn.kept.ndim):
        pairs = drawn.kept.shape[axis] // 2
        first, second = (drawn.kept.take(range(start, 2 * pairs, 2), axis) for start in (0, 1))
        alike, count, expected = float(np.mean(first == second)), first.size, 1 - 2 * drawn.share * (1 - drawn.share)
        if abs(alike - expected) > SIGMAS * sqrt(expected * (1 - expected) / count):
            raise _make_wrong(
                f"{call.name}: along axis {axis}, {alike:.1%} of neighbours are both kept or both dropped; expected "
                f"about {expected:.0%} for independent units",
                "dropout_units_not_independent",
            )


@CHECKS.criterion(FORWARD, "scaling", 2)
def scaling(trial: Trial) -> None:
    """In training, kept units are scaled so that the expected value of out is x (inverted dropout)."""
    for keep in KEEP:
        call = Call(trial, keep)
        drawn, _ = call.draw()
        expect_some_dropped(drawn, call)
        # Code that takes p for the other probability, and divides by it, has one mistake and not two.
        own_keep = 1 - keep if drawn.is_share(1 - keep) and not drawn.is_share(keep) else keep
        if drawn.is_scale(1 / own_keep):
            continue
        came, expected = format_distinct(drawn.scale, 1 / own_keep)
        message = f"{call.name}: kept units were multiplied by {came}; expected {expected}"
        raise _make_wrong(message, *_name_scale_mistake(drawn, own_keep))


def _name_scale_mistake(drawn: DropoutMask, keep: float) -> list[str]:
    """Return the name of the mistake behind a wrong scale, as a list."""
    if isclose(drawn.scale * drawn.share, 1, rel_tol=1e-5):
        return ["dropout_drawn_share"]
    return [name for name, scales in SCALES.items() if any(map(drawn.is_scale, scales(keep)))][:1]


@CHECKS.criterion(FORWARD, "test mode", 2)
def test_mode(trial: Trial) -> Outcome:
    """At test time, out equals x."""
    return combine_outcomes([_expect_identity(Call(trial, keep, mode="test")) for keep in (0.3, 0.9)])


def _expect_identity(call: Call) -> Outcome:
    out, _ = call.run()
    try:
        return expect_close(out, call.x, call.name)
    except Wrong as wrong:
        wrong.outcome.diagnosis += _diagnose_test_mode(out, call)
        raise


def _diagnose_test_mode(out: Any, call: Call) -> list[Diagnosis]:
    if any(agrees(out, call.x * factor) for factor in (call.keep, 1 - call.keep, 1 / call.keep, 1 / (1 - call.keep))):
        return [find_misconception(FORWARD, "dropout_scaled_at_test_time")]
    if isinstance(out, np.ndarray) and out.shape == call.x.shape and 0.02 < np.mean(out == 0) < 0.98:
        return [find_misconception(FORWARD, "dropout_at_test_time")]
    return []


@CHECKS.criterion(FORWARD, "seed", 0.5, edge=True)
def seed(trial: Trial) -> None:
    """The same seed gives the same mask, another seed another mask; without a seed, every call draws a new mask."""
    (one, _), (again, _), (other, _) = (Call(trial, 0.6, seed=number).draw() for number in (231, 231, 1))
    expect_some_dropped(one, Call(trial, 0.6))
    if not np.array_equal(one.kept, again.kept):
        message = f"{FORWARD}: two calls with seed 231 drew different masks; expected one. Set the seed before you draw"
        raise _make_wrong(message, "dropout_seed_ignored")
    if np.array_equal(one.kept, other.kept):
        message = f"{FORWARD}: seeds 231 and 1 drew the same mask; expected two masks. Draw after you set the seed"
        raise _make_wrong(message, "dropout_one_mask")
    first, second = (Call(trial, 0.6, seed=None).draw()[0] for _ in range(2))
    if np.array_equal(first.kept, second.kept):
        message = f"{FORWARD}: two calls without a seed drew the same mask; expected a new mask in each call"
        raise _make_wrong(message, "dropout_one_mask")


@CHECKS.criterion(FORWARD, "any number of dimensions", 0.75, edge=True)
def any_dimensions(trial: Trial) -> None:
    """Dropout works for inputs with one dimension and with four, and in float32."""
    Call(trial, 0.6).draw()  # if it fails with two dimensions, another number of dimensions is not the cause
    for shape, dtype in zip(SHAPES, ("float64", "float32")):
        call = Call(trial, 0.6, shape, dtype=dtype)
        with _only_2d(call):
            drawn, _ = call.draw()
        _expect_independent(drawn, call)


@contextmanager
def _only_2d(call: Call) -> Iterator[None]:
    """Name the mistake of code that fails for another number of dimensions than two."""
    try:
        yield
    except (Wrong, CallError) as error:
        if getattr(error, "verdict", "") not in ("failed", "error"):
            raise
        raise _make_wrong(f"{call.name}: {error}", "dropout_2d_only") from None


@CHECKS.criterion(FORWARD, "nothing to drop", 0.25, edge=True)
def nothing_to_drop(trial: Trial) -> Outcome:
    """If the probability of keeping a unit is 1, out equals x in training too."""
    call = Call(trial, 1.0)
    out, _ = call.run()
    return expect_close(out, call.x, call.name)


@CHECKS.criterion(FORWARD, "arguments unchanged", 0.5, edge=True)
def forward_unchanged(trial: Trial) -> None:
    """x and dropout_param are unchanged after the call."""
    call = Call(trial, 0.6)
    arguments = (call.x, call.param)
    (out, _), after = trial.call(f"cs231n.layers:{FORWARD}", *arguments, returns=["value", "handle"], echo=True)
    expect_some_dropped(recover_mask(out, call.x, call.name), call)  # code that does nothing changes nothing
    expect_unchanged({"x": call.x, "dropout_param": call.param}, dict(zip(("x", "dropout_param"), after)), FORWARD)
