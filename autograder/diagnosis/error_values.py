"""How the values of some entries are wrong: not finite, 0, a multiple of the right values, or off by a constant."""

import numpy as np

from autograder.checking.compare import agrees, format_distinct
from autograder.diagnosis.array_comparison import ArrayComparison

MIN_EVIDENCE = 3  # entries, or different values, that show more than a coincidence
_SINGULAR = {"are": "is", "have": "has"}


def describe_values(comparison: ArrayComparison, part: np.ndarray, plural: str, singular: str) -> str:
    """Return how the entries of a part are wrong, as in "all entries are 0"; "" if no simple description fits.

    - part: the boolean mask of the entries
    - plural, singular: the subject of the sentence for several entries, and for one entry
    """
    expected, actual = comparison.expected[part], comparison.actual[part]
    phrase = next(filter(None, (describe(expected, actual, comparison) for describe in _DESCRIPTIONS)), "")
    if not phrase or actual.size > 1:
        return phrase and f"{plural} {phrase}"
    verb, _, rest = phrase.partition(" ")
    return f"{singular} {_SINGULAR[verb]} {rest}"


def name_not_finite(values: np.ndarray) -> str:
    """Return "nan", "infinite" or "nan or infinite": the kinds of values that are not finite."""
    is_nan = np.isnan(values[~np.isfinite(values)])
    if is_nan.all():
        return "nan"
    return "nan or infinite" if is_nan.any() else "infinite"


# Each function takes the flat arrays of the part, and returns the words that follow the subject, or "".


def _describe_not_finite(expected: np.ndarray, actual: np.ndarray, comparison: ArrayComparison) -> str:
    return "" if np.isfinite(actual).any() else f"are {name_not_finite(actual)}"


def _describe_zeros(expected: np.ndarray, actual: np.ndarray, comparison: ArrayComparison) -> str:
    return "" if actual.any() else "are 0"


def _describe_multiple(expected: np.ndarray, actual: np.ndarray, comparison: ArrayComparison) -> str:
    factor, rtol = float(np.sum(actual * expected) / np.sum(expected**2)), comparison.rtol
    if not 1e-99 < abs(factor) < 1e99 or abs(factor - 1) <= 10 * rtol:
        return ""
    if not agrees(actual, factor * expected, rtol):
        return ""
    return "have the wrong sign" if abs(factor + 1) <= rtol else _describe_factor(factor, actual.size, comparison)


def _describe_factor(factor: float, size: int, comparison: ArrayComparison) -> str:
    """Describe a factor that `size` entries share, as "too large by a factor of 4, the number of examples"."""
    way, times = ("large", abs(factor)) if abs(factor) > 1 else ("small", 1 / abs(factor))
    whole = round(times) if abs(times - np.round(times)) <= comparison.rtol * times else 0
    sign = ", with the wrong sign" if factor < 0 else ""
    axes = [axis for axis in comparison.axes if axis.name and axis.length == whole > 2]
    if len(axes) == 1:
        return f"are too {way} by a factor of {whole}, the number of {axes[0].plural}{sign}"
    if whole in (2, 3) or (size >= MIN_EVIDENCE and 2 <= whole < 0.005 / comparison.rtol):
        return f"are too {way} by a factor of {whole}{sign}"
    return f"are {format_distinct(factor, 1.0)[0]} times what is expected" if size >= MIN_EVIDENCE else ""


def _describe_offset(expected: np.ndarray, actual: np.ndarray, comparison: ArrayComparison) -> str:
    error = actual - expected
    offset = float(np.mean(error))
    if actual.size < MIN_EVIDENCE or not agrees(error, np.full_like(error, offset), comparison.rtol):
        return ""
    return f"are {abs(offset) * comparison.scale:.6g} too {'large' if offset > 0 else 'small'}"


_DESCRIPTIONS = (_describe_not_finite, _describe_zeros, _describe_multiple, _describe_offset)
