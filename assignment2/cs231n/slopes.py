"""Slopes of a function, measured from its values alone, with an error estimate on every one.

    L(t) = sum(f(x + t * direction) * dout)

Each slope is taken from four values, L at -h, -h/2, h/2 and h. Two of them make a central difference, and Richardson's
extrapolation joins two central differences into one whose error shrinks like h^4:

    far = (L(h) - L(-h)) / 2h        near = (L(h/2) - L(-h/2)) / h        middle = (4 near - far) / 3

How far `near` and `far` are apart *is* an error estimate. The same four values give a slope to the right of x and one
to the left of x, each exact for parabolas:

    right = (4 L(h/2) - L(h) - 3 L(0)) / h          left = (3 L(0) + L(-h) - 4 L(-h/2)) / h

Where f is smooth the gap between them shrinks like h^3. Where f has a kink at x (a ReLU at exactly 0, a tie in a
maximum) it stays as h shrinks, and every value between the two slopes is a subgradient. Each output of f may choose its
own, so the gap is taken output by output.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

# Steps, relative to the size of the data, tried until one is good enough: the first suits smooth functions, the others
# those that change much faster than x is large, or have a kink near x. A function that rounds to float32 somewhere
# inside needs longer ones to out-shout its noise.
STEPS = {np.float64: (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), np.float32: (1e-1, 1e-2, 1e-3)}
SETTLED = 1e-6  # an estimate is good enough when its error is below this part of the gradient's size


class Line:
    """L = sum(f(x) * dout) along a line through x, less its value at x: subtracted before it is summed."""

    def __init__(self, f, x, dout, index: Any = ..., direction=1.0, precision=np.float64, origin=None):
        """Take the line through x along `direction` at x[index]; `origin` is f(x) where it is known already."""
        self.f, self.x, self.dout, self.index, self.direction = f, x, dout, index, direction
        self.eps = np.finfo(precision).eps
        self.start = np.array(x[index])
        self.origin = np.array(f(x), dtype=np.float64) if origin is None else origin

    def change(self, t: float) -> np.ndarray:
        """Return f(x + t * direction) - f(x)."""
        self.x[self.index] = self.start + t * self.direction
        try:
            return np.array(self.f(self.x), dtype=np.float64) - self.origin
        finally:
            self.x[self.index] = self.start

    def __call__(self, t: float) -> float:
        return float(np.sum(self.change(t) * self.dout))

    def slopes(self, h: float) -> tuple[float, float, float]:
        """Return (low, high, error): every slope between low and high fits x, and both are off by about error."""
        right, left, near_right, near_left = (self.change(t) * self.dout for t in (h, -h, h / 2, -h / 2))
        if np.ndim(right) == 0:
            return self._slopes_of_number(h, float(right), float(left), float(near_right), float(near_left))
        moved = (right != 0) | (left != 0)  # outputs that stay put add no rounding error
        noise = 4 * self.eps * np.where(moved, np.abs(self.origin * self.dout), 0) / h
        near, far = float(np.sum(near_right - near_left)) / h, float(np.sum(right - left)) / (2 * h)
        middle = (4 * near - far) / 3
        gap = np.abs(4 * (near_right + near_left) - (right + left)) / h
        spread = float(np.sum(np.maximum(gap - 2 * noise, 0)))
        return middle - spread / 2, middle + spread / 2, abs(near - far) + float(np.linalg.norm(noise))

    def _slopes_of_number(self, h, right, left, near_right, near_left):
        """The same for f that returns a number: the work on single numbers takes NumPy as long as a small net takes."""
        noise = 4 * float(self.eps) * (abs(float(self.origin * self.dout)) if right or left else 0.0) / h
        near, far = (near_right - near_left) / h, (right - left) / (2 * h)
        middle = (4 * near - far) / 3
        gap = abs(4 * (near_right + near_left) - (right + left)) / h
        spread = max(gap - 2 * noise, 0.0)
        return middle - spread / 2, middle + spread / 2, abs(near - far) + noise


@dataclass(frozen=True)
class EntrySlopes:
    """The slope of L along every entry of x, as arrays of its shape.

    - low, high: every slope between the two fits; they differ only where f has a kink at x
    - uncertainty: how far off both may be
    - kink: where f has a kink at x
    """

    low: np.ndarray
    high: np.ndarray
    uncertainty: np.ndarray
    kink: np.ndarray


class Slopes:
    """The slopes of L at x. Each is measured when it is asked for; x is moved in place and put back.

    - f: x -> array shaped like dout, or a number
    - x: float64 array
    - dout: float64 array
    """

    def __init__(self, f, x, dout):
        self.f, self.x, self.dout = f, x, dout

    @cached_property
    def origin(self):
        """f(x)."""
        return np.array(self.f(self.x), dtype=np.float64)

    def changes_x(self):
        """Return whether f changes its own argument, which is put back."""
        before = self.x.copy()
        self.origin = np.array(self.f(self.x), dtype=np.float64)
        if np.array_equal(self.x, before, equal_nan=True):
            return False
        self.x[...] = before
        return True

    def along(self, direction, step):
        """Return (low, high, error) of the slope along a direction, as Line.slopes does."""
        return self._line(direction).slopes(step)

    def precision(self, direction):
        """Return np.float32 where f rounds to it, else np.float64.

        It does where most outputs that depend on x fit that type or miss a move of 1e-9.
        """
        line = self._line(direction)
        change = line.change(1e-2)
        depends = change != 0
        if not depends.any():
            return np.float64
        values = (line.origin + change)[depends]
        with np.errstate(over="ignore"):
            fits = values.astype(np.float32) == values
        missed = line.change(1e-9)[depends] == 0
        return np.float32 if max(fits.mean(), missed.mean()) > 0.5 else np.float64

    def unit(self, direction):
        """Return the slope that L would have if it changed by its own size while x does.

        Rounding errors are relative to it. The size of L is that of its terms, or of how they change along the
        direction, whichever is larger. Where both are 0, as with the loss of a prediction that is as good as certain,
        x is moved farther.
        """
        line = self._line(direction)
        size = float(np.linalg.norm(line.origin * self.dout))
        for part in (1e-2, 1.0, -1.0, 10.0, -10.0):
            with np.errstate(all="ignore"):
                change = float(np.linalg.norm(line.change(part) * self.dout)) / abs(part)
            size = max(size, change) if np.isfinite(change) else size
            if size > 0:
                break
        return size / size_of(self.x)

    def entries(self, precision):
        """Return the EntrySlopes; `precision` is the type that f rounds to."""
        x = self.x
        low, high, best = np.zeros(x.shape), np.zeros(x.shape), np.full(x.shape, np.inf)
        kink = np.zeros(x.shape, dtype=bool)
        before = {}
        todo, size = list(np.ndindex(*x.shape)), size_of(x)
        for step in STEPS[precision]:
            for index in todo:
                h = step * max(abs(float(x[index])), size)
                a, b, error = Line(self.f, x, self.dout, index, 1.0, precision, self.origin).slopes(h)
                middle, gap = (a + b) / 2, b - a
                last_middle, last_gap = before.get(index, (middle, np.inf))
                before[index] = middle, gap
                # A gap that does not shrink with the step, and is no error, is a kink at x itself.
                kink[index] = abs(gap - last_gap) < 0.1 * gap and gap > 10 * error
                # Where rounding makes steps of its own, values may agree by chance: those of two step sizes hardly do.
                uncertainty = gap + error + abs(middle - last_middle)
                if kink[index]:
                    low[index], high[index], best[index] = a, b, error
                elif uncertainty < best[index]:
                    low[index] = high[index] = middle
                    best[index] = uncertainty
            settled = SETTLED * np.maximum(np.abs(low + high) / 2, typical_of((low + high) / 2))
            todo = [index for index in todo if not kink[index] and best[index] > settled[index]]
        return EntrySlopes(low, high, best, kink)

    def _line(self, direction):
        return Line(self.f, self.x, self.dout, ..., direction, origin=self.origin)


def size_of(x: np.ndarray) -> float:
    """Root mean square of x, or 1 where everything is 0: the scale that a step is relative to."""
    return typical_of(x) or 1.0


def typical_of(values: np.ndarray) -> float:
    """Root mean square, safe for entries near the ends of the float range."""
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    return float(largest * np.sqrt(np.mean((finite / largest) ** 2))) if largest > 0 else 0.0
