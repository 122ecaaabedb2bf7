"""Slopes of the judge's own functions, each measured once in a process.

A slope depends on the function, its inputs, the input that is moved, and dout; never on what a student's code returned.
So different criteria, retries, variants and students share what was measured. The student's gradient is compared with
the very numbers that a new measurement would give.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograder.runtime.memo import Memo, make_key

MOST_BYTES = 64 << 20  # of kept slopes

_measured = Memo(MOST_BYTES)


class Slopes(Protocol):
    """The slopes of L = sum(f(x) * dout) at x, as the assignment's own gradient check measures them."""

    x: np.ndarray

    def changes_x(self) -> bool:
        """Return whether f changes its own argument."""
        ...

    def precision(self, direction: np.ndarray) -> type:
        """Return the type that f rounds to."""
        ...

    def unit(self, direction: np.ndarray) -> float:
        """Return the slope that rounding errors are relative to."""
        ...

    def along(self, direction: np.ndarray, step: float) -> tuple[float, float, float]:
        """Return (low, high, error) of the slope along a direction."""
        ...

    def entries(self, precision: type) -> Any:
        """Return the slopes along all entries of x."""
        ...


@dataclass(frozen=True)
class PureFunction:
    """A function of the judge's, made for one call, and its identity: two that share it give the same values."""

    function: Callable[..., Any]
    identity: Hashable

    def __call__(self, **inputs: Any) -> Any:
        return self.function(**inputs)


class MemoisedSlopes:
    """Slopes that are looked up before they are measured.

    - slopes: measures them
    - key: names f, x and dout
    - memo: where measured slopes are kept
    """

    def __init__(self, slopes: Slopes, key: Hashable, memo: Memo):
        self.x = slopes.x
        self._slopes, self._key, self._memo = slopes, key, memo

    def changes_x(self) -> bool:
        return self._once("changes_x")

    def precision(self, direction: np.ndarray) -> type:
        return self._once("precision", direction)

    def unit(self, direction: np.ndarray) -> float:
        return self._once("unit", direction)

    def along(self, direction: np.ndarray, step: float) -> tuple[float, float, float]:
        return self._once("along", direction, step)

    def entries(self, precision: type) -> Any:
        return self._once("entries", precision)

    def _once(self, name: str, *arguments: Any) -> Any:
        measure = getattr(self._slopes, name)
        return self._memo.get((self._key, name, make_key(arguments)), lambda: measure(*arguments))


def slopes_of(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: str,
    dout: np.ndarray | None,
    measure: Callable[[Callable[[np.ndarray], Any], np.ndarray, np.ndarray], Slopes],
) -> MemoisedSlopes:
    """Return the slopes of `function` with respect to inputs[wrt]; what is known of them is not measured again.

    - function: takes the inputs by keyword and always gives the same values for them: a PureFunction, or a function
      that is its own identity
    - dout: the upstream gradient, or None where the function returns a number
    - measure: (f, x, dout) -> Slopes
    """
    others = {key: value for key, value in inputs.items() if key != wrt}
    moved = inputs[wrt].astype("float64")
    dout = np.ones(()) if dout is None else np.asarray(dout, dtype=np.float64)
    identity = function.identity if isinstance(function, PureFunction) else function
    key = identity, wrt, make_key(dict(inputs)), make_key(dout)

    def of_input(value: np.ndarray) -> Any:
        return function(**{wrt: value}, **copy_inputs(others))

    slopes = measure(of_input, moved, dout)
    return MemoisedSlopes(slopes, key, _measured)


def copy_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of inputs, for a function that may change them."""
    return {name: value.copy() if isinstance(value, (dict, np.ndarray)) else value for name, value in inputs.items()}
