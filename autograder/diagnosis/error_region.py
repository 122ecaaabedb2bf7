"""Which region of an array is wrong: a slice, the border, the diagonal, or the entries of one sign."""

import numpy as np

from autograder.diagnosis.array_comparison import ArrayComparison, Axis
from autograder.diagnosis.error_values import MIN_EVIDENCE
from autograder.runtime.text import join_words

MIN_SHARE = 0.5  # a region counts as wrong if more than this share of its entries is wrong
MAX_CHANCE = 1e-3  # a region is not reported if chance alone explains it with a larger probability


def describe_region(comparison: ArrayComparison) -> str:
    """Return the words that precede "wrong", as in "only the first channel is"; "" if no simple region is wrong."""
    return next(filter(None, (describe(comparison) for describe in _DESCRIPTIONS)), "")


def _describe_slice(comparison: ArrayComparison) -> str:
    texts = [_describe_slice_along(comparison.wrong, axis) for axis in comparison.axes if axis.length > 1]
    texts = [text for text in texts if text]
    return texts[0] if len(texts) == 1 else ""  # if there are two, neither of them is the whole region


def _describe_slice_along(wrong: np.ndarray, axis: Axis) -> str:
    """Describe the indices of one axis at which entries are wrong."""
    share = np.moveaxis(wrong, axis.number, 0).reshape(axis.length, -1).mean(axis=1)
    indices = np.flatnonzero(share > MIN_SHARE)
    count = len(indices)
    is_single_entry = wrong.sum() == 1 < wrong.size // axis.length
    if count != np.count_nonzero(share) or count == axis.length or is_single_entry:
        return ""
    if count == 1:
        return f"only {axis.position(int(indices[0]))} is"
    if count == axis.length - 1 and wrong.size >= MIN_EVIDENCE * axis.length:
        return f"all {axis.plural} but {axis.ordinal(int(np.flatnonzero(share == 0)[0]))} are"
    has_first, has_last = indices[0] == 0, indices[-1] == axis.length - 1
    is_contiguous = indices[-1] - indices[0] < count
    if is_contiguous and (has_first or has_last):
        return f"only the {'first' if has_first else 'last'} {count} {axis.plural} are"
    if count == 2 and has_first and has_last:
        return f"only the first and the last {axis.noun}{axis.suffix} are"
    return ""


def _describe_border(comparison: ArrayComparison) -> str:
    """Describe the sides of the last two axes at which entries are wrong, if there are two or more."""
    if len(comparison.axes) < 2 or min(comparison.wrong.shape[-2:]) < 3:
        return ""
    share = comparison.wrong.reshape(-1, *comparison.wrong.shape[-2:]).mean(axis=0)
    sides = [(axis, end) for axis in (0, 1) for end in (0, -1) if share.take(end, axis).mean() > MIN_SHARE]
    is_inside = np.ones(share.shape, dtype=bool)
    for axis, end in sides:
        np.moveaxis(is_inside, axis, 0)[end] = False
    if len(sides) < 2 or share[is_inside].any():
        return ""
    rows, columns = comparison.axes[-2:]
    if len(sides) == 4:
        outermost = f"the outermost {rows.name or 'row'} and {columns.name or 'column'} on every side"
        return f"only the border, {outermost}, is"
    texts = [(rows, columns)[axis].position(end % share.shape[axis]) for axis, end in sides]
    return f"only {join_words(texts)} are"


def _describe_diagonal(comparison: ArrayComparison) -> str:
    wrong = comparison.wrong
    if wrong.ndim != 2 or wrong.shape[0] != wrong.shape[1] or len(wrong) < 3 or wrong.sum() < 2:
        return ""
    diagonal = np.eye(len(wrong), dtype=bool)
    if _fills(wrong, diagonal):
        return "only the diagonal is"
    return "everything but the diagonal is" if _fills(wrong, ~diagonal) else ""


def _describe_sign(comparison: ArrayComparison) -> str:
    signs = np.where(np.abs(comparison.expected) <= comparison.rtol, 0, np.sign(comparison.expected))
    for name, region in (("0", signs == 0), ("negative", signs < 0), ("positive", signs > 0)):
        if _fills(comparison.wrong, region) and _chance(comparison.wrong, region) < MAX_CHANCE:
            return f"only entries expected to be {name} are"
    return ""


def _fills(wrong: np.ndarray, region: np.ndarray) -> bool:
    """Return whether all wrong entries are inside a region, and most of the region is wrong."""
    return not wrong[~region].any() and bool(wrong[region].mean() > MIN_SHARE)


def _chance(wrong: np.ndarray, region: np.ndarray) -> float:
    """Return the probability that as many entries, chosen at random, are all inside the region."""
    drawn = np.arange(min(wrong.sum(), 100))
    return float(np.prod((region.sum() - drawn) / (region.size - drawn)))


_DESCRIPTIONS = (_describe_slice, _describe_border, _describe_diagonal, _describe_sign)
