"""Two arrays of one shape and the mask of the wrong entries, prepared for a description of the error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from autograder.checking.compare import relative_error, rtol_of


@dataclass(frozen=True)
class Axis:
    """An axis and its words: "channel 2" if it has a name, "index 2 of axis 1" if not."""

    number: int
    length: int
    name: str

    @property
    def noun(self) -> str:
        """The singular: "channel", or "index"."""
        return self.name or "index"

    @property
    def suffix(self) -> str:
        """The words " of axis 1" for an axis without a name, else ""."""
        return "" if self.name else f" of axis {self.number}"

    @property
    def plural(self) -> str:
        """The plural: "channels", or "indices of axis 1"."""
        nouns = f"{self.name}{'es' if self.name.endswith('s') else 's'}" if self.name else "indices"
        return nouns + self.suffix

    def ordinal(self, index: int) -> str:
        """Return "the first", "the last" or "channel 2"."""
        return {0: "the first", self.length - 1: "the last"}.get(index, f"{self.noun} {index}")

    def position(self, index: int) -> str:
        """Return "the first channel", "channel 2" or "index 2 of axis 1"."""
        is_inner = 0 < index < self.length - 1
        return self.ordinal(index) + ("" if is_inner else f" {self.noun}") + self.suffix


@dataclass(frozen=True)
class ArrayComparison:
    """A student's array and the expected array, of one shape.

    - expected, actual: the arrays, divided by `scale`
    - wrong: the boolean mask of the wrong entries; at least one is wrong
    - rtol: the relative error that a right entry may have
    - scale: the largest absolute value in the expected array
    """

    expected: np.ndarray
    actual: np.ndarray
    wrong: np.ndarray
    axes: tuple[Axis, ...]
    rtol: float
    scale: float


def compare_arrays(
    expected: ArrayLike, actual: ArrayLike, wrong: ArrayLike, axes: Sequence[str] = (), rtol: float | None = None
) -> ArrayComparison | None:
    """Return the ArrayComparison, or None if the arrays cannot be compared or no entry is wrong.

    The arguments are those of error_pattern.describe_error.
    """
    expected, actual, wrong = np.asarray(expected), np.asarray(actual), np.asarray(wrong, dtype=bool)
    if not (expected.shape == actual.shape == wrong.shape and wrong.any() and is_real(expected, actual)):
        return None
    rtol = rtol or rtol_of(actual)
    scale = float(np.max(np.abs(expected.astype(np.float64)))) or 1.0
    scaled_expected, scaled_actual = expected / np.float64(scale), actual / np.float64(scale)
    has_overflow = (np.isfinite(scaled_actual) != np.isfinite(actual)).any()
    if not np.isfinite(scaled_expected).all() or has_overflow:
        return None
    wrong = wrong & (relative_error(scaled_actual, scaled_expected) > rtol)
    if not wrong.any():
        return None
    return ArrayComparison(scaled_expected, scaled_actual, wrong, _make_axes(expected.shape, axes), rtol, scale)


def is_real(*arrays: np.ndarray) -> bool:
    """Return whether all arrays contain real numbers."""
    return all(array.dtype.kind in "biuf" for array in arrays)


def _make_axes(shape: Sequence[int], names: Sequence[str]) -> tuple[Axis, ...]:
    """Return the axes of a shape; they have no names if the number of names is not the number of axes."""
    if len(names) != len(shape):
        names = [""] * len(shape)
    return tuple(Axis(number, length, name) for number, (length, name) in enumerate(zip(shape, names, strict=True)))
