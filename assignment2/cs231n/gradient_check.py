"""Is a gradient right, and if it is not, where?

The idea. A gradient promises how a function moves when its input moves a little. That promise can be tested
without any calculus: move the input, look at the output, compare. This file does so with care, because a careless
test is wrong about as often as the code it tests.

    f            the function, x -> array or number
    dout         the upstream gradient, so that L = sum(f(x) * dout) is one number
    analytic     the claimed gradient dL/dx, the array that your backward pass returns
    numeric      dL/dx measured from values of f alone

Each slope is taken from four values, L at -h, -h/2, h/2 and h. They give a slope to the right of x and one to the
left of x, each exact for parabolas. Where f is smooth the two agree up to O(h^2), so their gap *is* an error estimate. Where f
has a kink at x (a ReLU at exactly 0, a tie in a maximum) the gap stays as h shrinks, and every value between the two
slopes is a subgradient: all of them are accepted there.

A random direction is tried first: a few calls of f pass a
right gradient. Only when that fails is every entry measured on its own, which tells *where* the gradient is wrong.
"""

from dataclasses import dataclass, field

import numpy as np

# Steps, relative to the size of the data: the first suits smooth functions, the second steps over a kink that is near
# x but not at it. A function that rounds to float32 somewhere inside needs longer ones to out-shout its noise.
STEPS = {np.float64: (1e-4, 1e-6), np.float32: (1e-2, 1e-3)}
SETTLED = 1e-5  # an estimate is good enough when its error is below this part of the gradient's size
UNDECIDED = 1e-2  # an entry whose error stays above this part of the gradient's size decides nothing
SMALL = 200  # arrays up to this many entries are measured entry by entry at once


def rel_error(x, y):
    """Return the largest relative error max |x - y| / max(1e-8, |x| + |y|) between two arrays of one shape."""
    x, y = np.asarray(x), np.asarray(y)
    if x.size == 0:
        return 0.0
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def eval_numerical_gradient(f, x, verbose=False, h=1e-5):
    """Return the central-difference gradient of a scalar function.

    f may ignore its argument and read `x` where it lies (as in `lambda _: net.loss(X, y)[0]`), because the entries
    of `x` are changed in place one at a time and put back.

    - f: x -> number
    - x: float array of any shape
    - verbose: print every entry as it is measured
    """
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        line = _Line(f, x, 1.0, index)
        gradient[index] = (line(h) - line(-h)) / (2 * h)
        if verbose:
            print(index, gradient[index])
    return gradient


def eval_numerical_gradient_array(f, x, df, h=1e-5):
    """Return the central-difference gradient of sum(f(x) * df), for f that returns an array shaped like df."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        line = _Line(f, x, df, index)
        gradient[index] = (line(h) - line(-h)) / (2 * h)
    return gradient


@dataclass
class GradientCheck:
    """The outcome for one gradient; shows itself as a table row, and as a heat map where it fails.

    - passed: True or False; None where f is too rough at x to decide
    - max_rel_error: the largest error, relative to the entry or to the array's typical entry if that is larger
    - bound: what max_rel_error may be at the worst entry, from the measured uncertainty
    - worst_index: index tuple of that entry, or None when a random direction settled it
    - kinks, undecided: entries where f has a kink at x, and entries too noisy to judge
    - numeric: the measured gradient, or None when a random direction settled it
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

    def require(self):
        """Raise AssertionError with the explanation unless the gradient holds; return self."""
        if not self.passed:
            raise AssertionError(self.message)
        return self

    def _repr_html_(self):
        from .gradient_view import checks_html

        return checks_html([self])


class GradientChecks(list):
    """Several GradientCheck results shown as one table."""

    def require(self):
        """Raise AssertionError with every explanation unless all gradients hold; return self."""
        failures = [check.message for check in self if not check.passed]
        if failures:
            raise AssertionError("\n".join(failures))
        return self

    def __repr__(self):
        return "\n".join(check.message for check in self)

    def _repr_html_(self):
        from .gradient_view import checks_html

        return checks_html(self)


def check_gradients(f, inputs, gradients, dout=None):
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


def check_gradient(f, x, analytic, dout=None, name="gradient", rng=None):
    """Compare one analytic gradient with measured slopes of f at x and return a GradientCheck.

    - f: x -> array shaped like dout, or a number when dout is None; may also read `x` where it lies
    - x: float64 array; its entries are moved in place and put back
    - analytic: the claimed gradient of sum(f(x) * dout), shaped like x
    - rng: numpy Generator for the random direction (default: a fixed seed)
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        raise TypeError(f"check_gradient moves x by tiny steps, so x must be a float array; got {_describe(x)}")
    problem = _unusable(analytic, x, name)
    if problem:
        return GradientCheck(name, None, False, problem)
    raw, analytic = analytic, np.asarray(analytic, dtype=np.float64)
    rtol = 1e-4 if np.asarray(raw).dtype.itemsize < 8 else 1e-6
    dout = np.ones(()) if dout is None else np.asarray(dout, dtype=np.float64)
    rng = rng or np.random.default_rng(231)
    direction = rng.choice([-1.0, 1.0], size=x.shape) * rng.uniform(0.5, 1.5, size=x.shape) * _size(x)
    precision = _precision(f, x, direction)
    if x.size > SMALL:
        error, bound = _direction(f, x, dout, analytic, rtol, direction, precision)
        if error <= bound:
            return GradientCheck(name, analytic, True, f"{name} is right (relative error {error:.1e})", error, bound)
    return _entries(f, x, dout, analytic, rtol, name, precision)


class _Line:
    """L = sum(f(x) * dout) along a line through x, less its value at x: subtracted before it is summed."""

    def __init__(self, f, x, dout, index=..., direction=1.0, precision=np.float64):
        self.f, self.x, self.dout, self.index, self.direction = f, x, dout, index, direction
        self.eps = np.finfo(precision).eps
        self.start = np.array(x[index])
        self.origin = np.array(f(x), dtype=np.float64)

    def change(self, t):
        """Return f(x + t * direction) - f(x)."""
        self.x[self.index] = self.start + t * self.direction
        try:
            return np.array(self.f(self.x), dtype=np.float64) - self.origin
        finally:
            self.x[self.index] = self.start

    def __call__(self, t):
        return float(np.sum(self.change(t) * self.dout))

    def slopes(self, h):
        """Return the slope just left of x, the slope just right of x, and the rounding error to expect in both."""
        change = self.change(h)
        far, near = float(np.sum(change * self.dout)), self(h / 2)
        right = (4 * near - far) / h
        far, near = self(-h), self(-h / 2)
        left = (far - 4 * near) / h
        rounded = np.where(change != 0, self.origin * self.dout, 0)  # outputs that stay put add no rounding error
        return left, right, 4 * self.eps * float(np.linalg.norm(rounded)) / h


def _precision(f, x, direction):
    """Return np.float32 where f rounds to float32 inside: then most outputs miss a move of 1e-9, else np.float64."""
    line = _Line(f, x, 1.0, ..., direction)
    missed = np.mean(line.change(1e-9) == 0)
    still = np.mean(line.change(1e-2) == 0)  # outputs that do not depend on x at all
    return np.float32 if missed - still > 0.5 * (1 - still) else np.float64


def _direction(f, x, dout, analytic, rtol, direction, precision):
    """Return (relative error, bound) of the analytic gradient along one random direction."""
    size = max(float(np.linalg.norm(analytic * direction)), np.finfo(np.float64).tiny)
    claimed = float(np.sum(analytic * direction))
    line = _Line(f, x, dout, ..., direction, precision)
    for step in STEPS[precision]:
        left, right, noise = line.slopes(step / np.sqrt(x.size))
        uncertainty = abs(right - left) + noise
        if uncertainty <= SETTLED * size:
            return abs((left + right) / 2 - claimed) / size, rtol + 10 * uncertainty / size
    return np.inf, rtol  # a kink lies in every step: let the entries decide


def _entries(f, x, dout, analytic, rtol, name, precision):
    """Measure every entry and compare."""
    low, high, uncertainty, kink = _measure(f, x, dout, precision)
    numeric = (low + high) / 2
    size = np.maximum(np.abs(numeric), _typical(numeric))
    undecided = ~kink & (uncertainty > UNDECIDED * size) & (uncertainty > 0)
    bound = rtol * size + 10 * np.where(kink, 0, uncertainty)
    miss = np.maximum(np.maximum(low - analytic, analytic - high), 0)
    miss = np.where(kink, miss, np.abs(analytic - numeric))
    miss = np.where(np.isfinite(analytic), miss, np.inf)
    wrong = (miss > bound) & ~undecided
    relative = np.where(undecided, 0, miss / np.maximum(size, np.finfo(np.float64).tiny))
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(relative - bound * ~wrong), x.shape)) if x.size else ()
    passed = not wrong.any()
    if passed and x.size and undecided.mean() > 0.5:
        passed = None
    error = float(relative[worst]) if x.size else 0.0
    limit = float((bound / np.maximum(size, np.finfo(np.float64).tiny))[worst]) if x.size else rtol
    message = _sentence(name, passed, analytic, numeric, wrong, worst, error)
    return GradientCheck(
        name, analytic, passed, message, error, limit, worst, int(kink.sum()), int(undecided.sum()), numeric, wrong
    )


def _measure(f, x, dout, precision):
    """Return (low, high, uncertainty, kink) per entry: low < high only where f has a kink at x."""
    left, right = np.zeros(x.shape), np.zeros(x.shape)
    size = _size(x)
    kink = np.zeros(x.shape, dtype=bool)
    todo = list(np.ndindex(*x.shape))
    best = np.full(x.shape, np.inf)
    gaps = {}
    first, *_ = STEPS[precision]
    for step in STEPS[precision]:
        for index in todo:
            h = step * max(abs(float(x[index])), size)
            a, b, n = _Line(f, x, dout, index, 1.0, precision).slopes(h)
            gap = abs(b - a)
            # A gap that does not shrink with the step, and is not noise, is a kink at x itself.
            before = gaps.setdefault(index, gap)
            if step < first and gap > 100 * n and abs(gap - before) < 0.1 * gap:
                left[index], right[index], best[index], kink[index] = a, b, n, True
            elif gap + n < best[index] and not kink[index]:
                left[index], right[index], best[index] = a, b, gap + n
        typical = _typical((left + right) / 2)
        todo = [i for i in todo if not kink[i] and best[i] > SETTLED * max(abs(left[i] + right[i]) / 2, typical)]
        if not todo:
            break
    middle = (left + right) / 2
    low = np.where(kink, np.minimum(left, right), middle)
    high = np.where(kink, np.maximum(left, right), middle)
    return low, high, best, kink


def _size(x):
    """Root mean square of x, or 1 where everything is 0: the scale that a step is relative to."""
    return _typical(x) or 1.0


def _typical(values):
    """Root mean square, safe for entries near the ends of the float range."""
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    return float(largest * np.sqrt(np.mean((finite / largest) ** 2))) if largest > 0 else 0.0


def _describe(value):
    """Say what a value is, for a message: type, dtype and shape."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{value!r:.60} of type {type(value).__name__}"


def _unusable(analytic, x, name):
    """Return why the claimed gradient cannot even be compared, or None."""
    if analytic is None:
        return f"{name} is None; expected an array of shape {x.shape}. Does your backward pass return it?"
    array = np.asarray(analytic)
    if array.dtype.kind not in "fiub":
        return f"{name} is {_describe(array)}; expected real numbers of shape {x.shape}"
    if array.shape != x.shape:
        return (
            f"{name} has shape {array.shape}; expected {x.shape}, the shape of what it is the gradient of. "
            "Look at the axes you sum over, and at keepdims."
        )
    return None


def _sentence(name, passed, analytic, numeric, wrong, worst, error):
    """Say the outcome in one sentence a student can act on."""
    if passed:
        return f"{name} is right (relative error {error:.1e})"
    if passed is None:
        return f"{name} could not be measured here: the function jumps or is too noisy near this input"
    place = f"[{', '.join(map(str, worst))}]" if worst else ""
    return (
        f"{name} is wrong in {int(wrong.sum())} of {wrong.size} entries; the worst is {name}{place}: "
        f"your gradient says {analytic[worst]:.6g}, the measured slope is {numeric[worst]:.6g}"
    )
