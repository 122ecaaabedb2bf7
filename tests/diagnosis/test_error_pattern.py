"""A sentence says where and how an array is wrong; there is no sentence if no simple one is true."""

import time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder.checking.compare import RTOL, RTOL_FLOAT32, relative_error
from autograder.diagnosis.error_pattern import describe_error

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.floats(-30, 30).map(lambda exponent: 10.0**exponent)
SHAPES = st.lists(st.integers(1, 6), max_size=4).map(tuple)
ROOMY = st.lists(st.integers(3, 6), min_size=2, max_size=4).map(tuple)
IMAGES = ("example", "channel", "row", "column")
ROWS = ("example", "feature")


def drawn(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def said(expected, actual, axes=()):
    expected, actual = np.asarray(expected, dtype=float), np.asarray(actual)
    rtol = RTOL if actual.dtype.itemsize == 8 else RTOL_FLOAT32
    with np.errstate(all="ignore"):
        return describe_error(expected, actual, relative_error(actual, expected) > rtol, axes)


def but(x, index, values):
    """Return a copy of x with other values at an index."""
    changed = x.copy()
    changed[index] = values
    return changed


class TestNoFalseStories:
    @given(SHAPES, SEEDS, SCALES, SCALES)
    def test_of_unrelated_arrays(self, shape, seed, scale, other):
        assert said(scale * drawn(shape, seed), other * drawn(shape, [seed, 1])) == ""

    @given(SHAPES, SEEDS)
    def test_of_unrelated_arrays_in_float32(self, shape, seed):
        assume(np.prod(shape) > 1)
        assert said(drawn(shape, seed), drawn(shape, [seed, 1]).astype(np.float32)) == ""

    @given(st.tuples(st.integers(5, 9), st.integers(5, 9)), SEEDS)
    def test_of_errors_at_scattered_places(self, shape, seed):
        x = drawn(shape, seed)
        scattered = np.indices(shape).sum(axis=0) % 2 == 0
        assert said(x, np.where(scattered, drawn(shape, [seed, 1]), x)) == ""

    @pytest.mark.parametrize("axes", [(), ROWS, IMAGES])
    def test_of_arrays_that_agree_or_are_empty_or_cannot_be_compared(self, axes):
        x = drawn((3, 4))
        assert said(x, x, axes) == "" and said(np.zeros((0, 3)), np.zeros((0, 3)), axes) == ""
        assert describe_error(x, x, np.ones(x.shape, bool), axes) == ""
        assert describe_error(x, x.T, np.ones(x.shape, bool), axes) == ""
        assert describe_error(np.full(3, np.nan), np.full(3, np.nan), np.ones(3, bool), axes) == ""
        assert describe_error(np.ones(3), np.ones(3, complex) * 2, np.ones(3, bool), axes) == ""

    def test_of_a_shift_or_turn_that_changes_nothing_of_what_is_wrong(self):
        x = np.broadcast_to(drawn(5), (4, 5)).copy()
        assert said(x, but(x, 0, drawn(5, 1)), ROWS) == "Only the first example is wrong."

    def test_of_a_few_numbers_that_may_be_in_another_order_by_chance(self):
        assert said([1, 0, 0], [0.0, 0, 1]) == "Only the first and the last index of axis 0 are wrong."

    def test_of_an_error_that_is_the_same_where_all_is_the_same(self):
        row, other = drawn((1, 5)), drawn((1, 5), 1)
        assert said(np.repeat(row, 4, axis=0), np.repeat(other, 4, axis=0), ROWS) == ""


class TestTheMannerOfAll:
    @given(SHAPES, SEEDS, SCALES)
    def test_zeros(self, shape, seed, scale):
        x = scale * drawn(shape, seed)
        assert said(x, 0 * x) == ("All entries are 0." if x.size > 1 else "The value is 0.")

    @given(SHAPES, SEEDS, SCALES, st.sampled_from([np.float32, np.float64]))
    def test_a_flipped_sign(self, shape, seed, scale, dtype):
        x = scale * drawn(shape, seed)
        many = "All entries have the wrong sign."
        assert said(x, (-x).astype(dtype)) == (many if x.size > 1 else "The value has the wrong sign.")

    @pytest.mark.parametrize(
        "factor, says",
        [
            (2, "All entries are too large by a factor of 2."),
            (0.5, "All entries are too small by a factor of 2."),
            (-2, "All entries are too large by a factor of 2, with the wrong sign."),
            (3, "All entries are too large by a factor of 3."),
            (4, "All entries are too large by a factor of 4, the number of examples."),
            (1 / 4, "All entries are too small by a factor of 4, the number of examples."),
            (1 / 6, "All entries are too small by a factor of 6, the number of features."),
            (1 / 24, "All entries are too small by a factor of 24."),
            (0.6, "All entries are 0.6 times what is expected."),
        ],
    )
    @given(seed=SEEDS, scale=SCALES, dtype=st.sampled_from([np.float32, np.float64]))
    def test_one_factor(self, factor, says, seed, scale, dtype):
        x = scale * drawn((4, 6), seed)
        assert said(x, (factor * x).astype(dtype), ROWS) == says

    def test_a_factor_that_two_axes_have_the_length_of_is_named_after_neither(self):
        x = drawn((4, 4))
        assert said(x, x / 4, ROWS) == "All entries are too small by a factor of 4."

    def test_a_factor_of_2_is_plain_though_there_are_2_examples(self):
        x = drawn((2, 6))
        assert said(x, x / 2, ROWS) == "All entries are too small by a factor of 2."

    def test_a_factor_of_one_number_is_told_only_where_it_is_a_simple_one(self):
        assert said(3.0, 1.5) == "The value is too small by a factor of 2."
        assert said(3.0, 2.1) == "" and said([3.0], [2.1]) == ""

    @given(SHAPES, SEEDS, st.floats(0.5, 100), st.sampled_from([1, -1]))
    def test_a_constant_offset(self, shape, seed, size, sign):
        assume(np.prod(shape) >= 3)
        x = drawn(shape, seed)
        assert said(x, x + sign * size) == f"All entries are {size:.6g} too {'large' if sign > 0 else 'small'}."

    @pytest.mark.parametrize("value, says", [(np.nan, "nan"), (-np.inf, "infinite")])
    def test_not_finite(self, value, says):
        assert said(drawn((2, 3)), np.full((2, 3), value)) == f"All entries are {says}."
        assert said(1.0, value) == f"The value is {says}."

    def test_some_of_the_wrong_entries_not_finite(self):
        x = drawn((3, 4))
        assert said(x, but(2 * x, (0, 0), np.nan)) == "1 of the 12 wrong entries is nan."
        assert said(x, but(2 * x, 0, [np.nan, np.inf, 0, 1])) == "2 of the 12 wrong entries are nan or infinite."

    def test_the_tolerance_may_be_given_where_the_dtype_has_been_lost(self):
        x = drawn((3, 4))
        actual = (x / 3).astype(np.float32).astype(np.float64)
        wrong = np.ones(x.shape, bool)
        assert describe_error(x, actual * (1 + 1e-5 * drawn(x.shape, 1)), wrong) == ""
        assert describe_error(x, actual * (1 + 1e-5 * drawn(x.shape, 1)), wrong, rtol=RTOL_FLOAT32)


class TestAnotherOrder:
    @given(st.integers(3, 6), SEEDS)
    def test_transposed(self, n, seed):
        x = drawn((n, n), seed)
        assert said(x, x.T) == "The array is transposed."
        y = drawn((2, 3, n, n), seed)
        assert said(y, y.swapaxes(2, 3)) == "Height and width are swapped."

    @given(ROOMY, SEEDS, st.data())
    def test_in_reverse_order(self, shape, seed, data):
        axis = data.draw(st.integers(0, len(shape) - 1))
        x = drawn(shape, seed)
        assert said(x, np.flip(x, axis)) == f"The indices of axis {axis} are in reverse order."
        names = IMAGES[-len(shape) :]
        assert said(x, np.flip(x, axis), names) == f"The {names[axis]}s are in reverse order."

    def test_flipped_filters(self):
        w = drawn((3, 2, 3, 5))
        flipped = w[:, :, ::-1, ::-1]
        assert said(w, flipped, ("filter", *IMAGES[1:])) == "The filters are flipped in height and width."
        assert said(w, flipped, IMAGES) == "The rows and the columns are both in reverse order."

    @given(ROOMY, SEEDS, st.sampled_from([1, -1]), st.booleans(), st.data())
    def test_shifted(self, shape, seed, sign, wraps, data):
        axis = data.draw(st.integers(0, len(shape) - 1))
        by = data.draw(st.integers(1, shape[axis] // 2))
        x = drawn(shape, seed)
        shifted = np.moveaxis(np.roll(x, sign * by, axis), axis, 0)
        if not wraps:
            shifted[slice(by) if sign > 0 else slice(-by, None)] = 0
        at, to = (0, by) if sign > 0 else (by, 0)
        instead = f"what belongs at index {at} is at index {to}"
        both_ways = wraps and 2 * by == shape[axis]  # half the length: forth and back come to the same
        if not both_ways:
            says = f"Everything is shifted by {by} along axis {axis}: {instead}."
            assert said(x, np.moveaxis(shifted, 0, axis)) == says

    def test_a_shift_names_the_axis(self):
        x = drawn((2, 2, 4, 4))
        says = "Everything is shifted by 1 along the columns: what belongs at column 0 is at column 1."
        assert said(x, np.roll(x, 1, axis=3), IMAGES) == says

    @given(SEEDS)
    def test_the_same_numbers_anyhow(self, seed):
        x = drawn((4, 6), seed)
        shuffled = np.random.default_rng([seed, 1]).permutation(x.ravel()).reshape(x.shape)
        assert said(x, shuffled) == "These are the same numbers in another order."


class TestTheSameErrorAlongAnAxis:
    @given(st.integers(3, 6), st.integers(3, 6), SEEDS, SCALES)
    def test_of_rows_or_columns(self, n, d, seed, scale):
        x = drawn((n, d), seed)
        text = "The error, yours minus expected, is the same for every"
        assert said(scale * x, scale * (x + drawn((1, d), [seed, 1])), ROWS) == f"{text} example."
        assert said(scale * x, scale * (x + drawn((n, 1), [seed, 1]))) == f"{text} index of axis 1."

    def test_of_images(self):
        x = drawn((3, 4, 3, 3))
        says = "The error, yours minus expected, is the same for every example, row and column."
        assert said(x, x + drawn((1, 4, 1, 1), 1), IMAGES) == says


class TestPlaces:
    @given(ROOMY, SEEDS, st.data())
    def test_one_slice_or_all_but_one(self, shape, seed, data):
        axis = data.draw(st.integers(0, len(shape) - 1))
        index = data.draw(st.integers(0, shape[axis] - 1))
        name = IMAGES[-len(shape) :][axis]
        which = {0: "the first", shape[axis] - 1: "the last"}.get(index, f"{name} {index}")
        x, y = drawn(shape, seed), drawn(shape, [seed, 1])
        inside = np.zeros(shape, bool)
        np.moveaxis(inside, axis, 0)[index] = True
        one = which if which[-1].isdigit() else f"{which} {name}"
        assert said(x, np.where(inside, y, x), IMAGES[-len(shape) :]) == f"Only {one} is wrong."
        says = f"All {name}s but {which} are wrong."
        assert said(x, np.where(inside, x, y), IMAGES[-len(shape) :]) == says

    @pytest.mark.parametrize(
        "index, says",
        [
            (np.s_[:2], "Only the first 2 examples are wrong."),
            (np.s_[:, -3:], "Only the last 3 channels are wrong."),
            (np.s_[:, :, [0, -1]], "Only the first and the last row are wrong."),
            (np.s_[:, :, :, 2], "Only column 2 is wrong."),
        ],
    )
    def test_several_slices(self, index, says):
        x = drawn((5, 6, 5, 5))
        assert said(x, but(x, index, drawn(x[index].shape, 1)), IMAGES) == says

    def test_of_two_axes_together_is_not_told_by_one_of_them(self):
        x = drawn((4, 4))
        assert said(x, but(x, np.s_[1:, 1:], drawn((3, 3), 1)), ROWS) == ""

    def test_of_an_axis_without_a_name(self):
        x = drawn((4, 5))
        assert said(x, but(x, 1, drawn(5, 1))) == "Only index 1 of axis 0 is wrong."
        assert said(x, but(x, np.s_[1:], drawn((3, 5), 1))) == "All indices of axis 0 but the first are wrong."

    def test_the_border(self):
        x = drawn((2, 3, 5, 6))
        y = drawn(x.shape, 1)
        says = "Only the border, the outermost row and column on every side, is wrong."
        assert said(x, but(y, np.s_[:, :, 1:-1, 1:-1], x[:, :, 1:-1, 1:-1]), IMAGES) == says
        says = "Only the last row and the last column are wrong."
        assert said(x, but(y, np.s_[:, :, :-1, :-1], x[:, :, :-1, :-1]), IMAGES) == says

    def test_the_diagonal_and_everything_else(self):
        x, y, on = drawn((4, 4)), drawn((4, 4), 1), np.eye(4, dtype=bool)
        assert said(x, np.where(on, y, x)) == "Only the diagonal is wrong."
        assert said(x, np.where(on, x, y)) == "Everything but the diagonal is wrong."

    @pytest.mark.parametrize("name, sign", [("negative", -1), ("positive", 1), ("0", 0)])
    @given(seed=SEEDS)
    def test_what_is_expected(self, name, sign, seed):
        signs = np.random.default_rng([seed, 1]).permutation(np.repeat([-1, 0, 1], 20)).reshape(6, 10)
        x = signs * (1 + np.abs(drawn((6, 10), seed)))
        says = f"Only entries expected to be {name} are wrong."
        assert said(x, np.where(signs == sign, drawn(x.shape, [seed, 2]), x)) == says


class TestPlaceAndManner:
    @pytest.mark.parametrize(
        "how, says",
        [
            (lambda x: 0 * x, "are 0"),
            (lambda x: -x, "have the wrong sign"),
            (lambda x: x / 2, "are too small by a factor of 2"),
            (lambda x: x + 0.25, "are 0.25 too large"),
            (lambda x: x * np.nan, "are nan"),
        ],
    )
    def test_are_told_together(self, how, says):
        x = drawn((4, 6))
        actual = but(x, -1, how(x[-1]))
        assert said(x, actual, ROWS) == f"Only the last example is wrong: the wrong entries {says}."

    def test_negative_entries_that_came_out_as_0(self):
        x = drawn((4, 6))
        says = "Only entries expected to be negative are wrong: the wrong entries are 0."
        assert said(x, np.maximum(x, 0)) == says

    def test_the_manner_alone_where_the_place_is_anyhow(self):
        x = drawn((5, 6))
        scattered = np.indices(x.shape).sum(axis=0) % 3 == 0
        assert said(x, np.where(scattered, 2 * x, x)) == "The wrong entries are too large by a factor of 2."
        assert said(x, but(x, (2, 3), 0.0)) == "The wrong entry is 0."


class TestAnyArrays:
    @given(SHAPES, SEEDS, st.sampled_from([0.0, 1e-320, 1e-200, 1.0, 1e200, 1e308]), st.data())
    def test_are_described_without_a_warning(self, shape, seed, scale, data):
        values = st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e308, 1e-320, np.nan, np.inf, -np.inf])
        pick = np.random.default_rng(seed)
        chosen = data.draw(st.lists(values, min_size=2, max_size=4))
        expected, actual = scale * pick.choice([0.0, 1.0, -1.0], shape), pick.choice(chosen, shape)
        text = describe_error(expected, actual, pick.random(shape) < 0.7, IMAGES[: len(shape)])
        assert text == "" or (text.endswith(".") and text[0].isupper() | text[0].isdigit())

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
    def test_of_whole_numbers_are_described(self, dtype):
        assert said([1, 0, 1, 1], np.zeros(4, dtype)) == "All entries are 0."

    def test_of_ten_thousand_entries_are_described_at_once(self):
        x, y = drawn((10, 10, 10, 10)), drawn((10, 10, 10, 10), 1)
        start = time.process_time()
        assert said(x, y, IMAGES) == ""
        assert time.process_time() - start < 20  # it takes less than a tenth of a second; all pairs would take minutes
