"""A wrong gradient is described as a sum of its terms, if it is such a sum."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder.diagnosis.gradient_terms import attribute, describe_shares

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.floats(-30, 30).map(lambda exponent: 10.0**exponent)
PLAIN = (0, 1, -1, 2, -2, 0.5, 3)
NAMES = ("direct", "through the mean", "through the variance")
SIZES = {"N": 4, "D": 6}


def drawn(seed=0, names=NAMES, shape=(4, 6)):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name in names}


def summed(terms, coefficients):
    return sum(value * term for value, term in zip(coefficients, terms.values()))


def told(coefficients, sizes=SIZES, **options):
    terms = drawn(**options)
    return attribute(summed(terms, coefficients), terms, sizes)


class TestFindingTheCoefficients:
    @given(SEEDS, SCALES, st.tuples(*[st.sampled_from((*PLAIN, 4, 0.25, -0.25, 6, 1 / 6))] * 3))
    def test_with_any_coefficients_and_any_scale(self, seed, scale, coefficients):
        assume(set(coefficients) not in ({1}, {0}))
        terms = {name: scale * term for name, term in drawn(seed).items()}
        found = attribute(summed(terms, coefficients), terms, SIZES)
        assert [value for value, _ in found.coefficients.values()] == list(coefficients)

    @given(SEEDS, st.tuples(*[st.sampled_from((*PLAIN, 4, 0.25))] * 3))
    def test_through_the_noise_of_float32(self, seed, coefficients):
        assume(set(coefficients) not in ({1}, {0}))
        terms = drawn(seed, shape=(8, 10))
        actual = sum(np.float32(value) * term.astype(np.float32) for value, term in zip(coefficients, terms.values()))
        found = attribute(actual.astype(np.float32), terms, SIZES)
        assert [value for value, _ in found.coefficients.values()] == list(coefficients)

    @given(SEEDS)
    def test_of_terms_of_very_different_sizes(self, seed):
        terms = drawn(seed)
        terms["direct"] *= 1e-6
        found = attribute(summed(terms, (2, 1, 0)), terms)
        assert [value for value, _ in found.coefficients.values()] == [2, 1, 0]

    def test_leaves_out_terms_that_are_zero(self):
        terms = drawn() | {"the data's part": np.zeros((4, 6))}
        found = attribute(summed(terms, (1, 0, 1, 5)), terms)
        assert list(found.coefficients) == list(NAMES)

    @given(SEEDS, st.integers(1, 3))
    def test_with_any_number_of_axes(self, seed, axes):
        found = told((1, -1, 1), seed=seed, shape=(5,) * axes)
        assert found.coefficients["through the mean"] == (-1, "−1")


class TestSayingNothing:
    @given(SEEDS, SCALES, st.sampled_from([np.float32, np.float64]))
    def test_of_unrelated_arrays(self, seed, scale, dtype):
        actual = np.random.default_rng([seed, 1]).normal(size=(4, 6)) * scale
        assert attribute(actual.astype(dtype), drawn(seed), SIZES) is None

    @given(SEEDS, st.sampled_from([np.float32, np.float64]))
    def test_where_the_gradient_is_right(self, seed, dtype):
        terms = drawn(seed)
        assert attribute(summed(terms, (1, 1, 1)).astype(dtype), terms, SIZES) is None

    def test_where_what_is_missing_is_too_small_to_matter(self):
        terms = drawn()
        terms["direct"] *= 1e-9
        assert attribute(summed(terms, (0, 1, 1)), terms) is None

    @given(SEEDS, st.floats(0.51, 0.99))
    def test_where_a_coefficient_is_no_telling_number(self, seed, odd):
        assert told((1, odd, 1), seed=seed) is None

    @given(SEEDS, st.floats(0.01, 3), st.sampled_from([0, 1e-9]))
    def test_where_terms_are_collinear(self, seed, factor, apart):
        terms = drawn(seed)
        terms["through the mean"] = factor * terms["direct"] + apart * terms["through the mean"]
        assert attribute(summed(terms, (1, 0, 1)), terms, SIZES) is None

    @pytest.mark.parametrize("size", [1e-5, 1e-3])
    def test_where_the_numbers_are_too_rough_to_tell(self, size):
        terms = drawn()
        terms["direct"] *= size
        assert attribute(summed(terms, (0, 1, 2)).astype(np.float32), terms, {"N": 4}) is None

    def test_where_there_are_no_more_entries_than_terms(self):
        assert told((1, 0, 1), shape=(3,)) is None and told((2,), names=("direct",), shape=()) is None

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_where_something_is_not_finite(self, bad):
        terms = drawn()
        actual = summed(terms, (1, 0, 1))
        assert attribute(np.where(actual == actual[0, 0], bad, actual), terms) is None
        assert attribute(actual, terms | {"direct": np.full((4, 6), bad)}) is None

    def test_where_shapes_or_kinds_do_not_fit(self):
        terms = drawn()
        actual = summed(terms, (1, 0, 1))
        assert attribute(actual.T, terms) is None and attribute(actual[0], terms) is None
        assert attribute(actual.astype(complex), terms) is None and attribute(None, terms) is None
        assert attribute(np.zeros((4, 6)), drawn()) is None  # a gradient of zeros tells nothing of its terms
        assert attribute(actual, {}) is None and attribute(np.zeros((0, 6)), drawn(shape=(0, 6))) is None


class TestNamingTheNumber:
    @pytest.mark.parametrize(
        "value, sizes, text",
        [
            (4, {"N": 4}, "N"),
            (0.25, {"N": 4}, "1/N"),
            (-0.25, {"N": 4}, "−1/N"),
            (0.5, {"N": 2}, "1/2"),
            (3, {"N": 3}, "3"),
            (1 / 3, {"N": 3}, "1/N"),
            (1 / 4, {"N": 4, "D": 4}, "1/(N or D)"),
            (1 / 24, {"N·D": 24}, "1/(N·D)"),
            (0.6, {"p": 0.6, "1/p": 1 / 0.6}, "p"),
            (1 / 0.6, {"p": 0.6, "1/p": 1.66666666666}, "1/p"),
            (0.6, {"1/p": 1 / 0.6}, "p"),
            (2, {"zero": 0}, "2"),
        ],
    )
    def test_plain_numbers_before_sizes_and_both_names_where_two_sizes_are_equal(self, value, sizes, text):
        assert told((1, value, 1), sizes).coefficients["through the mean"][1] == text

    def test_nothing_where_two_numbers_are_as_near(self):
        terms = drawn()
        actual = summed(terms, (1, 1e-4, 1)).astype(np.float32)
        assert attribute(actual, terms, {"N": 10_000}) is None


class TestSayingIt:
    @pytest.mark.parametrize(
        "coefficients, says",
        [
            ((1, 0, 1), "1 · direct + 0 · through the mean + 1 · through the variance: "
             "the part through the mean is missing"),
            ((-1, 1, 1), "−1 · direct + 1 · through the mean + 1 · through the variance: "
             "the direct part has the wrong sign"),
            ((1, 2, -1), "1 · direct + 2 · through the mean − 1 · through the variance: "
             "the part through the mean is counted twice and the part through the variance has the wrong sign"),
            ((3, 0.5, 0), "3 · direct + 1/2 · through the mean + 0 · through the variance: the direct part is counted "
             "three times, the part through the mean counts only half and the part through the variance is missing"),
            ((1, 1, 0.25), "1 · direct + 1 · through the mean + 1/N · through the variance: "
             "the part through the variance is divided by N"),
            ((6, 1, -4), "D · direct + 1 · through the mean − N · through the variance: the direct part is "
             "multiplied by D and the part through the variance has the wrong sign and is multiplied by N"),
        ],
    )  # fmt: skip
    def test_with_the_sum_and_what_is_the_matter_with_it(self, coefficients, says):
        assert told(coefficients).describe("dx") == f"Your dx is {says}."

    @pytest.mark.parametrize(
        "factor, says",
        [
            (0.25, "is divided by N"),
            (4, "is multiplied by N"),
            (-1, "has the wrong sign"),
            (2, "is counted twice"),
            (0.5, "counts only half"),
            (-0.25, "has the wrong sign and is divided by N"),
        ],
    )
    def test_of_everything_where_all_terms_share_a_factor(self, factor, says):
        assert told((factor,) * 3).describe_mistakes() == f"everything {says}"

    @pytest.mark.parametrize(
        "name, says",
        [
            ("direct", "the direct part is missing"),
            ("through the mean", "the part through the mean is missing"),
            ("the data's part", "the data's part is missing"),
            ("the regularization, reg · W", "the regularization, reg · W, is missing"),
            ("example 0", "example 0 is missing"),
            ("p_ij", "p_ij is missing"),
            ("the right class", "the right class is missing"),
        ],
    )
    def test_of_a_term_of_any_name(self, name, says):
        assert told((0, 1), names=(name, "another")).describe_mistakes() == says

    def test_with_two_sizes_that_cannot_be_told_apart(self):
        assert (
            told((0.25, 1), {"N": 4, "D": 4}, names=NAMES[:2]).describe_mistakes()
            == "the direct part is divided by N or D"
        )


class TestExampleByExample:
    @pytest.mark.parametrize(
        "coefficients, says",
        [
            ((0, 0, 0, 1), "Only the share of the last example is in your dw."),
            ((1, 0, 0, 0), "Only the share of the first example is in your dw."),
            ((0, 0, 1, 0), "Only the share of example 2 is in your dw."),
            ((0.25,) * 4, "Your dw is the average over the 4 examples, not their sum."),
            ((0.5,) * 2, "Your dw is the average over the 2 examples, not their sum."),
            ((1, 1, 1, 0), "The share of example 3 is missing from your dw."),
            ((0, 1, 1, 0), "The shares of example 0 and example 3 are missing from your dw."),
            ((2, 1), "Your dw is 2 · example 0 + 1 · example 1: example 0 is counted twice."),
            ((1, 1, 1, 1), ""),
            ((1, 0.7, 1, 1), ""),
            ((*[1, 2] * 5,), ""),
        ],
    )
    @given(seed=SEEDS)
    def test_the_shares_are_told(self, coefficients, says, seed):
        parts = np.random.default_rng(seed).normal(size=(len(coefficients), 3, 5))
        assert describe_shares(np.tensordot(coefficients, parts, axes=1), parts, "dw") == says

    def test_the_last_share_is_the_last_though_others_are_zero(self):
        parts = np.random.default_rng(0).normal(size=(4, 3, 5))
        parts[3] = 0
        assert describe_shares(parts[2], parts, "dx", "window") == "Only the share of window 2 is in your dx."

    @given(SEEDS)
    def test_nothing_is_said_of_unrelated_arrays(self, seed):
        rng = np.random.default_rng(seed)
        assert describe_shares(rng.normal(size=(3, 5)), rng.normal(size=(4, 3, 5)), "dw") == ""

    def test_nothing_is_said_where_there_are_more_shares_than_entries(self):
        rng = np.random.default_rng(0)
        assert describe_shares(rng.normal(size=3), rng.normal(size=(4, 3)), "db") == ""
        assert describe_shares(rng.normal(size=(200, 200)), np.broadcast_to(1.0, (200, 200, 200)), "dw") == ""
