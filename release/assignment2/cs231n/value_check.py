"""Is a value right, and if it is not, how large is the difference?

This does for values what gradient_check.py does for gradients. It shows every difference next to its bound:

    values = Values()
    values.expect("scores", net.loss(X), expected, "Is there a ReLU on the scores?")
    display(values)
    values.require("The scores are right.")
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n.gradient_view import VERDICTS, Picture, heat_map_html, note_html, picture_of, table_html
from cs231n.slopes import typical_of

HEAD = ("value", "verdict", "yours", "expected", "largest difference", "bound")
SHOWN = 3  # wrong values that are explained; the others rarely say more


@dataclass
class ValueCheck:
    """One value and the expected value.

    - message: what is wrong and what to try; empty if the value is right
    - yours, expected: both values in short
    - error: the largest difference, or None if the two cannot be compared
    - picture: for `heat_map_html`, if the value is a wrong array
    """

    name: str
    passed: bool
    message: str
    yours: str
    expected: str
    error: float | None
    bound: str
    picture: Picture | None = None


class Values(list[ValueCheck]):
    """A table of values and expected values: `expect` adds a row, `require` raises an error if a row is wrong."""

    def expect(
        self, name: str, actual: Any, expected: ArrayLike, advice: str, bound: float = 1e-6, relative: bool = True
    ) -> None:
        """Compare a value with the expected value, entry by entry, and add a row.

        - actual: the value; it may be any object, but only numbers of the expected shape can be right
        - expected: number, boolean or array; booleans must be equal
        - advice: what to try if the value is wrong
        - bound: the largest difference that an entry may have
        - relative: whether differences are relative to the expected entry, or to the typical (root mean square) entry
          if that is larger. If all expected entries are 0, differences are absolute.
        """
        wanted, values = np.asarray(expected), numbers_of(actual)
        bound = 0 if wanted.dtype.kind == "b" else bound
        relative = bool(relative and bound and wanted.any())
        allowed = f"≤ {bound:.1e}{' relative' if relative else ''}" if bound else "exact"
        if values is None or values.shape != wanted.shape:
            yours, ours = " ".join(reprlib.repr(actual).split()), summarize(wanted)
            came = yours if actual is None else f"{yours} of type {type(actual).__name__}"
            if values is not None:
                came = f"shape {values.shape}"
                yours, ours = f"{summarize(values)}, {came}", f"{ours}, shape {wanted.shape}"
            asked = f"numbers of shape {wanted.shape}" if wanted.ndim else "a number"
            hint = " Is there a line that computes it?" if actual is None else ""
            message = f"{name}: {came} came back, expected {asked}.{hint} {advice}"
            self.append(ValueCheck(name, False, message, yours, ours, None, allowed))
            return
        ours, theirs = wanted.astype(np.float64), values.astype(np.float64)
        with np.errstate(all="ignore"):
            size = np.maximum(np.abs(ours), typical_of(ours)) if relative else 1.0
            errors = np.nan_to_num(np.abs(theirs - ours) / size, nan=np.inf, posinf=np.inf)
        wrong, error = errors > bound, float(np.max(errors, initial=0.0))
        message, picture = "", None
        if wrong.any():
            worst = tuple(int(i) for i in np.unravel_index(np.argmax(errors), errors.shape))
            place = f" at {list(worst)}" if worst else ""
            count = f"; {wrong.sum()} of {wrong.size} entries are wrong" if worst else ""
            came, asked = format_number(values[worst], 8), format_number(wanted[worst], 8)
            difference = f"(difference {error:.1e}, has to be {allowed}{count})"
            message = f"{name}: {came} came back{place}, expected {asked} {difference}. {advice}"
            picture = picture_of(ours, theirs, wrong, worst, name, ("expected", "yours")) if worst else None
        yours, ours = summarize(values), summarize(wanted)
        self.append(ValueCheck(name, not message, message, yours, ours, error, allowed, picture))

    def require(self, done: str | None = None) -> None:
        """Raise AssertionError with the messages of the first wrong rows; if all rows are right, print `done`."""
        problems = [check.message for check in self if not check.passed]
        if problems:
            more = [f"(and {len(problems) - SHOWN} more in the table)"] if len(problems) > SHOWN else []
            raise AssertionError("\n".join(problems[:SHOWN] + more))
        if done:
            print(f"✓ {done}")

    def __repr__(self) -> str:
        rows = [HEAD, *((name, " ".join(VERDICTS[passed][:2]), *rest) for name, passed, *rest in map(row_of, self))]
        rows = [[entry if len(entry) <= 60 else f"{entry[:59]}…" for entry in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        wrong = [check for check in self if not check.passed][:SHOWN]
        notes = [note_html(check.message) + (heat_map_html(check.picture) if check.picture else "") for check in wrong]
        return table_html(HEAD, map(row_of, self)) + "".join(notes)


def check_parameters(params: Mapping[str, np.ndarray], shapes: Mapping[str, tuple], weight_scale: float) -> Values:
    """Return Values of a new network's parameters: weights of the given standard deviation, biases 0.

    - params: {"W1": array, ...}
    - shapes: {"W1": (D, M), ...}

    Raises AssertionError if names or shapes differ.
    """
    if (found := {name: np.shape(value) for name, value in params.items()}) != shapes:
        raise AssertionError(f"The parameters are\n{found}\nexpected, in any order,\n{shapes}")
    values = Values()
    for name, value in params.items():
        if name.startswith("b"):
            values.expect(name, value, np.zeros(shapes[name]), "Biases start at 0.", bound=0)
        else:
            values.expect(f"{name}: standard deviation", np.std(value), weight_scale, "It should be weight_scale.", 0.1)
    return values


def row_of(check: ValueCheck) -> tuple:
    """Return the entries of one value under HEAD."""
    error = "–" if check.error is None else f"{check.error:.1e}" if check.error else "0"
    return check.name, check.passed, check.yours, check.expected, error, check.bound


def numbers_of(value: Any) -> np.ndarray | None:
    """Return a value as an array of real numbers, or None if it has no such form."""
    try:
        return array if (array := np.asarray(value)).dtype.kind in "fiub" else None
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths, tensors that hold no value
        return None


def summarize(array: np.ndarray) -> str:
    """Return a number, a few numbers, or the smallest and the largest of many, as text."""
    texts = ", ".join(format_number(entry, 4 if array.ndim else 6) for entry in array.flat[:5])
    if array.size <= 4 and len(texts) <= 20:  # a wider column would move the bound out of sight
        return f"[{texts}]" if array.ndim else texts
    finite = array[np.isfinite(array)]
    ends = [format_number(end, 4) for end in (finite.min(), finite.max())] if finite.size else []
    parts = [f"all {ends[0]}" if len(set(ends)) == 1 else " … ".join(ends)] if ends else []
    if finite.size < array.size:
        parts.append(f"{array.size - finite.size} not finite")
    return ", ".join(parts)


def format_number(number: Any, digits: int) -> str:
    """Return one number or boolean of an array as text."""
    return str(number) if isinstance(number, np.bool_) else f"{number + 0.0:.{digits}g}"
