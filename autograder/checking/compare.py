"""Compare the results of a student's code with the right results."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograder.checking.criteria import Outcome, Wrong
from autograder.sandbox.worker.values import Handle

RTOL = 1e-6  # bound for an array computed in float64
RTOL_FLOAT32 = 2e-4  # bound for an array that is, or may be, computed in float32


def expect_array(actual: Any, shape: Sequence[int], what: str) -> np.ndarray:
    """Return `actual` as an array of this shape, or raise Wrong with a sentence about the actual value."""
    if isinstance(actual, Handle):
        raise Wrong(f"{what} is a {actual.kind}; expected an array of shape {shape}")
    if not isinstance(actual, (np.ndarray, int, float)) or (isinstance(actual, bool) and shape):
        if actual is None:
            raise Wrong(f"{what} is None; expected an array of shape {shape}. Is it written yet?", "missing")
        raise Wrong(f"{what} is a {type(actual).__name__}; expected an array of shape {shape}")
    array = np.asarray(_real(actual))
    if array.shape != tuple(shape):
        raise Wrong(f"{what} has shape {array.shape}; expected {tuple(shape)}{_about_shape(array.shape, tuple(shape))}")
    return array


def expect_number(actual: Any, what: str) -> np.ndarray:
    """Return a number, or an array with one entry, as an array of shape () with the same dtype; else raise Wrong."""
    array = np.asarray(_real(actual)) if isinstance(actual, (np.ndarray, int, float)) else None
    if actual is None:
        raise Wrong(f"{what} is None; expected one number. Is it written yet?", "missing")
    if array is None or array.size != 1:
        shape = "" if array is None else f" an array of shape {array.shape}"
        raise Wrong(f"{what} is{shape or f' a {_kind(actual)}'}; expected one number")
    return array.reshape(())


def expect_close(actual: Any, expected: ArrayLike, what: str, rtol: float | None = None, name: str = "out") -> Outcome:
    """Return an Outcome if the arrays agree, else raise Wrong.

    The error of an entry is relative to that entry, or to the array's typical (root mean square) entry if that is
    larger, so that a rounding error in an entry near 0 is not a mistake.

    - what: the call, for the message, as in "affine_forward(x, w, b) with x of shape (4, 6)"
    """
    expected = np.asarray(expected, dtype=np.float64)
    raw = expect_array(actual, expected.shape, what)
    rtol = rtol or rtol_of(raw)
    actual = raw.astype(np.float64)
    if not expected.size:
        return Outcome(max_rel_error=0.0, bound=rtol)
    error = relative_error(actual, expected)
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(error), error.shape))
    largest = float(error[worst])
    if largest <= rtol:
        return Outcome(max_rel_error=largest, bound=rtol, worst_index=worst)
    wrong = error > rtol
    count, place = f"{int(wrong.sum())} of {wrong.size} entries are wrong; ", f"[{', '.join(map(str, worst))}]"
    came, right = format_distinct(actual[worst], expected[worst])
    message = f"{what}: {count if worst else ''}{name}{place if worst else ''} is {came}, expected {right}"
    raise Wrong(Outcome(message, largest, rtol, worst, (expected, actual, wrong, worst, name, ("expected", "yours"))))


def agrees(actual: Any, expected: Any, rtol: float = RTOL_FLOAT32) -> bool:
    """Return whether two arrays (or numbers) agree within `rtol`, in shape and in values; it raises no exception."""
    # Compare the shapes first: the array may be huge, and its copy in float64 even larger.
    if not _is_numeric(actual) or np.shape(actual) != np.shape(expected):
        return False
    came: np.ndarray = np.asarray(_real(actual), dtype=np.float64)
    right: np.ndarray = np.asarray(expected, dtype=np.float64)
    return bool(np.all(relative_error(came, right) <= rtol))


def rtol_of(array: np.ndarray) -> float:
    """Return the relative error that a right entry of a student's array may have, from the array's dtype."""
    return RTOL if array.dtype.itemsize == 8 else RTOL_FLOAT32


def relative_error(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the error of every entry, relative to it or to the typical entry; inf if it is not finite."""
    with np.errstate(all="ignore"):
        typical = np.sqrt(np.mean(expected**2)) if expected.size else 0.0
        size = np.maximum(np.abs(expected), max(typical, np.finfo(np.float64).tiny))
        error = np.abs(actual - expected) / size
    return np.where(np.isfinite(actual), error, np.inf)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, int, float))


def _real(value: Any) -> Any:
    """Return infinity for an integer that fits into no array type, and every other value unchanged."""
    return np.inf if isinstance(value, int) and abs(value) >= 2**63 else value


def format_distinct(*numbers: float) -> list[str]:
    """Return numbers as texts with six digits, or with more digits if needed to show that they differ."""
    written = ([f"{number:.{digits}g}" for number in numbers] for digits in (6, 9, 12, 17))
    return next((texts for texts in written if len(set(texts)) > 1), [f"{number:.6g}" for number in numbers])


def _kind(value: Any) -> str:
    return value.kind if isinstance(value, Handle) else type(value).__name__


def _about_shape(came: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if int(np.prod(came)) != int(np.prod(expected)):
        return ""
    if came == expected[::-1]:
        return ": it is transposed"
    if tuple(n for n in came if n != 1) == tuple(n for n in expected if n != 1):
        return ": only axes of length 1 differ; look at keepdims, or at a reshape"
    if came[:-2] == expected[:-2] and came[-2:] == expected[-2:][::-1]:
        return ": height and width are swapped" if len(came) > 2 else ": it is transposed"
    if sorted(came) == sorted(expected):
        return ": the axes are in another order; look at transpose"
    return ": the number of entries is right, a reshape is missing"
