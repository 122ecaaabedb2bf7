"""Where an array is wrong and in what manner, in one sentence for a student.

Every finding is a fact about the two arrays, recognised by comparing: nothing is said where nothing simple holds.
"""

from dataclasses import dataclass

import numpy as np

from autograder.checking.compare import RTOL, RTOL_FLOAT32, agrees, format_distinct, relative_error
from autograder.diagnosis.error_region import ENOUGH, PLACES
from autograder.runtime.text import join_words

FARTHEST = 8  # the longest shift looked for
LARGEST = 1_000_000  # entries; in a larger array shifts are not looked for, which would take seconds
SINGULAR = {"are": "is", "have": "has"}


def describe(expected, actual, wrong, axes=(), rtol=None):
    """Return a sentence about where and how `actual` is wrong, or "" where nothing simple can be said.

    - expected, actual: arrays of one shape
    - wrong: the boolean mask of the wrong entries
    - axes: what the axes count, in the singular, as in ("example", "channel", "row", "column"); () where unknown
    - rtol: how closely numbers have to agree; else what the dtype of `actual` allows
    """
    with np.errstate(all="ignore"):
        case = _case(expected, actual, wrong, axes, rtol)
        text = next(filter(None, (recognise(case) for recognise in RECOGNISERS)), "") if case else ""
    return f"{text[0].upper()}{text[1:]}." if text else ""


def rtol_of(array):
    """Return how closely the entries of an array that a student's code computed have to agree, from its dtype."""
    return RTOL if array.dtype.itemsize == 8 else RTOL_FLOAT32


def is_real(*arrays):
    """Say whether these are arrays of real numbers."""
    return all(array.dtype.kind in "biuf" for array in arrays)


@dataclass(frozen=True)
class Axis:
    """An axis and how to speak of it: with a name, "channel 2"; without one, "index 2 of axis 1"."""

    number: int
    length: int
    name: str

    @property
    def noun(self):
        return self.name or "index"

    @property
    def of(self):
        return "" if self.name else f" of axis {self.number}"

    @property
    def all(self):
        nouns = f"{self.name}{'es' if self.name.endswith('s') else 's'}" if self.name else "indices"
        return nouns + self.of

    def which(self, index):
        return {0: "the first", self.length - 1: "the last"}.get(index, f"{self.noun} {index}")

    def one(self, index):
        return self.which(index) + ("" if 0 < index < self.length - 1 else f" {self.noun}") + self.of


@dataclass(frozen=True)
class Case:
    """What the recognisers look at; `expected` and `actual` are divided by `scale`, the largest entry expected."""

    expected: np.ndarray
    actual: np.ndarray
    wrong: np.ndarray
    axes: tuple[Axis, ...]
    rtol: float
    scale: float


def _case(expected, actual, wrong, axes, rtol):
    expected, actual, wrong = np.asarray(expected), np.asarray(actual), np.asarray(wrong, dtype=bool)
    if not (expected.shape == actual.shape == wrong.shape and wrong.any() and is_real(expected, actual)):
        return None
    rtol = rtol or rtol_of(actual)
    scale = float(np.max(np.abs(expected.astype(np.float64)))) or 1.0
    one, other = expected / np.float64(scale), actual / np.float64(scale)
    if not np.isfinite(one).all() or (np.isfinite(other) != np.isfinite(actual)).any():
        return None
    wrong = wrong & (relative_error(other, one) > rtol)
    if not wrong.any():
        return None
    names = axes if len(axes) == expected.ndim else [""] * expected.ndim
    named = tuple(Axis(number, length, name) for number, (length, name) in enumerate(zip(expected.shape, names)))
    return Case(one, other, wrong, named, rtol, scale)


# Manners: what is the matter with each of some entries (flat arrays), as what follows "all entries"; or "".


def _not_finite(expected, actual, case):
    return "" if np.isfinite(actual).any() else f"are {_which_not_finite(actual)}"


def _zero(expected, actual, case):
    return "" if actual.any() else "are 0"


def _multiple(expected, actual, case):
    factor = float(np.sum(actual * expected) / np.sum(expected**2))
    if not 1e-99 < abs(factor) < 1e99 or abs(factor - 1) <= 10 * case.rtol:
        return ""
    if not agrees(actual, factor * expected, case.rtol):
        return ""
    if abs(factor + 1) <= case.rtol:
        return "have the wrong sign"
    way, times = ("large", abs(factor)) if abs(factor) > 1 else ("small", 1 / abs(factor))
    whole = round(times) if abs(times - np.round(times)) <= case.rtol * times else 0
    lengths = [axis for axis in case.axes if axis.name and axis.length == whole > 2]
    sign = ", with the wrong sign" if factor < 0 else ""
    if len(lengths) == 1:
        return f"are too {way} by a factor of {whole}, the number of {lengths[0].all}{sign}"
    if whole in (2, 3) or (actual.size >= ENOUGH and 2 <= whole < 0.005 / case.rtol):
        return f"are too {way} by a factor of {whole}{sign}"
    return f"are {format_distinct(factor, 1.0)[0]} times what is expected" if actual.size >= ENOUGH else ""


def _offset(expected, actual, case):
    error = actual - expected
    offset = float(np.mean(error))
    if actual.size < ENOUGH or not agrees(error, np.full_like(error, offset), case.rtol):
        return ""
    return f"are {abs(offset) * case.scale:.6g} too {'large' if offset > 0 else 'small'}"


MANNERS = (_not_finite, _zero, _multiple, _offset)


def _manner(case, part, many, one):
    expected, actual = case.expected[part], case.actual[part]
    phrase = next(filter(None, (manner(expected, actual, case) for manner in MANNERS)), "")
    verb, _, rest = phrase.partition(" ")
    return phrase and (f"{many} {phrase}" if actual.size > 1 else f"{one} {SINGULAR[verb]} {rest}")


def _which_not_finite(values):
    bad = values[~np.isfinite(values)]
    return "nan" if np.isnan(bad).all() else "nan or infinite" if np.isnan(bad).any() else "infinite"


# Recognisers: whole sentences, the most telling first.


def _everywhere(case):
    return _manner(case, np.ones_like(case.wrong), "all entries", "the value")


def _partly_not_finite(case):
    values = case.actual[case.wrong]
    bad = int(np.sum(~np.isfinite(values)))
    verb = "is" if bad == 1 else "are"
    return (
        f"{bad} of the {len(values)} wrong entries {verb} {_which_not_finite(values)}" if 0 < bad < len(values) else ""
    )


def _rearranged(case):
    for text, values in _arrangements(case.expected, case.axes):
        if agrees(case.actual, values, case.rtol) and _varied(values[case.wrong]):
            return text
    return ""


def _arrangements(values, axes):
    if len(axes) > 1 and axes[-1].length == axes[-2].length:
        text = "the array is transposed" if len(axes) == 2 else "height and width are swapped"
        yield text, np.swapaxes(values, -1, -2)
    for axis in axes:
        yield f"the {axis.all} are in reverse order", np.flip(values, axis.number)
    if len(axes) > 1:
        both = f"the {axes[-2].all} and the {axes[-1].all} are both in reverse order"
        text = "the filters are flipped in height and width" if axes[0].name == "filter" else both
        yield text, np.flip(values, (-2, -1))


def _shifted(case):
    for axis in case.axes if case.actual.size <= LARGEST else ():
        expected, actual, wrong = (
            np.moveaxis(values, axis.number, 0) for values in (case.expected, case.actual, case.wrong)
        )
        for by in range(1, min(axis.length // 2, FARTHEST) + 1):
            low, high = slice(None, -by), slice(by, None)
            for here, there, at, to in ((low, high, 0, by), (high, low, by, 0)):
                moved = expected[here]
                if agrees(actual[there], moved, case.rtol) and _varied(moved[wrong[there]]):
                    along = f"the {axis.all}" if axis.name else f"axis {axis.number}"
                    instead = f"what belongs at {axis.noun} {at} is at {axis.noun} {to}"
                    return f"everything is shifted by {by} along {along}: {instead}"
    return ""


def _place(case):
    place = next(filter(None, (place(case) for place in PLACES)), "")
    manner = _wrong_ones(case)
    return place and f"{place} wrong{f': {manner}' if manner else ''}"


def _same_along_an_axis(case):
    error = case.actual - case.expected
    same = [axis for axis in case.axes if _same_along(error, axis, case) and not _same_along(case.expected, axis, case)]
    return (
        f"the error, yours minus expected, is the same for every {join_words([axis.noun + axis.of for axis in same])}"
        if same
        else ""
    )


def _same_along(values, axis, case):
    spare = values.size // axis.length * (axis.length - 1)
    mean = np.broadcast_to(values.mean(axis=axis.number, keepdims=True), values.shape)
    return spare >= ENOUGH - 1 and agrees(values, mean, case.rtol)


def _wrong_ones(case):
    return _manner(case, case.wrong, "the wrong entries", "the wrong entry")


def _permuted(case):
    same = agrees(np.sort(case.actual, axis=None), np.sort(case.expected, axis=None), case.rtol)
    return "these are the same numbers in another order" if same and _varied(case.expected[case.wrong]) else ""


def _varied(values):
    return len(np.unique(np.round(values, 4))) >= ENOUGH


RECOGNISERS = (
    _everywhere,
    _partly_not_finite,
    _rearranged,
    _shifted,
    _place,
    _same_along_an_axis,
    _wrong_ones,
    _permuted,
)
