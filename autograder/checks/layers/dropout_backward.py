"""Checks of the backward pass of dropout: the mask comes from the output of the student's own forward pass."""

from typing import Any

import numpy as np

from autograder.checking.compare import agrees, expect_array, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong, block_if_failed
from autograder.checking.large_call import LargeCall
from autograder.checks.catalogue import find_misconception
from autograder.checks.layers.arguments import expect_unchanged
from autograder.checks.layers.dropout import KEEP, SHAPES
from autograder.checks.layers.dropout_masks import FORWARD, Call, DropoutMask, expect_some_dropped, recover_mask
from autograder.checks.outcomes import combine_outcomes
from autograder.report.model import Diagnosis
from cs231n import layers as reference

CHECKS = Checks()

BACKWARD = "dropout_backward"


def _draw_dout(call: Call) -> np.ndarray:
    dout = call.trial.rng(BACKWARD, call.x.shape).uniform(0.5, 2.0, size=call.x.shape)
    return dout * call.trial.rng(BACKWARD, "signs").choice([-1.0, 1.0], size=call.x.shape)


def _run_both(call: Call) -> tuple[Any, np.ndarray, Any, np.ndarray]:
    """Run both functions; return (out, dout, dx, dout after the call)."""
    with block_if_failed(BACKWARD, FORWARD):
        out, cache = call.run()
    dout = _draw_dout(call)
    dx, after = call.trial.call(f"cs231n.layers:{BACKWARD}", dout, cache, echo=True)
    return out, dout, dx, after[0]


def _expect_train_gradient(call: Call) -> tuple[Outcome, np.ndarray, np.ndarray]:
    """Return (Outcome, dout before, dout after) if dx is dout times the scaled mask of the forward pass."""
    out, dout, dx, after = _run_both(call)
    return _expect_gradient(call, out, dout, dx), dout, after


def _expect_gradient(call: Call, out: Any, dout: np.ndarray, dx: Any) -> Outcome:
    drawn = recover_mask(out, call.x, f"the forward pass before {BACKWARD}, {call.name}")
    expect_some_dropped(drawn, call)
    name = f"{BACKWARD} after {call.name}"
    through = np.where(drawn.kept, dout, 0.0)
    right, own = through / call.keep, through * drawn.scale
    try:
        found = expect_close(dx, right if agrees(dx, right) and not agrees(dx, own) else own, name, name="dx")
    except Wrong as wrong:
        wrong.outcome.diagnosis += _diagnose_gradient(dx, dout, drawn, call.keep)
        raise
    if not agrees(dx, right):
        found.message = "right for the mask that your forward pass draws, but that mask has a wrong scale"
        found.diagnosis.append(Diagnosis("function", "scale of the forward pass", f"dx is {found.message}."))
    return found


def _diagnose_gradient(dx: Any, dout: np.ndarray, drawn: DropoutMask, keep: float) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a known mistake in dx; `drawn` is the mask of the forward pass."""
    kept, dropped, scale = drawn.kept, ~drawn.kept, drawn.scale
    known = {
        "dropout_backward_unscaled": [dout * kept],
        "dropout_backward_no_mask": [dout, dout * scale],
        "dropout_backward_no_dout": [kept * scale, 1.0 * kept],
        "dropout_backward_scaled_twice": [dout * kept * scale**2],
        "dropout_backward_multiplied": [dout * kept * keep],
        "dropout_backward_inverted": [dout * dropped, dout * dropped * scale],
    }
    names = [name for name, wrong in known.items() if any(agrees(dx, value) for value in wrong)]
    if not names and _is_another_mask(dx, dout, drawn):
        names = ["dropout_backward_fresh_mask"]
    return [find_misconception(BACKWARD, name) for name in names[:1]]


def _is_another_mask(dx: Any, dout: np.ndarray, drawn: DropoutMask) -> bool:
    try:
        other = recover_mask(dx, dout, "")
    except Wrong:
        return False
    return 0 < other.share < 1 and not np.array_equal(other.kept, drawn.kept)


@CHECKS.criterion(BACKWARD, "dx", 4)
def gradient(trial: Trial) -> Outcome:
    """In training, dx is dout times the scaled mask that the forward pass drew."""
    # The mask of a call without a seed cannot be drawn again: the cache must contain it.
    calls = [_make_unseeded_call(trial, KEEP[0]), *(Call(trial, keep) for keep in KEEP[1:])]
    return combine_outcomes(_expect_train_gradient(call)[0] for call in calls)


def _make_unseeded_call(trial: Trial, keep: float) -> Call:
    """Return a Call without a seed that draws the same mask in every report if it uses NumPy's global generator."""
    trial.call("numpy.random:seed", int(trial.rng(BACKWARD, keep).integers(2**31)))
    return Call(trial, keep, seed=None)


@CHECKS.criterion(BACKWARD, "test mode", 1)
def gradient_at_test_time(trial: Trial) -> Outcome:
    """At test time, dx equals dout, because out equals x."""
    call = Call(trial, 0.3, mode="test")
    out, dout, dx, _ = _run_both(call)
    name = f"{BACKWARD} after {call.name}"
    try:
        return expect_close(dx, dout, name, name="dx")
    except Wrong:
        factor = next((f for f in (call.keep, 1 - call.keep) if agrees(out, call.x * f) and agrees(dx, dout * f)), None)
        if factor is None:
            raise
        return Outcome("right for the function that your forward pass computes, which scales out at test time")


@CHECKS.criterion(BACKWARD, "any number of dimensions", 0.5, edge=True)
def gradient_any_dimensions(trial: Trial) -> Outcome:
    """dx is right for inputs with one dimension and with four."""
    return combine_outcomes(_expect_train_gradient(Call(trial, 0.6, shape))[0] for shape in SHAPES)


def _expect_mask(dx: Any, dout: np.ndarray, shown: DropoutMask, name: str, which: str, keep: float) -> None:
    """Raise Wrong unless dx uses the mask that out shows; another criterion judges its scale."""
    if shown.share in (0, 1):
        raise Wrong(f"{name}: the forward pass kept all units or none, so there is no mask to compare with")
    if not np.array_equal(recover_mask(dx, dout, name, "dx").kept, shown.kept):
        message = f"{name}: dx does not use the mask {which}"
        raise Wrong(Outcome(message, diagnosis=_diagnose_gradient(dx, dout, shown, keep)))


@CHECKS.criterion(BACKWARD, "own cache", 0.5, edge=True)
def own_cache(trial: Trial) -> None:
    """Every forward pass has its own cache: a net runs many of them with one dropout_param before the backward pass."""
    call = _make_unseeded_call(trial, 0.6)
    with block_if_failed(BACKWARD, FORWARD):
        shared = trial.call("builtins:dict", call.param, returns="handle")
        out, cache = call.run(shared)
        latest, _ = call.run(shared)
    dout = _draw_dout(call)
    dx = trial.call(f"cs231n.layers:{BACKWARD}", dout, cache)
    name = f"{BACKWARD} after {call.name}, and once more with the same dropout_param"
    try:
        _expect_mask(dx, dout, recover_mask(out, call.x, call.name), name, "of the first forward pass", call.keep)
    except Wrong as wrong:
        through_latest = np.where(recover_mask(latest, call.x, call.name).kept, dout, 0.0) / call.keep
        if agrees(dx, through_latest):
            wrong.outcome.diagnosis = [find_misconception(BACKWARD, "dropout_backward_mask_elsewhere")]
        raise


@CHECKS.criterion(BACKWARD, "zeros in x", 0.25, edge=True)
def zeros(trial: Trial) -> None:
    """dx uses the mask also where x is 0 and out does not show the mask."""
    call = Call(trial, 0.6)
    call.x[::2] = 0.0
    out, dout, dx, _ = _run_both(call)
    name = f"{BACKWARD} after {call.name}, where every other row of x is 0"
    out, dx = expect_array(out, dout.shape, f"{call.name}: out"), expect_array(dx, dout.shape, f"{name}: dx")
    shown = recover_mask(out[1::2], call.x[1::2], call.name)
    _expect_mask(dx[1::2], dout[1::2], shown, name, "of the forward pass, where x is not 0", call.keep)
    hidden = recover_mask(dx[::2], dout[::2], name, "dx")
    if hidden.share in (0, 1) or not hidden.is_share(shown.share):
        message = (
            f"{name}: {hidden.share:.1%} of the entries of dout in those rows are kept; expected about "
            f"{shown.share:.0%}. Store the mask itself: where x is 0, out does not show whether a unit was dropped."
        )
        diagnosis = [] if hidden.share else [find_misconception(BACKWARD, "dropout_backward_mask_of_out")]
        raise Wrong(Outcome(message, diagnosis=diagnosis))


@CHECKS.criterion(BACKWARD, "dout unchanged", 0.5, edge=True)
def backward_unchanged(trial: Trial) -> None:
    """dout is unchanged after the call."""
    _, before, after = _expect_train_gradient(Call(trial, 0.6))
    expect_unchanged({"dout": before}, {"dout": after}, BACKWARD)


@CHECKS.large_call(BACKWARD)
def large(trial: Trial) -> LargeCall:
    """Return one training pass over 300,000 units, with a mask of the student's own forward pass."""

    def make_call(trial: Trial) -> Call:
        return Call(trial, 0.6, shape=(500, 600))

    x, settings = make_call(trial).x, {"p": 0.6, "mode": "train"}

    def forward() -> tuple[Any, ...]:
        return reference.dropout_forward(x, settings)[1]

    def run_student(trial: Trial, proved: set[str]) -> None:
        try:
            _expect_train_gradient(make_call(trial))
        except Wrong:
            if "dx" in proved:
                raise

    name = f"{BACKWARD} after {make_call(trial).name}"
    return LargeCall(name, x.size, forward, lambda: reference.dropout_backward(x, forward()), run_student)
