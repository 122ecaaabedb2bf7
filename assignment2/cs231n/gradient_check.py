"""Is a gradient right, and if it is not, where?

The idea. A gradient says how much a function changes when its input changes a little. You can test this without any
calculus: change the input, look at the output, compare. This file does so with care, because a careless test is wrong
about as often as the code that it tests.

    f            the function, x -> array or number
    dout         the upstream gradient, so that L = sum(f(x) * dout) is one number
    analytic     the claimed gradient dL/dx, the array that your backward pass returns
    numeric      dL/dx measured from values of f alone

`slopes.py` explains how a slope is measured, and how large its error may be. Where f has a kink at x (a ReLU at exactly
0, a tie in a maximum), every subgradient is accepted.

In a large array two directions are tried first: a right gradient passes after a few calls of f. Only if that fails,
every entry is measured on its own, which shows *where* the gradient is wrong.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from cs231n.gradient_view import checks_html
from cs231n.slopes import STEPS, EntrySlopes, Function, Line, Slopes, size_of, typical_of

Arrays = Mapping[str, np.ndarray]  # arrays by name
SlopesLike = Any  # slopes.Slopes, or an object with the same methods

UNDECIDED = 1e-2  # an entry whose error stays above this part of the gradient's size decides nothing
ONE_ENTRY = 1e-4  # a typical entry that is wrong by this part changes the slope along a whole direction visibly
MARGIN = 4  # an estimate of an error may be too small by this factor
STILL = 1e-9  # a measured slope up to this is rounding error, when L and x are scaled to 1
SMALL = 200  # in arrays of up to this many entries, every entry is measured at once
CHANGES_ARGUMENT = (
    "{name} could not be measured, because the forward pass changes its argument (as in `x -= ...`). "
    "The caller still needs that array, so write the result into a new one."
)


def rel_error(x: np.ndarray, y: np.ndarray) -> float:
    """Return the largest relative error max |x - y| / max(1e-8, |x| + |y|) between two arrays of one shape."""
    x, y = np.asarray(x), np.asarray(y)
    if x.size == 0:
        return 0.0
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def eval_numerical_gradient(f: Function, x: np.ndarray, verbose: bool = False, h: float = 1e-5) -> np.ndarray:
    """Return the central-difference gradient of a scalar function.

    f may ignore its argument and read the array `x` itself (as in `lambda _: net.loss(X, y)[0]`), because the entries
    of `x` are changed in place, one at a time, and restored.

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


def eval_numerical_gradient_array(f: Function, x: np.ndarray, df: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Return the central-difference gradient of sum(f(x) * df), for an f that returns an array shaped like df."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        line = Line(f, x, df, index)
        gradient[index] = (line(h) - line(-h)) / (2 * h)
    return gradient


@dataclass
class GradientCheck:
    """The outcome for one gradient. A notebook shows it as a table row, and as a heat map if the gradient is wrong.

    - passed: True or False; None where f is too rough at x to decide
    - max_rel_error: the largest error, relative to the entry or to the array's typical entry if that is larger
    - bound: the largest max_rel_error that is allowed at the worst entry, from the measured uncertainty
    - worst_index: index tuple of that entry, or None if whole directions decided
    - kinks, undecided: number of entries where f has a kink at x, and of entries too noisy to judge
    - numeric: the measured gradient, or None if whole directions decided
    - wrong: where the gradient is wrong, or None if whole directions decided
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
        """Return self if the gradient is right; else raise AssertionError with the message."""
        if not self.passed:
            raise AssertionError(self.message)
        return self

    def _repr_html_(self) -> str:
        return checks_html([self])


class GradientChecks(list[GradientCheck]):
    """Several GradientCheck results, shown as one table."""

    def require(self, *advice: str) -> Self:
        """Return self if all gradients are right; else raise AssertionError with every message and the advice."""
        failures = [check.message for check in self if not check.passed]
        if failures:
            raise AssertionError("\n".join([*failures, *advice]))
        return self

    def __repr__(self) -> str:
        return "\n".join(check.message for check in self)

    def _repr_html_(self) -> str:
        return checks_html(self)


def check_gradients(
    f: Callable[..., ArrayLike], inputs: Arrays, gradients: Mapping[str, Any], dout: ArrayLike | None = None
) -> GradientChecks:
    """Check one gradient for each named input and return them as GradientChecks.

    - f: called with the inputs by keyword, returns an array shaped like dout, or a number when dout is None
    - inputs: {"x": x, "w": w}, float arrays; each is changed while the others stay
    - gradients: {"x": dx, "w": dw}, the gradients that your code returns; an input without an entry here is not checked
    """
    checks = GradientChecks()
    for name, gradient in gradients.items():
        others = {key: value for key, value in inputs.items() if key != name}
        moved = np.array(inputs[name], dtype=np.float64)
        checks.append(check_gradient(lambda v, n=name, o=others: f(**{n: v}, **o), moved, gradient, dout, f"d{name}"))
    return checks


def check_net(net: Any, X: np.ndarray, y: np.ndarray) -> GradientChecks:
    """Check the gradient of every parameter of a network and return them as GradientChecks.

    The entries of each parameter are changed in place and restored.

    - net: has `params`, arrays by name, and `loss(X, y)`, which returns the loss and gradients by the same names
    """
    _, grads = net.loss(X, y)
    return GradientChecks(
        check_gradient(lambda _: net.loss(X, y)[0], value, grads.get(name), name=f"d{name}")
        for name, value in net.params.items()
    )


def check_gradient(
    f: Function, x: np.ndarray, analytic: Any, dout: ArrayLike | None = None, name: str = "gradient"
) -> GradientCheck:
    """Compare one analytic gradient with measured slopes of f at x and return a GradientCheck.

    - f: x -> array shaped like dout, or a number when dout is None; may also read the array `x` itself
    - x: float64 array; its entries are changed in place and restored
    - analytic: the claimed gradient of sum(f(x) * dout), shaped like x
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        raise TypeError(f"check_gradient moves x by tiny steps, so x must be a float array; got {_describe(x)}")
    dout = np.ones(()) if dout is None else np.asarray(dout, dtype=np.float64)
    return compare(analytic, Slopes(f, x, dout), name)


def compare(analytic: Any, slopes: SlopesLike, name: str = "gradient") -> GradientCheck:
    """Compare one analytic gradient with slopes, which are measured as far as needed, and return a GradientCheck."""
    x = slopes.x
    problem = _find_problem(analytic, x, name)
    if not problem and slopes.changes_x():
        problem = CHANGES_ARGUMENT.format(name=name)
    if problem:
        return GradientCheck(name, None, False, problem)
    raw, analytic = analytic, np.asarray(analytic, dtype=np.float64)
    # Drawn from the claim itself: the same in every run, but no gradient can be made to fit its own direction.
    rng = np.random.default_rng([231, *hashlib.sha256(analytic.tobytes()).digest()])
    lengths = rng.uniform(0.5, 1.5, size=x.shape) * size_of(x)
    direction = rng.choice([-1.0, 1.0], size=x.shape) * lengths
    precision = slopes.precision(direction)
    rtol = 1e-4 if np.asarray(raw).dtype.itemsize < 8 else 1e-6
    if precision is np.float32:
        rtol = 3e-3  # sums inside f may round by far more than the size of its values suggests
    # The noise of a float32 function along a whole direction would hide one wrong entry.
    if x.size > SMALL and precision is np.float64 and np.isfinite(analytic).all():
        # Along the signs of the claim a wrong factor adds up; a random direction detects all other mistakes.
        uphill = np.copysign(lengths, analytic)
        tried = [_try_direction(slopes, analytic, way) for way in (direction, uphill)]
        if all(error <= bound for error, bound in tried):
            error, bound = max(tried)
            return GradientCheck(name, analytic, True, _say_right(name, error), error, bound)
    eps = max(np.finfo(np.result_type(raw, np.float16)).eps, np.finfo(precision).eps)
    tolerance = Tolerance(rtol, eps, slopes.unit(direction))
    return _compare_entries(name, analytic, slopes.entries(precision), tolerance)


def _try_direction(slopes: SlopesLike, analytic: np.ndarray, direction: np.ndarray) -> tuple[float, float]:
    """Return (relative error, bound) of the analytic gradient along one direction.

    The bound is so strict that a single wrong entry exceeds it. If a right gradient exceeds it too, every entry is
    measured, which only costs time.
    """
    one_entry = ONE_ENTRY / np.sqrt(analytic.size)
    with np.errstate(over="ignore", invalid="ignore"):
        size = max(float(np.linalg.norm(analytic * direction)), np.finfo(np.float64).tiny)
        claimed = float(np.sum(analytic * direction))
    if not np.isfinite(size):
        return np.inf, one_entry  # larger than a sum can hold: the entries decide
    for step in STEPS[np.float64]:
        low, high, error = slopes.along(direction, step)
        uncertainty = high - low + error
        if uncertainty <= one_entry * size:
            return abs((low + high) / 2 - claimed) / size, one_entry + uncertainty / size
    return np.inf, one_entry  # every step crosses a kink: the entries decide


@dataclass(frozen=True)
class Tolerance:
    """How far an entry of a right gradient may be from the measured slope, apart from the measured uncertainty.

    - relative: part of the entry, or of the array's typical entry if that is larger
    - eps: rounding error of one number, relative to it
    - unit: the slope that rounding errors are relative to, from Slopes.unit
    """

    relative: float
    eps: float
    unit: float


def _compare_entries(name: str, analytic: np.ndarray, measured: EntrySlopes, tolerance: Tolerance) -> GradientCheck:
    """Compare every entry with its measured slope."""
    low, high, uncertainty, kink = measured.low, measured.high, measured.uncertainty, measured.kink
    eps, unit = tolerance.eps, tolerance.unit
    numeric = (low + high) / 2
    size = np.maximum(np.abs(numeric), typical_of(numeric))
    # Where f does not move at all, as with a bias that is normalized away, the claim may be rounding error as well.
    still = np.abs(numeric) <= np.minimum(MARGIN * uncertainty + 100 * eps * unit, STILL * unit)
    nothing = still & (np.abs(analytic) <= 100 * eps * unit)
    bound = tolerance.relative * size + MARGIN * uncertainty + 100 * np.finfo(np.float64).eps * unit
    miss = np.maximum(np.maximum(low - analytic, analytic - high), 0)
    miss = np.where(np.isfinite(analytic), miss, np.inf)
    # A claim that misses by much more than the uncertainty is wrong, even where the slope could not be measured well.
    rough = (uncertainty > UNDECIDED * size) & (uncertainty > 0) & (miss <= 100 * uncertainty)
    undecided = rough & ~kink & ~nothing
    wrong = (miss > bound) & ~undecided & ~nothing
    scale = np.where(size > 0, size, unit or 1.0)  # if all slopes are 0, errors are relative to the unit
    relative = np.where(undecided | nothing, 0, miss / scale)
    candidates = np.where(wrong, relative, -1.0) if wrong.any() else relative
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(candidates), analytic.shape)) if analytic.size else ()
    passed = not wrong.any()
    if passed and analytic.size and undecided.mean() > 0.5:
        passed = None
    error = float(relative[worst]) if analytic.size else 0.0
    limit = float((bound / scale)[worst]) if analytic.size else tolerance.relative
    kinks = int(kink.sum())
    at_kinks = f"; at a kink, where any subgradient is right: {kinks} of {kink.size} entries" if kinks else ""
    if passed:
        message = _say_right(name, error, at_kinks)
    elif passed is None:
        message = (
            f"{name} could not be measured: the function jumps or is too noisy near this input. "
            "If it draws random numbers, set their seed; else try another input"
        )
    else:
        message = _say_wrong(name, wrong, worst, analytic, numeric) + at_kinks
    return GradientCheck(
        name, analytic, passed, message, error, limit, worst, kinks, int(undecided.sum()), numeric, wrong
    )


def _describe(value: Any) -> str:
    """Return the type, dtype and shape of a value as text, for a message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{value!r:.60} of type {type(value).__name__}"


def _find_problem(analytic: Any, x: np.ndarray, name: str) -> str:
    """Return the reason why the claimed gradient cannot be compared at all, or ''."""
    if analytic is None:
        return f"{name} is None; expected an array of shape {x.shape}. Does your backward pass return it?"
    try:
        array = np.asarray(analytic)
    except ValueError:
        return f"{name} is {_describe(analytic)}, whose rows differ in length; expected an array of shape {x.shape}"
    if array.dtype.kind not in "fiub":
        return f"{name} is {_describe(array)}; expected real numbers of shape {x.shape}"
    if array.shape == x.shape:
        return ""
    advice = "Check the axes that you sum over, and keepdims."
    if array.size == 0 < x.size:
        advice = "It has no entries: does a slice such as [pad:-pad] become empty?"
    return f"{name} has shape {array.shape}; expected {x.shape}, the shape of the array that it belongs to. {advice}"


def _say_right(name: str, error: float, at_kinks: str = "") -> str:
    return f"{name} is right (relative error {error:.1e}{at_kinks})"


def _say_wrong(name: str, wrong: np.ndarray, worst: tuple, analytic: np.ndarray, numeric: np.ndarray) -> str:
    """Return how many entries are wrong, and both values of the worst, in a sentence that a student can act on."""
    place = f"[{', '.join(map(str, worst))}]" if worst else ""
    return (
        f"{name} is wrong in {int(wrong.sum())} of {wrong.size} entries; the worst is {name}{place}: "
        f"your gradient says {analytic[worst]:.6g}, the measured slope is {numeric[worst]:.6g}"
    )
