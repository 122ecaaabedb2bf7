"""Where and how an array is wrong, in one sentence for a student.

Every sentence is a fact about the two arrays, found by comparing them. There is no sentence if no simple fact holds.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from autograder.checking.compare import agrees
from autograder.diagnosis.array_comparison import ArrayComparison, Axis, compare_arrays
from autograder.diagnosis.error_region import describe_region
from autograder.diagnosis.error_values import MIN_EVIDENCE, describe_values, name_not_finite
from autograder.runtime.text import join_words

MAX_SHIFT = 8  # positions
MAX_ENTRIES = 1_000_000  # no larger array is searched for shifts, which would take seconds


def describe_error(
    expected: ArrayLike, actual: ArrayLike, wrong: ArrayLike, axes: Sequence[str] = (), rtol: float | None = None
) -> str:
    """Return a sentence about where and how `actual` is wrong, or "" if no simple description fits.

    - expected, actual: arrays of one shape
    - wrong: the boolean mask of the wrong entries
    - axes: the names of the axes in the singular, as in ("example", "channel", "row", "column"); () if unknown
    - rtol: the relative error that a right entry may have; None derives it from the dtype of `actual`
    """
    with np.errstate(all="ignore"):
        comparison = compare_arrays(expected, actual, wrong, axes, rtol)
        if comparison is None:
            return ""
        text = next(filter(None, (describe(comparison) for describe in _DESCRIPTIONS)), "")
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _describe_all_entries(comparison: ArrayComparison) -> str:
    return describe_values(comparison, np.ones_like(comparison.wrong), "all entries", "the value")


def _describe_wrong_entries(comparison: ArrayComparison) -> str:
    return describe_values(comparison, comparison.wrong, "the wrong entries", "the wrong entry")


def _describe_some_not_finite(comparison: ArrayComparison) -> str:
    values = comparison.actual[comparison.wrong]
    count = int(np.sum(~np.isfinite(values)))
    if not 0 < count < len(values):
        return ""
    return f"{count} of the {len(values)} wrong entries {'is' if count == 1 else 'are'} {name_not_finite(values)}"


def _describe_rearrangement(comparison: ArrayComparison) -> str:
    for text, values in _rearrangements(comparison.expected, comparison.axes):
        if agrees(comparison.actual, values, comparison.rtol) and _is_varied(values[comparison.wrong]):
            return text
    return ""


def _rearrangements(values: np.ndarray, axes: Sequence[Axis]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (description, array) for each transposition and reversal of an array."""
    if len(axes) > 1 and axes[-1].length == axes[-2].length:
        text = "the array is transposed" if len(axes) == 2 else "height and width are swapped"
        yield text, np.swapaxes(values, -1, -2)
    for axis in axes:
        yield f"the {axis.plural} are in reverse order", np.flip(values, axis.number)
    if len(axes) > 1:
        both = f"the {axes[-2].plural} and the {axes[-1].plural} are both in reverse order"
        text = "the filters are flipped in height and width" if axes[0].name == "filter" else both
        yield text, np.flip(values, (-2, -1))


def _describe_shift(comparison: ArrayComparison) -> str:
    if comparison.actual.size > MAX_ENTRIES:
        return ""
    arrays = comparison.expected, comparison.actual, comparison.wrong
    for axis in comparison.axes:
        expected, actual, wrong = (np.moveaxis(array, axis.number, 0) for array in arrays)
        for source, target in _shifts(axis):
            moved = expected[source]
            if agrees(actual[target], moved, comparison.rtol) and _is_varied(moved[wrong[target]]):
                along = f"the {axis.plural}" if axis.name else f"axis {axis.number}"
                instead = f"what belongs at {axis.noun} {source.start} is at {axis.noun} {target.start}"
                return f"everything is shifted by {abs(target.start - source.start)} along {along}: {instead}"
    return ""


def _shifts(axis: Axis) -> Iterator[tuple[slice, slice]]:
    """Yield (source, target), the slices before and after each shift along an axis, in both directions."""
    for distance in range(1, min(axis.length // 2, MAX_SHIFT) + 1):
        front, back = slice(0, -distance), slice(distance, None)
        yield front, back
        yield back, front


def _describe_region(comparison: ArrayComparison) -> str:
    region = describe_region(comparison)
    values = _describe_wrong_entries(comparison)
    return region and f"{region} wrong{f': {values}' if values else ''}"


def _describe_constant_error(comparison: ArrayComparison) -> str:
    """Describe an error that is the same along some axes, while the expected values are not."""
    error = comparison.actual - comparison.expected
    axes = [
        axis
        for axis in comparison.axes
        if _is_constant_along(error, axis, comparison.rtol)
        and not _is_constant_along(comparison.expected, axis, comparison.rtol)
    ]
    if not axes:
        return ""
    names = join_words([axis.noun + axis.suffix for axis in axes])
    return f"the error, yours minus expected, is the same for every {names}"


def _is_constant_along(values: np.ndarray, axis: Axis, rtol: float) -> bool:
    """Return whether values are equal along an axis, and enough in number not to be a coincidence."""
    repeated = values.size // axis.length * (axis.length - 1)
    mean = np.broadcast_to(values.mean(axis=axis.number, keepdims=True), values.shape)
    return repeated >= MIN_EVIDENCE - 1 and agrees(values, mean, rtol)


def _describe_permutation(comparison: ArrayComparison) -> str:
    expected, actual = np.sort(comparison.expected, axis=None), np.sort(comparison.actual, axis=None)
    is_permutation = agrees(actual, expected, comparison.rtol) and _is_varied(comparison.expected[comparison.wrong])
    return "these are the same numbers in another order" if is_permutation else ""


def _is_varied(values: np.ndarray) -> bool:
    """Return whether there are enough different values that equal arrays are not a coincidence."""
    return len(np.unique(np.round(values, 4))) >= MIN_EVIDENCE


# The most informative description comes first.
_DESCRIPTIONS = (
    _describe_all_entries,
    _describe_some_not_finite,
    _describe_rearrangement,
    _describe_shift,
    _describe_region,
    _describe_constant_error,
    _describe_wrong_entries,
    _describe_permutation,
)
