"""Is a value right, and if it is not, how far off?

The sister of gradient_check.py, for what goes forward. Every difference stands beside the bound that it must keep:

    values = Values()
    values.expect("scores", net.loss(X), expected, "Is there a ReLU on the scores?")
    display(values)
    values.require("The scores are right.")
"""

import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs231n.gradient_view import VERDICTS, heat_map_html, note_html, picture_of, table_html
from cs231n.slopes import typical_of

HEAD = ("value", "verdict", "yours", "expected", "largest difference", "bound")
SHOWN = 3  # wrong values that are explained; the others rarely say more


@dataclass
class ValueCheck:
    """One value beside what it should be.

    - message: what is wrong and what to try; empty where nothing is
    - error: the largest difference, or None where the two cannot be compared
    - picture: what `heat_map_html` draws, for an array that is wrong
    """

    name: str
    passed: bool
    message: str
    yours: str
    expected: str
    error: float | None
    bound: str
    picture: dict | None = None


class Values(list):
    """Values beside what they should be, as a table: `expect` adds a row, `require` stops where one is wrong."""

    def expect(
        self, name: str, actual: Any, expected: Any, advice: str, bound: float = 1e-6, relative: bool = True
    ) -> None:
        """Compare a value with what it should be, entry by entry, and add a row.

        - actual: what came back; anything may come, and only numbers of the expected shape can be right
        - expected: number, boolean or array; booleans have to be met exactly
        - advice: what to try if the value is wrong
        - bound: what the difference of any entry may be
        - relative: to the expected entry, or to the typical (root mean square) one where that is larger. Where all
          expected entries are 0 there is nothing to be relative to, and differences are absolute.
        """
        wanted, values = np.asarray(expected), numbers_of(actual)
        bound = 0 if wanted.dtype.kind == "b" else bound
        relative = bool(relative and bound and wanted.any())
        allowed = f"≤ {bound:.1e}{' relative' * relative}" if bound else "exact"
        if values is None or values.shape != wanted.shape:
            yours, ours = " ".join(reprlib.repr(actual).split()), brief(wanted)
            came = yours if actual is None else f"{yours} of type {type(actual).__name__}"
            if values is not None:
                came = f"shape {values.shape}"
                yours, ours = f"{brief(values)}, {came}", f"{ours}, shape {wanted.shape}"
            asked = f"numbers of shape {wanted.shape}" if wanted.ndim else "a number"
            hint = " Is there a line that computes it?" * (actual is None)
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
            place, count = (f" at {list(worst)}", f" in {wrong.sum()} of {wrong.size} entries") if worst else ("", "")
            came, asked = word(values[worst], 8), word(wanted[worst], 8)
            off = f"(off by {error:.1e}{count}, has to be {allowed})"
            message = f"{name}: {came} came back{place}, expected {asked} {off}. {advice}"
            picture = picture_of(ours, theirs, wrong, worst, name, ("expected", "yours")) if worst else None
        self.append(ValueCheck(name, not message, message, brief(values), brief(wanted), error, allowed, picture))

    def require(self, done: str | None = None) -> None:
        """Raise AssertionError with the advice of the first rows that are wrong; else print `done`, if given."""
        problems = [check.message for check in self if not check.passed]
        if problems:
            more = [f"(and {len(problems) - SHOWN} more in the table)"] * (len(problems) > SHOWN)
            raise AssertionError("\n".join(problems[:SHOWN] + more))
        if done:
            print(f"✓ {done}")

    def __repr__(self):
        rows = [HEAD, *((name, " ".join(VERDICTS[passed][:2]), *rest) for name, passed, *rest in map(row_of, self))]
        rows = [[entry if len(entry) <= 60 else f"{entry[:59]}…" for entry in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    def _repr_html_(self):
        wrong = [check for check in self if not check.passed][:SHOWN]
        notes = [note_html(check.message) + (heat_map_html(check.picture) if check.picture else "") for check in wrong]
        return table_html(HEAD, map(row_of, self)) + "".join(notes)


def check_parameters(params: dict, shapes: dict, weight_scale: float) -> Values:
    """Return Values of a new network's parameters: weights of the given spread, biases 0.

    Both go by name: {"W1": array, ...} and {"W1": (D, M), ...}. Raises AssertionError where names or shapes differ.
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
    """Return what stands under HEAD for one value."""
    error = "–" if check.error is None else f"{check.error:.1e}" if check.error else "0"
    return check.name, check.passed, check.yours, check.expected, error, check.bound


def numbers_of(value: Any) -> np.ndarray | None:
    """Return a value as an array of real numbers, or None where it is none."""
    try:
        return array if (array := np.asarray(value)).dtype.kind in "fiub" else None
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths, tensors that hold no value
        return None


def brief(array: np.ndarray) -> str:
    """Return a number, a few numbers, or the smallest and the largest of many, as text."""
    words = ", ".join(word(entry, 4 if array.ndim else 6) for entry in array.flat[:5])
    if array.size <= 4 and len(words) <= 20:  # the bound, far on the right, should stay in sight
        return f"[{words}]" if array.ndim else words
    finite = array[np.isfinite(array)]
    ends = " … ".join(dict.fromkeys(word(end, 4) for end in (finite.min(), finite.max()))) if finite.size else ""
    lost = f"{array.size - finite.size} not finite" if finite.size < array.size else ""
    return ", ".join(filter(None, (ends if "…" in ends or not ends else f"all {ends}", lost)))


def word(number: Any, digits: int) -> str:
    """Return one number of an array as text."""
    return str(number) if isinstance(number, np.bool_) else f"{number + 0.0:.{digits}g}"
