"""Slopes of a function, measured from its values alone, with an error estimate on every one.

    L(t) = sum(f(x + t * direction) * dout)

Each slope is taken from four values, L at -h, -h/2, h/2 and h. They give a slope to the right of x and one to the
left of x, each exact for parabolas:

    right = (4 L(h/2) - L(h) - 3 L(0)) / h          left = (3 L(0) + L(-h) - 4 L(-h/2)) / h

Where f is smooth the two agree up to O(h^2), so their gap *is* an error estimate. Where f has a kink at x (a ReLU at
exactly 0, a tie in a maximum) the gap stays as h shrinks, and every value between the two slopes is a subgradient.
"""

import numpy as np

# Steps, relative to the size of the data: the first suits smooth functions, the second steps over a kink that is near
# x but not at it. A function that rounds to float32 somewhere inside needs longer ones to out-shout its noise.
STEPS = {np.float64: (1e-4, 1e-6), np.float32: (1e-2, 1e-3)}
SETTLED = 1e-5  # an estimate is good enough when its error is below this part of the gradient's size


class Line:
    """L = sum(f(x) * dout) along a line through x, less its value at x: subtracted before it is summed."""

    def __init__(self, f, x, dout, index=..., direction=1.0, precision=np.float64):
        self.f, self.x, self.dout, self.index, self.direction = f, x, dout, index, direction
        self.eps = np.finfo(precision).eps
        self.start = np.array(x[index])
        self.origin = np.array(f(x), dtype=np.float64)

    @property
    def size(self):
        """The size of the terms that L is the sum of, which its rounding error is a part of."""
        return float(np.linalg.norm(self.origin * self.dout))

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


def precision_of(f, x, direction):
    """Return np.float32 where f rounds to it: most outputs that depend on x fit that type or miss a move of 1e-9."""
    line = Line(f, x, 1.0, ..., direction)
    change = line.change(1e-2)
    depends = change != 0
    if not depends.any():
        return np.float64
    values = (line.origin + change)[depends]
    with np.errstate(over="ignore"):
        fits = values.astype(np.float32) == values
    missed = line.change(1e-9)[depends] == 0
    return np.float32 if max(fits.mean(), missed.mean()) > 0.5 else np.float64


def measure_entries(f, x, dout, precision):
    """Return (low, high, uncertainty, kink) per entry: low < high only where f has a kink at x."""
    left, right = np.zeros(x.shape), np.zeros(x.shape)
    size = size_of(x)
    kink = np.zeros(x.shape, dtype=bool)
    todo = list(np.ndindex(*x.shape))
    best = np.full(x.shape, np.inf)
    gaps = {}
    first, *_ = STEPS[precision]
    for step in STEPS[precision]:
        for index in todo:
            h = step * max(abs(float(x[index])), size)
            a, b, n = Line(f, x, dout, index, 1.0, precision).slopes(h)
            gap = abs(b - a)
            # A gap that does not shrink with the step, and is not noise, is a kink at x itself.
            before = gaps.setdefault(index, gap)
            if step < first and gap > 100 * n and abs(gap - before) < 0.1 * gap:
                left[index], right[index], best[index], kink[index] = a, b, n, True
            elif gap + n < best[index] and not kink[index]:
                left[index], right[index], best[index] = a, b, gap + n
        typical = typical_of((left + right) / 2)
        todo = [i for i in todo if not kink[i] and best[i] > SETTLED * max(abs(left[i] + right[i]) / 2, typical)]
        if not todo:
            break
    middle = (left + right) / 2
    low = np.where(kink, np.minimum(left, right), middle)
    high = np.where(kink, np.maximum(left, right), middle)
    return low, high, best, kink


def size_of(x):
    """Root mean square of x, or 1 where everything is 0: the scale that a step is relative to."""
    return typical_of(x) or 1.0


def typical_of(values):
    """Root mean square, safe for entries near the ends of the float range."""
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    return float(largest * np.sqrt(np.mean((finite / largest) ** 2))) if largest > 0 else 0.0
