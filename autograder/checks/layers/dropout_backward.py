"""Checks of the backward pass of dropout: the mask is read off what the student's own forward pass returned."""

import numpy as np

from autograder.checks.layers.dropout import KEEP, SHAPES
from autograder.checks.layers.masks import FORWARD, Call, drawn_from, expect_some_dropped
from autograder.checks.pack import criterion, large_call, misconception
from autograder.checks.pairs import expect_unchanged
from autograder.compare import agrees, expect_array, expect_close
from autograder.criteria import Outcome, Wrong, needing
from autograder.derived import LargeCall
from autograder.report import Diagnosis
from cs231n import layers as reference

BACKWARD = "dropout_backward"


def _draw_dout(call):
    dout = call.trial.rng(BACKWARD, call.x.shape).uniform(0.5, 2.0, size=call.x.shape)
    return dout * call.trial.rng(BACKWARD, "signs").choice([-1.0, 1.0], size=call.x.shape)


def _backward(call):
    """Run both functions; return (out, dout, dx, dout as it is afterwards)."""
    with needing(BACKWARD, FORWARD):
        out, cache = call.run()
    dout = _draw_dout(call)
    dx, after = call.trial.call(f"cs231n.layers:{BACKWARD}", dout, cache, echo=True)
    return out, dout, dx, after[0]


def _expect_train_gradient(call):
    """Return (Outcome, dout before, dout after) where dx is dout times the mask of the forward pass, scale and all."""
    out, dout, dx, after = _backward(call)
    return _expect_gradient(call, out, dout, dx), dout, after


def _expect_gradient(call, out, dout, dx):
    drawn = drawn_from(out, call.x, f"what {BACKWARD} is fed by, {call.name}")
    expect_some_dropped(drawn, call)
    name = f"{BACKWARD} after {call.name}"
    through = np.where(drawn.kept, dout, 0.0)
    right, own = through / call.keep, through * drawn.scale
    try:
        found = expect_close(dx, right if agrees(dx, right) and not agrees(dx, own) else own, name, name="dx")
    except Wrong as wrong:
        wrong.outcome.diagnosis += _about_gradient(dx, dout, drawn, call.keep)
        raise
    if not agrees(dx, right):
        found.message = "right for the mask that your forward pass draws, whose scale is not the one asked for"
        found.diagnosis.append(Diagnosis("function", "scale of the forward pass", f"dx is {found.message}."))
    return found


def _about_gradient(dx, dout, drawn, keep):
    """Name the mistake in dx, where it is a known one; `drawn` is what the forward pass did."""
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
    if not names and _another_mask(dx, dout, drawn):
        names = ["dropout_backward_fresh_mask"]
    return [misconception(BACKWARD, name) for name in names[:1]]


def _another_mask(dx, dout, drawn):
    try:
        other = drawn_from(dx, dout, "")
    except Wrong:
        return False
    return 0 < other.share < 1 and not np.array_equal(other.kept, drawn.kept)


@criterion(BACKWARD, "dx", 4)
def gradient(trial):
    """In training dx is dout times the mask that the forward pass drew, scale included."""
    # Nobody can draw the mask of a call without a seed once more: it has to be kept.
    calls = [_unseeded(trial, KEEP[0]), *(Call(trial, keep) for keep in KEEP[1:])]
    return max((_expect_train_gradient(call)[0] for call in calls), key=lambda found: found.max_rel_error)


def _unseeded(trial, keep, **more):
    """A Call without a seed, that draws the same mask in every report where NumPy's global generator is used."""
    trial.call("numpy.random:seed", int(trial.rng(BACKWARD, keep).integers(2**31)))
    return Call(trial, keep, seed=None, **more)


@criterion(BACKWARD, "test mode", 1)
def gradient_at_test_time(trial):
    """At test time, where out equals x, dx equals dout."""
    call = Call(trial, 0.3, mode="test")
    out, dout, dx, _ = _backward(call)
    name = f"{BACKWARD} after {call.name}"
    try:
        return expect_close(dx, dout, name, name="dx")
    except Wrong:
        factor = next((f for f in (call.keep, 1 - call.keep) if agrees(out, call.x * f) and agrees(dx, dout * f)), None)
        if factor is None:
            raise
        return Outcome("right for what your forward pass computes, which scales out at test time")


@criterion(BACKWARD, "any number of dimensions", 0.5, edge=True)
def gradient_any_dimensions(trial):
    """dx holds for input of one dimension and of four."""
    return max((_expect_train_gradient(Call(trial, 0.6, s))[0] for s in SHAPES), key=lambda found: found.max_rel_error)


def _expect_mask(dx, dout, shown, name, which, keep):
    """Raise Wrong unless dx goes through the mask that out has shown; its scale is judged elsewhere."""
    if shown.share in (0, 1):
        raise Wrong(f"{name}: the forward pass kept all units or none, so there is no mask to judge by")
    if not np.array_equal(drawn_from(dx, dout, name, "dx").kept, shown.kept):
        message = f"{name}: dx does not go through the mask {which}"
        raise Wrong(Outcome(message, diagnosis=_about_gradient(dx, dout, shown, keep)))


@criterion(BACKWARD, "own cache", 0.5, edge=True)
def own_cache(trial):
    """Every forward pass has a cache of its own: in a net many run, on one dropout_param, before the first backward."""
    call = _unseeded(trial, 0.6)
    with needing(BACKWARD, FORWARD):
        shared = trial.call("builtins:dict", call.param, returns="handle")
        out, cache = call.run(shared)
        latest, _ = call.run(shared)
    dout = _draw_dout(call)
    dx = trial.call(f"cs231n.layers:{BACKWARD}", dout, cache)
    name = f"{BACKWARD} after {call.name}, and once more with the same dropout_param"
    try:
        _expect_mask(dx, dout, drawn_from(out, call.x, call.name), name, "of the first forward pass", call.keep)
    except Wrong as wrong:
        through_latest = np.where(drawn_from(latest, call.x, call.name).kept, dout, 0.0) / call.keep
        if agrees(dx, through_latest):
            wrong.outcome.diagnosis = [misconception(BACKWARD, "dropout_backward_mask_elsewhere")]
        raise


@criterion(BACKWARD, "zeros in x", 0.25, edge=True)
def zeros(trial):
    """Where x is 0 the mask does not show in out; dx goes through it all the same."""
    call = Call(trial, 0.6)
    call.x[::2] = 0.0
    out, dout, dx, _ = _backward(call)
    name = f"{BACKWARD} after {call.name}, where every other row of x is 0"
    out, dx = expect_array(out, dout.shape, f"{call.name}: out"), expect_array(dx, dout.shape, f"{name}: dx")
    shown = drawn_from(out[1::2], call.x[1::2], call.name)
    _expect_mask(dx[1::2], dout[1::2], shown, name, "of the forward pass, where x is not 0", call.keep)
    hidden = drawn_from(dx[::2], dout[::2], name, "dx")
    if hidden.share in (0, 1) or not hidden.is_share(shown.share):
        message = (
            f"{name}: of the entries of dout in those rows {hidden.share:.1%} came through; expected about "
            f"{shown.share:.0%}. Keep the mask itself: whether a unit was dropped cannot be told from out where x is 0."
        )
        told = [] if hidden.share else [misconception(BACKWARD, "dropout_backward_mask_of_out")]
        raise Wrong(Outcome(message, diagnosis=told))


@criterion(BACKWARD, "dout unchanged", 0.5, edge=True)
def backward_unchanged(trial):
    """dout is left as it was: other layers may still need it."""
    _, before, after = _expect_train_gradient(Call(trial, 0.6))
    expect_unchanged({"dout": before}, {"dout": after}, BACKWARD)


@large_call(BACKWARD)
def large(trial):
    """One training pass over 300,000 units, with a mask that the student's own forward pass draws."""

    def call(trial):
        return Call(trial, 0.6, shape=(500, 600))

    x, keep = call(trial).x, {"p": 0.6, "mode": "train"}

    def forward():
        return reference.dropout_forward(x, keep)[1]

    def ask(trial, proved):
        try:
            _expect_train_gradient(call(trial))
        except Wrong:
            if "dx" in proved:
                raise

    says = f"{BACKWARD} after {call(trial).name}"
    return LargeCall(
        says,
        x.size,
        forward,
        lambda: reference.dropout_backward(x, forward()),
        ask,
    )
