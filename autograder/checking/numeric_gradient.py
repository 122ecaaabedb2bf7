"""Slopes of the judge's own functions, each measured once in a process.

A slope depends on the function, its inputs, the moved input and dout, and never on a result of a student's code. So
different criteria, retries, variants and students share the measured slopes. A new measurement would give exactly the
same numbers.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograder.runtime.memo import Memo, make_key

MOST_BYTES = 64 << 20  # the largest size of all kept slopes

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
    """A function of the judge, made for one call, and its identity: functions with equal identities are the same."""

    function: Callable[..., Any]
    identity: Hashable

    def __call__(self, **inputs: Any) -> Any:
        """Return the value of the function."""
        return self.function(**inputs)


class MemoisedSlopes:
    """Slopes that are looked up before they are measured.

    - slopes: the object that measures them
    - key: the identity of f, x and dout
    - memo: keeps the measured slopes
    """

    def __init__(self, slopes: Slopes, key: Hashable, memo: Memo) -> None:
        self.x = slopes.x
        self._slopes, self._key, self._memo = slopes, key, memo

    def changes_x(self) -> bool:
        """Return whether f changes its own argument."""
        return self._once("changes_x")

    def precision(self, direction: np.ndarray) -> type:
        """Return the type that f rounds to."""
        return self._once("precision", direction)

    def unit(self, direction: np.ndarray) -> float:
        """Return the slope that rounding errors are relative to."""
        return self._once("unit", direction)

    def along(self, direction: np.ndarray, step: float) -> tuple[float, float, float]:
        """Return (low, high, error) of the slope along a direction."""
        return self._once("along", direction, step)

    def entries(self, precision: type) -> Any:
        """Return the slopes along all entries of x."""
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
    """Return the slopes of `function` with respect to inputs[wrt]; a slope that is known is not measured again.

    - function: takes the inputs by keyword and always gives the same values for them: a PureFunction, or a function
      that is its own identity
    - dout: the upstream gradient, or None if the function returns a number
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
