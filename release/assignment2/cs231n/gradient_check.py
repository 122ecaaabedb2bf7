"""Is a gradient right, and if it is not, where?

The idea. A gradient promises how a function moves when its input moves a little. That promise can be tested
without any calculus: move the input, look at the output, compare. This file does so with care, because a careless
test is wrong about as often as the code it tests.

    f            the function, x -> array or number
    dout         the upstream gradient, so that L = sum(f(x) * dout) is one number
    analytic     the claimed gradient dL/dx, the array that your backward pass returns
    numeric      dL/dx measured from values of f alone

How a slope is measured, and how sure one may be of it, stands in slopes.py. Where f has a kink at x (a ReLU at
exactly 0, a tie in a maximum) every subgradient is accepted.

In a large array two directions are tried first: a few calls of f pass a right gradient. Only when that fails is every
entry measured on its own, which tells *where* the gradient is wrong.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from cs231n.slopes import STEPS, Line, Slopes, size_of, typical_of

UNDECIDED = 1e-2  # an entry whose error stays above this part of the gradient's size decides nothing
ONE_ENTRY = 1e-4  # a typical entry that is wrong by this part shows along a whole direction
MARGIN = 4  # an estimate of an error may be too small by this factor
STILL = 1e-9  # a measured slope up to this is rounding error, once L and x are scaled to 1
SMALL = 200  # arrays up to this many entries are measured entry by entry at once
CHANGES = (
    "{name} could not be measured, because the forward pass changes its argument itself (as in `x -= ...`). "
    "The caller still needs that array: write the result into a new one."
)


def rel_error(x: np.ndarray, y: np.ndarray) -> float:
    """Return the largest relative error max |x - y| / max(1e-8, |x| + |y|) between two arrays of one shape."""
    x, y = np.asarray(x), np.asarray(y)
    if x.size == 0:
        return 0.0
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def eval_numerical_gradient(f: Callable, x: np.ndarray, verbose: bool = False, h: float = 1e-5) -> np.ndarray:
    """Return the central-difference gradient of a scalar function.

    f may ignore its argument and read `x` where it lies (as in `lambda _: net.loss(X, y)[0]`), because the entries
    of `x` are changed in place one at a time and put back.

    - f: x -> number
    - x: float array of any shape
    - verbose: print every entry as it is measured
    """
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        line = Line(f, x, 1.0, index)
        gradient[index] = (line(h) - line(-h)) / (2 * h)
        if verbose:
            print(index, gradient[index])
    return gradient


def eval_numerical_gradient_array(f: Callable, x: np.ndarray, df: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Return the central-difference gradient of sum(f(x) * df), for f that returns an array shaped like df."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        line = Line(f, x, df, index)
        gradient[index] = (line(h) - line(-h)) / (2 * h)
    return gradient


@dataclass
class GradientCheck:
    """The outcome for one gradient; shows itself as a table row, and as a heat map where it fails.

    - passed: True or False; None where f is too rough at x to decide
    - max_rel_error: the largest error, relative to the entry or to the array's typical entry if that is larger
    - bound: what max_rel_error may be at the worst entry, from the measured uncertainty
    - worst_index: index tuple of that entry, or None when whole directions settled it
    - kinks, undecided: entries where f has a kink at x, and entries too noisy to judge
    - numeric: the measured gradient, or None when whole directions settled it
    """

    name: str
    analytic: np.ndarray | None = field(repr=False)
    passed: bool | None
    message: str
    max_rel_error: float | None = None
    bound: float | None = None
    worst_index: tuple | None = None
    kinks: int = 0
    undecided: int = 0
    numeric: np.ndarray | None = field(default=None, repr=False)
    wrong: np.ndarray | None = field(default=None, repr=False)

    def require(self) -> Self:
        """Raise AssertionError with the explanation unless the gradient holds; return self."""
        if not self.passed:
            raise AssertionError(self.message)
        return self

    def _repr_html_(self):
        from .gradient_view import checks_html

        return checks_html([self])


class GradientChecks(list):
    """Several GradientCheck results shown as one table."""

    def require(self, *advice: str) -> Self:
        """Raise AssertionError with every explanation, and advice, unless all gradients hold; return self."""
        failures = [check.message for check in self if not check.passed]
        if failures:
            raise AssertionError("\n".join([*failures, *advice]))
        return self

    def __repr__(self):
        return "\n".join(check.message for check in self)

    def _repr_html_(self):
        from .gradient_view import checks_html

        return checks_html(self)


def check_gradients(f: Callable, inputs: dict, gradients: dict, dout: Any = None) -> GradientChecks:
    """Check one gradient per named input and return them as GradientChecks.

    - f: called with the inputs by keyword, returns an array shaped like dout, or a number when dout is None
    - inputs: {"x": x, "w": w}, float arrays; each is moved while the others stay
    - gradients: {"x": dx, "w": dw}, what your code claims; an input with no entry here is not checked
    """
    checks = GradientChecks()
    for name, gradient in gradients.items():
        others = {key: value for key, value in inputs.items() if key != name}
        moved = np.array(inputs[name], dtype=np.float64)
        checks.append(check_gradient(lambda v, n=name, o=others: f(**{n: v}, **o), moved, gradient, dout, f"d{name}"))
    return checks


def check_net(net: Any, X: np.ndarray, y: np.ndarray) -> GradientChecks:
    """Check the gradient of every parameter of a network and return them as GradientChecks.

    Each is moved a little where it lies, measured, and put back.

    - net: has `params`, arrays by name, and `loss(X, y)`, which returns the loss and gradients by the same names
    """
    _, grads = net.loss(X, y)
    return GradientChecks(
        check_gradient(lambda _: net.loss(X, y)[0], value, grads.get(name), name=f"d{name}")
        for name, value in net.params.items()
    )


def check_gradient(
    f: Callable, x: np.ndarray, analytic: Any, dout: Any = None, name: str = "gradient"
) -> GradientCheck:
    """Compare one analytic gradient with measured slopes of f at x and return a GradientCheck.

    - f: x -> array shaped like dout, or a number when dout is None; may also read `x` where it lies
    - x: float64 array; its entries are moved in place and put back
    - analytic: the claimed gradient of sum(f(x) * dout), shaped like x
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        raise TypeError(f"check_gradient moves x by tiny steps, so x must be a float array; got {_describe(x)}")
    dout = np.ones(()) if dout is None else np.asarray(dout, dtype=np.float64)
    return compare(analytic, Slopes(f, x, dout), name)


def compare(analytic, slopes, name="gradient"):
    """Compare one analytic gradient with slopes.Slopes, which are measured as far as needed; return a GradientCheck."""
    x = slopes.x
    problem = _unusable(analytic, x, name) or (slopes.changes_x() and CHANGES.format(name=name))
    if problem:
        return GradientCheck(name, None, False, problem)
    raw, analytic = analytic, np.asarray(analytic, dtype=np.float64)
    # Drawn from the claim itself: the same in every run, yet no gradient can be made to fit its own direction.
    rng = np.random.default_rng([231, *hashlib.sha256(analytic.tobytes()).digest()])
    lengths = rng.uniform(0.5, 1.5, size=x.shape) * size_of(x)
    direction = rng.choice([-1.0, 1.0], size=x.shape) * lengths
    precision = slopes.precision(direction)
    rtol = 1e-4 if np.asarray(raw).dtype.itemsize < 8 else 1e-6
    if precision is np.float32:
        rtol = 3e-3  # sums inside f may round by far more than the size of its values lets one expect
    # Among the noise of a float32 function one wrong entry would not show along a whole direction.
    if x.size > SMALL and precision is np.float64 and np.isfinite(analytic).all():
        # Along the claim's own signs a wrong factor adds up; a random direction catches all else.
        uphill = np.copysign(lengths, analytic)
        tried = [_along(slopes, analytic, way) for way in (direction, uphill)]
        if all(error <= bound for error, bound in tried):
            error, bound = max(tried)
            return GradientCheck(name, analytic, True, _right(name, error), error, bound)
    eps = max(np.finfo(np.result_type(raw, np.float16)).eps, np.finfo(precision).eps)
    return _compare_entries(analytic, slopes.entries(precision), slopes.unit(direction), rtol, eps, name)


def _along(slopes, analytic, direction):
    """Return (relative error, bound) of the analytic gradient along one direction.

    The bound is strict enough to stop at a single entry that is wrong: right gradients that miss it are measured entry
    by entry, which costs time and nothing else.
    """
    one_entry = ONE_ENTRY / np.sqrt(analytic.size)
    with np.errstate(over="ignore", invalid="ignore"):
        size = max(float(np.linalg.norm(analytic * direction)), np.finfo(np.float64).tiny)
        claimed = float(np.sum(analytic * direction))
    if not np.isfinite(size):
        return np.inf, one_entry  # larger than a sum can hold: let the entries decide
    for step in STEPS[np.float64]:
        low, high, error = slopes.along(direction, step)
        uncertainty = high - low + error
        if uncertainty <= one_entry * size:
            return abs((low + high) / 2 - claimed) / size, one_entry + uncertainty / size
    return np.inf, one_entry  # every step crosses a kink: the single entries decide


def _compare_entries(analytic, measured, unit, rtol, eps, name):
    """Compare every entry with measured slopes.EntrySlopes."""
    low, high, uncertainty, kink = measured.low, measured.high, measured.uncertainty, measured.kink
    numeric = (low + high) / 2
    size = np.maximum(np.abs(numeric), typical_of(numeric))
    # Where f does not move at all, as with a bias that is normalized away, the claim may be rounding error as well.
    still = np.abs(numeric) <= np.minimum(MARGIN * uncertainty + 100 * eps * unit, STILL * unit)
    nothing = still & (np.abs(analytic) <= 100 * eps * unit)
    bound = rtol * size + MARGIN * uncertainty + 100 * np.finfo(np.float64).eps * unit
    miss = np.maximum(np.maximum(low - analytic, analytic - high), 0)
    miss = np.where(np.isfinite(analytic), miss, np.inf)
    # A claim that misses by far more than what is uncertain is wrong all the same.
    rough = (uncertainty > UNDECIDED * size) & (uncertainty > 0) & (miss <= 100 * uncertainty)
    undecided = rough & ~kink & ~nothing
    wrong = (miss > bound) & ~undecided & ~nothing
    scale = np.where(size > 0, size, unit or 1.0)  # beside slopes that are all 0 nothing can be relative to them
    relative = np.where(undecided | nothing, 0, miss / scale)
    candidates = np.where(wrong, relative, -1.0) if wrong.any() else relative
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(candidates), analytic.shape)) if analytic.size else ()
    passed = not wrong.any()
    if passed and analytic.size and undecided.mean() > 0.5:
        passed = None
    error = float(relative[worst]) if analytic.size else 0.0
    limit = float((bound / scale)[worst]) if analytic.size else rtol
    message = _sentence(name, passed, analytic, numeric, wrong, worst, error, int(kink.sum()))
    return GradientCheck(
        name, analytic, passed, message, error, limit, worst, int(kink.sum()), int(undecided.sum()), numeric, wrong
    )


def _describe(value):
    """Say what a value is, for a message: type, dtype and shape."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{value!r:.60} of type {type(value).__name__}"


def _unusable(analytic, x, name):
    """Return why the claimed gradient cannot even be compared, or None."""
    if analytic is None:
        return f"{name} is None; expected an array of shape {x.shape}. Does your backward pass return it?"
    try:
        array = np.asarray(analytic)
    except ValueError:
        return f"{name} is {_describe(analytic)}, whose rows differ in length; expected an array of shape {x.shape}"
    if array.dtype.kind not in "fiub":
        return f"{name} is {_describe(array)}; expected real numbers of shape {x.shape}"
    if array.size == 0 < x.size:
        return (
            f"{name} has shape {array.shape}; expected {x.shape}, the shape of what it is the gradient of. "
            "It has no entries: does a slice such as [pad:-pad] become empty?"
        )
    if array.shape != x.shape:
        return (
            f"{name} has shape {array.shape}; expected {x.shape}, the shape of what it is the gradient of. "
            "Look at the axes you sum over, and at keepdims."
        )
    return None


def _right(name, error, left_out=""):
    return f"{name} is right (relative error {error:.1e}{left_out})"


def _sentence(name, passed, analytic, numeric, wrong, worst, error, kinks):
    """Say the outcome in one sentence a student can act on."""
    left_out = f"; at a kink, where any subgradient is right: {kinks} of {wrong.size} entries" if kinks else ""
    if passed:
        return _right(name, error, left_out)
    if passed is None:
        return f"{name} could not be measured here: the function jumps or is too noisy near this input"
    place = f"[{', '.join(map(str, worst))}]" if worst else ""
    return (
        f"{name} is wrong in {int(wrong.sum())} of {wrong.size} entries; the worst is {name}{place}: "
        f"your gradient says {analytic[worst]:.6g}, the measured slope is {numeric[worst]:.6g}{left_out}"
    )
