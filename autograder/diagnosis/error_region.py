"""Places in an array: what its wrong entries have in common, as the words that precede "wrong"; "" where nothing is.

Each recogniser takes a where.Case, which knows the arrays, the mask of the wrong entries and the names of the axes.
"""

import numpy as np

from autograder.runtime.text import join_words

MOSTLY = 0.5  # a place is wrong where more than this share of its entries is wrong
ENOUGH = 3  # entries (or different values) that make a finding more than a coincidence
UNLIKELY = 1e-3  # a chance below this is none


def _slices(case):
    found = [text for text in (_slices_along(case.wrong, axis) for axis in case.axes if axis.length > 1) if text]
    return found[0] if len(found) == 1 else ""  # of two, neither alone is the place


def _slices_along(wrong, axis):
    share = np.moveaxis(wrong, axis.number, 0).reshape(axis.length, -1).mean(axis=1)
    bad = np.flatnonzero(share > MOSTLY)
    if len(bad) != np.count_nonzero(share) or len(bad) == axis.length or wrong.sum() == 1 < wrong.size // axis.length:
        return ""
    first, last, gap = bad[0] == 0, bad[-1] == axis.length - 1, bad[-1] - bad[0] >= len(bad)
    if len(bad) == 1:
        return f"only {axis.one(int(bad[0]))} is"
    if len(bad) == axis.length - 1 and wrong.size >= ENOUGH * axis.length:
        return f"all {axis.all} but {axis.which(int(np.flatnonzero(share == 0)[0]))} are"
    if not gap and (first or last):
        return f"only the {'first' if first else 'last'} {len(bad)} {axis.all} are"
    return f"only the first and the last {axis.noun}{axis.of} are" if len(bad) == 2 and first and last else ""


def _sides(case):
    if len(case.axes) < 2 or min(case.wrong.shape[-2:]) < 3:
        return ""
    share = case.wrong.reshape(-1, *case.wrong.shape[-2:]).mean(axis=0)
    sides = [(axis, end) for axis in (0, 1) for end in (0, -1) if share.take(end, axis).mean() > MOSTLY]
    inside = np.ones(share.shape, dtype=bool)
    for axis, end in sides:
        np.moveaxis(inside, axis, 0)[end] = False
    if len(sides) < 2 or share[inside].any():
        return ""
    rows, columns = case.axes[-2:]
    if len(sides) == 4:
        outermost = f"the outermost {rows.name or 'row'} and {columns.name or 'column'} on every side"
        return f"only the border, {outermost}, is"
    texts = [(rows, columns)[axis].one(end % share.shape[axis]) for axis, end in sides]
    return f"only {join_words(texts)} are"


def _diagonal(case):
    wrong = case.wrong
    if wrong.ndim != 2 or wrong.shape[0] != wrong.shape[1] or len(wrong) < 3 or wrong.sum() < 2:
        return ""
    on = np.eye(len(wrong), dtype=bool)
    if _fills(wrong, on):
        return "only the diagonal is"
    return "everything but the diagonal is" if _fills(wrong, ~on) else ""


def _signs(case):
    signs = np.where(np.abs(case.expected) <= case.rtol, 0, np.sign(case.expected))
    for name, where in (("0", signs == 0), ("negative", signs < 0), ("positive", signs > 0)):
        if _fills(case.wrong, where) and _chance(case.wrong, where) < UNLIKELY:
            return f"only entries expected to be {name} are"
    return ""


def _fills(wrong, where):
    return not wrong[~where].any() and wrong[where].mean() > MOSTLY


def _chance(wrong, where):
    """Return how likely as many wrong entries would all lie there, were they anywhere."""
    drawn = np.arange(min(wrong.sum(), 100))
    return float(np.prod((where.sum() - drawn) / (where.size - drawn)))


PLACES = (_slices, _sides, _diagonal, _signs)
