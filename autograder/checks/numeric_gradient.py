"""Numeric gradients of the judge's own functions, each slope measured once in a process.

A slope depends on the function, its inputs, the input that is moved, and dout; never on what a student's code returned.
So different criteria, retries, variants and students share what was measured. The student's gradient is compared with
the very numbers that a new measurement would give.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.runtime.memo import Memo, identity_of
from cs231n.gradient_check import GradientCheck, compare
from cs231n.slopes import EntrySlopes, Slopes

MOST_BYTES = 64 << 20  # of kept slopes

_measured = Memo(MOST_BYTES)


@dataclass(frozen=True)
class PureFunction:
    """A function of the judge's, made for one call, and its identity: two that share it give the same values."""

    function: Callable[..., Any]
    identity: Hashable

    def __call__(self, **inputs: Any) -> Any:
        return self.function(**inputs)


class MemoisedSlopes(Slopes):
    """Slopes that are looked up before they are measured.

    - key: names f, x and dout
    - memo: where measured slopes are kept
    """

    def __init__(self, f: Callable, x: np.ndarray, dout: np.ndarray, key: Hashable, memo: Memo):
        super().__init__(f, x, dout)
        self._key, self._memo = key, memo

    def changes_x(self) -> bool:
        return self._once(super().changes_x, "changes_x")

    def along(self, direction: np.ndarray, step: float) -> tuple[float, float, float]:
        return self._once(super().along, "along", direction, step)

    def precision(self, direction: np.ndarray) -> type:
        return self._once(super().precision, "precision", direction)

    def unit(self, direction: np.ndarray) -> float:
        return self._once(super().unit, "unit", direction)

    def entries(self, precision: type) -> EntrySlopes:
        return self._once(super().entries, "entries", precision)

    def _once(self, measure: Callable, *what: Any) -> Any:
        return self._memo.get((self._key, identity_of(what)), lambda: measure(*what[1:]))


def check_numeric_gradient(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: str,
    claimed: Any,
    dout: np.ndarray | None = None,
    name: str = "gradient",
) -> GradientCheck:
    """Compare a claimed gradient with slopes of `function` with respect to inputs[wrt], and return a GradientCheck.

    - function: takes the inputs by keyword and always gives the same values for them: a PureFunction, or a function
      that is its own identity
    - dout: the upstream gradient, or None where the function returns a number
    """
    others = {key: value for key, value in inputs.items() if key != wrt}
    moved = inputs[wrt].astype("float64")
    dout = np.ones(()) if dout is None else np.asarray(dout, dtype=np.float64)
    identity = function.identity if isinstance(function, PureFunction) else function
    key = identity, wrt, identity_of(dict(inputs)), identity_of(dout)
    slopes = MemoisedSlopes(lambda value: function(**{wrt: value}, **copy_inputs(others)), moved, dout, key, _measured)
    return compare(claimed, slopes, name)


def copy_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of inputs, for a function that may change them."""
    return {name: value.copy() if isinstance(value, (dict, np.ndarray)) else value for name, value in inputs.items()}
