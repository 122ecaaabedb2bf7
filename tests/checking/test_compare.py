"""Results are compared with the right results; a message describes the difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checking.compare import (
    RTOL,
    RTOL_FLOAT32,
    agrees,
    expect_array,
    expect_close,
    expect_number,
    relative_error,
)
from autograder.checking.criteria import Wrong
from autograder.sandbox.worker.values import Handle

SEEDS = st.integers(0, 2**32 - 1)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def refusal(function, *args, **options):
    with pytest.raises(Wrong) as error:
        function(*args, **options)
    return error.value.outcome


class TestExpectingAnArray:
    @pytest.mark.parametrize(
        "actual, came",
        [
            ("zero", "a str"),
            ([1.0, 2.0, 3.0], "a list"),
            ((1.0,), "a tuple"),
            ({}, "a dict"),
            (True, "a bool"),
            (Handle(0, "Tensor"), "a Tensor"),
        ],
    )
    def test_names_the_actual_value(self, actual, came):
        assert refusal(expect_array, actual, (3,), "out").message == f"out is {came}; expected an array of shape (3,)"

    def test_takes_none_for_what_is_not_written_yet(self):
        with pytest.raises(Wrong) as error:
            expect_array(None, (3,), "out")
        assert error.value.verdict == "missing" and "Is it written yet?" in str(error.value)

    @pytest.mark.parametrize(
        "came, expected, says",
        [
            ((2, 3), (3, 2), ": it is transposed"),
            ((1, 3), (3,), ": only axes of length 1 differ; look at keepdims, or at a reshape"),
            ((6,), (2, 3), ": the number of entries is right, a reshape is missing"),
            ((2, 2), (2, 3), ""),
        ],
    )
    def test_names_a_wrong_shape_and_what_it_looks_like(self, came, expected, says):
        message = refusal(expect_array, np.zeros(came), expected, "out").message
        assert message == f"out has shape {came}; expected {expected}{says}"

    def test_lets_a_number_pass_for_an_array_of_no_axes(self):
        assert expect_array(2.5, (), "loss") == 2.5


class TestExpectingANumber:
    @pytest.mark.parametrize("actual", [2, 2.0, np.float32([2]), np.array(2.0), np.array([2.0]), np.array([[2]])])
    def test_takes_numbers_and_arrays_of_one_entry(self, actual):
        assert expect_number(actual, "loss") == 2.0

    @pytest.mark.parametrize(
        "actual, came",
        [("2", "a str"), (np.zeros(2), "an array of shape (2,)"), (Handle(0, "Net"), "a Net")],
    )
    def test_names_the_actual_value(self, actual, came):
        assert refusal(expect_number, actual, "loss").message == f"loss is {came}; expected one number"


class TestComparing:
    @given(SEEDS, st.floats(-9, 9), st.floats(0, 0.9), st.integers(0, 11))
    def test_accepts_an_error_within_the_bound_and_reports_it(self, seed, exponent, part, entry):
        expected = 10.0**exponent * drawn(3, 4, seed=seed)
        actual = expected.copy()
        actual.flat[entry] += part * RTOL * np.sqrt(np.mean(expected**2))
        outcome = expect_close(actual, expected, "f(x)")
        assert outcome.max_rel_error <= outcome.bound == RTOL and not outcome.message

    @given(SEEDS, st.floats(-9, 9), st.floats(1.1, 1e6), st.integers(0, 11))
    def test_refuses_an_error_beyond_it_and_says_where(self, seed, exponent, times, entry):
        expected = 10.0**exponent * drawn(3, 4, seed=seed)
        actual, typical = expected.copy(), np.sqrt(np.mean(expected**2))
        actual.flat[entry] += times * RTOL * max(abs(actual.flat[entry]), typical)
        outcome = refusal(expect_close, actual, expected, "f(x)")
        worst = tuple(int(i) for i in np.unravel_index(entry, (3, 4)))
        assert outcome.worst_index == worst and outcome.arrays[2].sum() == 1
        assert f"1 of 12 entries are wrong; out[{worst[0]}, {worst[1]}] is" in outcome.message

    def test_allows_more_where_float32_came_back(self):
        expected = drawn(5)
        assert expect_close(expected.astype(np.float32), expected, "f(x)").bound == RTOL_FLOAT32
        assert refusal(expect_close, (1.001 * expected).astype(np.float32), expected, "f(x)").bound == RTOL_FLOAT32

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_refuses_what_is_not_finite_even_where_all_is_0(self, bad):
        outcome = refusal(expect_close, np.array([0.0, bad]), np.zeros(2), "f(x)")
        assert outcome.worst_index == (1,) and outcome.max_rel_error == np.inf

    def test_refuses_anything_but_0_where_0_is_right(self):
        expect_close(np.zeros(2), np.zeros(2), "f(x)")
        refusal(expect_close, np.full(2, 1e-9), np.zeros(2), "f(x)")

    def test_of_nothing_is_right(self):
        assert expect_close(np.zeros((0, 3)), np.zeros((0, 3)), "f(x)").max_rel_error == 0

    def test_of_a_number_names_no_entry(self):
        message = refusal(expect_close, 2.0, 3.0, "f(x)", name="loss").message
        assert message.endswith("loss is 2, expected 3") and "[" not in message

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16])
    def test_takes_any_kind_of_number(self, dtype):
        assert expect_close(np.ones(3, dtype), np.ones(3), "f(x)").max_rel_error == 0


class TestAgreement:
    @pytest.mark.parametrize("actual", [None, "x", Handle(0, "Net"), np.zeros((3, 1)), np.full(3, np.nan)])
    def test_is_none_with_what_cannot_be_compared(self, actual):
        assert not agrees(actual, np.zeros(3))

    @given(SEEDS)
    def test_is_within_the_bound(self, seed):
        x = drawn(6, seed=seed)
        assert agrees(x * (1 + 1e-5), x) and not agrees(x * 1.001, x) and not agrees(x * (1 + 1e-5), x, 1e-6)

    @given(SEEDS, st.floats(-100, 100))
    def test_does_not_depend_on_the_scale(self, seed, exponent):
        x, y = drawn(6, seed=seed), drawn(6, seed=seed + 1)
        scale = 2.0 ** round(exponent)
        np.testing.assert_allclose(relative_error(scale * x, scale * y), relative_error(x, y))
