"""Slopes of a function, measured from its values alone, each with an estimate of its error.

    L(t) = sum(f(x + t * direction) * dout)

A slope is measured from four values: L at -h, -h/2, h/2 and h. Two of them give a central difference. Richardson's
extrapolation combines two central differences into one whose error shrinks like h^4:

    far = (L(h) - L(-h)) / 2h        near = (L(h/2) - L(-h/2)) / h        middle = (4 near - far) / 3

The distance between `near` and `far` is an error estimate. The same four values give a slope to the right of x and a
slope to the left of x. Both are exact for parabolas:

    right = (4 L(h/2) - L(h) - 3 L(0)) / h          left = (3 L(0) + L(-h) - 4 L(-h/2)) / h

Where f is smooth, the gap between the two shrinks like h^3. Where f has a kink at x (a ReLU at exactly 0, a tie in a
maximum), the gap stays as h shrinks, and every value between the two slopes is a subgradient. Each output of f may
choose its own subgradient, so the gap is computed for each output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Function = Callable[[np.ndarray], ArrayLike]  # x -> array or number

# Steps, relative to the size of the data, tried in this order until one is good enough. The first suits smooth
# functions; the others suit functions that change fast, or have a kink near x. A function that rounds to float32 inside
# needs longer steps, because its rounding errors are larger.
STEPS: dict[type, tuple[float, ...]] = {np.float64: (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), np.float32: (1e-1, 1e-2, 1e-3)}
SETTLED = 1e-6  # an estimate is good enough when its error is below this part of the gradient's size


class Line:
    """L along a line through x, minus its value at x. The values of f are subtracted before they are summed."""

    def __init__(
        self,
        f: Function,
        x: np.ndarray,
        dout: np.ndarray | float,
        index: Any = ...,
        direction: np.ndarray | float = 1.0,
        precision: type = np.float64,
        origin: np.ndarray | None = None,
    ) -> None:
        """Take the line through x along `direction` at x[index].

        - precision: the type that f rounds to
        - origin: f(x), if it is known already
        """
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
        """Return L(t) - L(0)."""
        return float(np.sum(self.change(t) * self.dout))

    def slopes(self, h: float) -> tuple[float, float, float]:
        """Return (low, high, error): every slope between low and high fits x, and both are off by about error."""
        right, left, near_right, near_left = (self.change(t) * self.dout for t in (h, -h, h / 2, -h / 2))
        if np.ndim(right) == 0:
            return self._slopes_of_number(h, float(right), float(left), float(near_right), float(near_left))
        moved = (right != 0) | (left != 0)  # outputs that do not move add no rounding error
        noise = 4 * self.eps * np.where(moved, np.abs(self.origin * self.dout), 0) / h
        near, far = float(np.sum(near_right - near_left)) / h, float(np.sum(right - left)) / (2 * h)
        middle = (4 * near - far) / 3
        gap = np.abs(4 * (near_right + near_left) - (right + left)) / h
        spread = float(np.sum(np.maximum(gap - 2 * noise, 0)))
        return middle - spread / 2, middle + spread / 2, abs(near - far) + float(np.linalg.norm(noise))

    def _slopes_of_number(
        self, h: float, right: float, left: float, near_right: float, near_left: float
    ) -> tuple[float, float, float]:
        """Return the same for an f that returns a number; Python computes with single numbers faster than NumPy."""
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
    - uncertainty: the possible error of both
    - kink: where f has a kink at x
    """

    low: np.ndarray
    high: np.ndarray
    uncertainty: np.ndarray
    kink: np.ndarray


class Slopes:
    """The slopes of L at x. Each is measured when it is needed; x is changed in place and restored.

    - f: x -> array shaped like dout, or a number
    - x: float64 array
    - dout: float64 array
    """

    def __init__(self, f: Function, x: np.ndarray, dout: np.ndarray) -> None:
        self.f, self.x, self.dout = f, x, dout

    @cached_property
    def origin(self) -> np.ndarray:
        """f(x)."""
        return np.array(self.f(self.x), dtype=np.float64)

    def changes_x(self) -> bool:
        """Return whether f changes its own argument; x is restored."""
        before = self.x.copy()
        self.origin = np.array(self.f(self.x), dtype=np.float64)
        if np.array_equal(self.x, before, equal_nan=True):
            return False
        self.x[...] = before
        return True

    def along(self, direction: np.ndarray, step: float) -> tuple[float, float, float]:
        """Return (low, high, error) of the slope along a direction, as Line.slopes does."""
        return self._line(direction).slopes(step)

    def precision(self, direction: np.ndarray) -> type:
        """Return the type that f rounds to: np.float32 or np.float64.

        It is np.float32 where most outputs that depend on x are float32 numbers, or do not react to a step of 1e-9.
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

    def unit(self, direction: np.ndarray) -> float:
        """Return the slope that L would have if it changed by its own size while x changes by its size.

        Rounding errors are relative to this slope. The size of L is that of its terms, or of their change along the
        direction, whichever is larger. Both are 0 for the loss of a prediction that is almost certain; then longer
        steps are tried.
        """
        line = self._line(direction)
        size = float(np.linalg.norm(line.origin * self.dout))
        for step in (1e-2, 1.0, -1.0, 10.0, -10.0):
            with np.errstate(all="ignore"):
                change = float(np.linalg.norm(line.change(step) * self.dout)) / abs(step)
            size = max(size, change) if np.isfinite(change) else size
            if size > 0:
                break
        return size / size_of(self.x)

    def entries(self, precision: type) -> EntrySlopes:
        """Return the slope along every entry of x; `precision` is the type that f rounds to."""
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
                # A gap that does not shrink with the step, and is not an error, is a kink at x itself.
                kink[index] = abs(gap - last_gap) < 0.1 * gap and gap > 10 * error
                # Rounded values may agree by chance at one step size, but hardly at two.
                uncertainty = gap + error + abs(middle - last_middle)
                if kink[index]:
                    low[index], high[index], best[index] = a, b, error
                elif uncertainty < best[index]:
                    low[index] = high[index] = middle
                    best[index] = uncertainty
            settled = SETTLED * np.maximum(np.abs(low + high) / 2, typical_of((low + high) / 2))
            todo = [index for index in todo if not kink[index] and best[index] > settled[index]]
        return EntrySlopes(low, high, best, kink)

    def _line(self, direction: np.ndarray) -> Line:
        return Line(self.f, self.x, self.dout, ..., direction, origin=self.origin)


def size_of(x: np.ndarray) -> float:
    """Return the root mean square of x, or 1 where all entries are 0; steps are relative to it."""
    return typical_of(x) or 1.0


def typical_of(values: np.ndarray) -> float:
    """Return the root mean square of the finite entries, also where their squares leave the float range."""
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    return float(largest * np.sqrt(np.mean((finite / largest) ** 2))) if largest > 0 else 0.0
