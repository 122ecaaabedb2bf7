"""A right gradient is never called wrong, and a wrong one is caught, however little is wrong with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n.gradient_check import (
    SMALL,
    check_gradient,
    check_gradients,
    check_net,
    eval_numerical_gradient,
    eval_numerical_gradient_array,
    rel_error,
)

SEEDS = st.integers(0, 2**32 - 1)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def check_square(x, analytic, name="dx"):
    """Check a claimed gradient of sum(x ** 2)."""
    return check_gradient(lambda x: np.sum(x**2), x, analytic, name=name)


class TestAWrongGradientIsCaught:
    @pytest.mark.parametrize("size", [5, SMALL + 1])
    @pytest.mark.parametrize("factor", [2.001, -2.0, 0.0, 1.0, 2 * 7])
    def test_by_a_factor(self, factor, size):
        x = drawn(size)
        check = check_square(x, factor * x)
        assert check.passed is False and check.wrong.all()
        assert check.max_rel_error == pytest.approx(abs(factor / 2 - 1), rel=0.01) or size > 5

    def test_in_one_entry_of_ten_thousand(self):
        x = drawn(100, 100)
        dx = 2 * x
        dx[31, 7] += 1e-2
        check = check_square(x, dx)
        assert check.passed is False
        assert check.worst_index == (31, 7) and check.wrong.sum() == 1

    def test_in_one_dropped_row(self):
        x, w, dout = drawn(30, 4), drawn(4, 9, seed=1), drawn(30, 9, seed=2)
        dx = dout @ w.T
        dx[-1] = 0
        check = check_gradient(lambda x: x @ w, x, dx, dout, "dx")
        assert check.passed is False
        np.testing.assert_array_equal(np.unique(np.nonzero(check.wrong)[0]), [29])

    @pytest.mark.parametrize("side", [4, 20])
    def test_when_a_square_matrix_is_transposed(self, side):
        x, w, dout = drawn(side, side), drawn(side, side, seed=1), drawn(side, side, seed=2)
        assert check_gradient(lambda w: x @ w, w, x.T @ dout, dout).passed
        assert check_gradient(lambda w: x @ w, w, (x.T @ dout).T, dout).passed is False

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("size", [5, SMALL + 1])
    def test_when_an_entry_is_not_finite(self, bad, size):
        x = drawn(size)
        dx = 2 * x
        dx[3] = bad
        check = check_square(x, dx)
        assert check.passed is False and check.worst_index == (3,)

    def test_outside_the_subgradients_of_a_kink(self):
        x = np.array([0.0, 1.0, -1.0])
        for slope in (-0.1, 1.1):
            check = check_gradient(lambda x: np.maximum(x, 0).sum(), x, np.array([slope, 1, 0]))
            assert check.passed is False and check.worst_index == (0,)

    @given(SEEDS, st.integers(0, 11), st.floats(1e-3, 1e3), st.sampled_from([-1, 1]))
    def test_in_any_entry_by_a_thousandth_or_more(self, seed, entry, error, sign):
        x = drawn(12, seed=seed)
        dx = np.cos(x)
        typical = np.sqrt(np.mean(dx**2))
        dx[entry] += sign * error * max(abs(dx[entry]), typical)
        check = check_gradient(lambda x: np.sin(x).sum(), x, dx)
        assert check.passed is False and check.worst_index == (entry,)


class TestARightGradientPasses:
    @pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
    def test_with_any_subgradient_of_a_relu_at_exactly_0(self, slope):
        x = np.array([[0.0, 2.0, -3.0], [0.0, 0.5, 0.0]])
        dx = np.where(x == 0, slope, x > 0)
        check = check_gradient(lambda x: np.maximum(x, 0), x, dx, np.ones_like(x))
        assert check.passed and check.kinks == 3

    @pytest.mark.parametrize("share", [(1, 0), (0, 1), (0.5, 0.5)])
    def test_with_any_winner_of_a_tie_in_a_maximum(self, share):
        x = np.array([3.0, 1.0, 3.0])
        check = check_gradient(lambda x: x.max(), x, np.array([share[0], 0, share[1]]))
        assert check.passed and check.kinks == 2

    @pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e30])
    @pytest.mark.parametrize("size", [6, SMALL + 1])
    def test_at_extreme_sizes_of_the_input(self, scale, size):
        x = scale * drawn(size)
        assert check_square(x, 2 * x).passed
        assert check_square(x, 2.001 * x).passed is False

    @pytest.mark.parametrize("scale", [1e-30, 1e30])
    def test_at_extreme_sizes_of_the_gradient(self, scale):
        x = drawn(6)
        assert check_gradient(lambda x: scale * np.sin(x).sum(), x, scale * np.cos(x)).passed
        assert check_gradient(lambda x: scale * np.sin(x).sum(), x, -scale * np.cos(x)).passed is False

    @pytest.mark.parametrize("size", [6, SMALL + 1])
    def test_of_a_function_that_computes_in_float32(self, size):
        x, dout = drawn(size), drawn(size, seed=1)
        f = lambda x: np.tanh(x.astype(np.float32))  # noqa: E731
        dx = (dout * (1 - np.tanh(x) ** 2)).astype(np.float32)
        assert check_gradient(f, x, dx, dout).passed
        assert check_gradient(f, x, 1.1 * dx, dout).passed is False

    @settings(max_examples=25)  # each measures 160 slopes with long steps
    @given(SEEDS)
    def test_of_a_float32_function_of_many_weights_and_few_outputs(self, seed):
        x, w, dout = drawn(1, 40, seed=seed), drawn(40, 4, seed=seed + 1), drawn(1, 4, seed=seed + 2)
        f = lambda w: x.astype(np.float32) @ w.astype(np.float32)  # noqa: E731
        assert check_gradient(f, w, x.T @ dout, dout).passed

    @pytest.mark.parametrize("size", [6, SMALL + 1])
    def test_that_is_itself_float32(self, size):
        x = drawn(size)
        assert check_square(x, (2 * x).astype(np.float32)).passed
        assert check_square(x, (2.001 * x).astype(np.float32)).passed is False

    def test_of_a_constant_function(self):
        assert check_gradient(lambda x: 3.0, drawn(5), np.zeros(5)).passed
        assert check_gradient(lambda x: 3.0, drawn(5), np.full(5, 1e-3)).passed is False

    @pytest.mark.parametrize("shape", [(0,), (3, 0)])
    def test_when_it_is_empty(self, shape):
        assert check_gradient(np.sum, np.zeros(shape), np.zeros(shape)).passed

    def test_of_a_single_number(self):
        x = np.array(1.5)
        assert check_gradient(lambda x: float(x) ** 3, x, np.array(3 * 1.5**2)).passed
        assert check_gradient(lambda x: float(x) ** 3, x, np.array(2 * 1.5**2)).passed is False

    @given(SEEDS, st.integers(1, 5), st.integers(1, 6), st.integers(1, 5))
    def test_of_a_random_two_layer_net(self, seed, N, D, H):
        x, w1, w2 = drawn(N, D, seed=seed), drawn(D, H, seed=seed + 1), drawn(H, 3, seed=seed + 2)
        dout = drawn(N, 3, seed=seed + 3)
        hidden = np.maximum(x @ w1, 0)
        dw1 = x.T @ ((dout @ w2.T) * (hidden > 0))
        assert check_gradient(lambda w1: np.maximum(x @ w1, 0) @ w2, w1, dw1, dout).passed

    @given(SEEDS, st.integers(2, 300), st.floats(-12, 12))
    def test_of_a_random_smooth_function(self, seed, size, exponent):
        scale = 10.0**exponent
        x, a, dout = scale * drawn(size, seed=seed), drawn(size, seed=seed + 1), drawn(size, seed=seed + 2)
        check = check_gradient(
            lambda x: np.tanh(a * x / scale), x, dout * a / scale / np.cosh(a * x / scale) ** 2, dout
        )
        assert check.passed

    @given(SEEDS, st.integers(0, 12))
    def test_of_a_random_vector_with_zeros_through_a_relu(self, seed, zeros):
        x, dout = drawn(12, seed=seed), drawn(12, seed=seed + 1)
        x[:zeros] = 0
        check = check_gradient(lambda x: np.maximum(x, 0), x, dout * (x > 0), dout)
        assert check.passed


class TestWhatCannotBeCompared:
    def test_none_is_named(self):
        check = check_square(drawn(3), None)
        assert check.passed is False
        assert check.message == "dx is None; expected an array of shape (3,). Does your backward pass return it?"

    @pytest.mark.parametrize("analytic", ["zero", np.array(["a", "b", "c"]), np.ones(3) * 1j, object()])
    def test_what_is_no_real_number_is_named(self, analytic):
        check = check_square(drawn(3), analytic)
        assert check.passed is False and "expected real numbers of shape (3,)" in check.message

    def test_a_row_in_the_place_of_a_vector_is_named(self):
        x = drawn(3)
        check = check_square(x, 2 * x[None], name="db")
        assert check.passed is False
        assert check.message.startswith("db has shape (1, 3); expected (3,)") and "keepdims" in check.message

    def test_what_has_no_entries_is_told_of_the_slice_that_became_empty(self):
        x, pad = drawn(2, 3, 4, 4), 0
        check = check_square(x, (2 * x)[:, :, pad:-pad, pad:-pad])
        assert check.passed is False
        assert check.message == (
            "dx has shape (2, 3, 0, 0); expected (2, 3, 4, 4), the shape of the array that it belongs to. "
            "It has no entries: does a slice such as [pad:-pad] become empty?"
        )

    @pytest.mark.parametrize("x", [np.arange(3), [1.0, 2.0], 1.5])
    def test_an_input_that_is_no_float_array_is_a_mistake_of_the_caller(self, x):
        with pytest.raises(TypeError, match="x must be a float array; got"):
            check_square(x, x)

    def test_a_function_that_changes_its_argument_is_told_so(self):
        def shifted(x):
            x -= x.max()
            return x**2

        x = drawn(4)
        before = x.copy()
        check = check_gradient(shifted, x, np.ones(4), np.ones(4))
        assert not check.passed and "changes its argument" in check.message
        assert np.array_equal(x, before)

    @pytest.mark.parametrize("dtype, rounding", [(np.float64, 1e-17), (np.float32, 1e-8)])
    def test_rounding_error_is_right_where_the_function_does_not_move(self, dtype, rounding):
        dout = drawn(5, 4)
        claimed = (rounding * drawn(4)).astype(dtype)

        def centered(b):
            out = dout * 0 + b
            return (out - out.mean(axis=0) + drawn(5, 4)) ** 2

        assert check_gradient(centered, drawn(4), claimed, dout).passed
        assert not check_gradient(centered, drawn(4), claimed + 1e-3, dout).passed

    def test_a_function_that_jumps_about_decides_nothing(self):
        noise = np.random.default_rng(0)
        check = check_gradient(lambda x: noise.normal(), drawn(4), np.zeros(4))
        assert check.passed is None and "could not be measured" in check.message
        with pytest.raises(AssertionError, match="could not be measured"):
            check.require()


class TestTheInput:
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=6))
    def test_is_restored_bit_for_bit(self, values):
        x = np.array(values)
        before = x.tobytes()
        check_gradient(lambda x: np.tanh(x).sum(), x, np.ones(x.shape))
        eval_numerical_gradient(lambda x: np.tanh(x).sum(), x)
        assert x.tobytes() == before

    @pytest.mark.parametrize("after", [1, 2, 3, 6, 9])
    def test_is_restored_when_the_function_raises(self, after):
        x, calls = drawn(3), []
        before = x.tobytes()

        def f(x):
            calls.append(1)
            if len(calls) > after:
                raise ZeroDivisionError
            return x.sum()

        with pytest.raises(ZeroDivisionError):
            check_gradient(f, x, np.ones(3))
        assert x.tobytes() == before

    @pytest.mark.parametrize("size", [4, SMALL + 1])
    def test_may_be_read_where_it_lies(self, size):
        x = drawn(size)
        assert check_gradient(lambda _: np.sin(x).sum(), x, np.cos(x)).passed
        assert check_gradient(lambda _: np.sin(x).sum(), x, -np.cos(x)).passed is False

    def test_may_be_handed_back_as_the_output(self):
        x = drawn(4)
        assert check_gradient(lambda x: x, x, np.ones(4), np.ones(4)).passed


class TestTheMessage:
    def test_says_where_what_and_what_was_measured(self):
        x = np.array([[1.0, 2.0], [3.0, 4.0]])
        dx = 2 * x
        dx[1, 0] = 7
        assert check_square(x, dx).message == (
            "dx is wrong in 1 of 4 entries; the worst is dx[1, 0]: your gradient says 7, the measured slope is 6"
        )

    def test_of_a_right_gradient_says_so_and_require_hands_it_on(self):
        x = drawn(3)
        check = check_square(x, 2 * x)
        assert check.message.startswith("dx is right (relative error ") and check.require() is check

    def test_is_raised_by_require(self):
        x = drawn(3)
        with pytest.raises(AssertionError, match="dx is wrong in 3 of 3 entries"):
            check_square(x, -2 * x).require()


class TestSeveralGradients:
    def test_are_checked_each_on_its_own(self):
        x, w, dout = drawn(2, 3), drawn(3, 4, seed=1), drawn(2, 4, seed=2)
        checks = check_gradients(lambda x, w: x @ w, {"x": x, "w": w}, {"x": dout @ w.T, "w": 2 * x.T @ dout}, dout)
        assert [(check.name, check.passed) for check in checks] == [("dx", True), ("dw", False)]
        assert "dx is right" in repr(checks) and "dw is wrong" in repr(checks)
        with pytest.raises(AssertionError) as error:
            checks.require()
        assert "dw is wrong" in str(error.value) and "dx" not in str(error.value)
        with pytest.raises(AssertionError, match="dw is wrong in 12 of 12 entries.*\nLook at dw again.$"):
            checks.require("Look at dw again.")

    def test_leave_the_inputs_alone_and_skip_what_has_no_gradient(self):
        x, y = drawn(3), np.array([0, 1, 2])
        checks = check_gradients(lambda x, y: (x * y).sum(), {"x": x, "y": y}, {"x": y.astype(float)})
        assert len(checks.require()) == 1


class TestTheClassicFunctions:
    def test_numerical_gradients_are_those_of_the_assignment_of_old(self, capsys):
        x, dout = drawn(2, 3), drawn(2, 3, seed=1)
        np.testing.assert_allclose(
            eval_numerical_gradient(lambda x: np.sum(x**3), x, verbose=True), 3 * x**2, rtol=1e-6
        )
        assert capsys.readouterr().out.count("\n") == x.size
        np.testing.assert_allclose(eval_numerical_gradient_array(np.sin, x, dout), dout * np.cos(x), rtol=1e-6)

    @given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1))
    def test_rel_error_is_symmetric_and_at_most_1(self, pairs):
        x, y = np.array(pairs).T
        assert rel_error(x, y) == rel_error(y, x) <= 1
        assert rel_error(x, x) == 0

    def test_rel_error_of_nothing_is_0(self):
        assert rel_error(np.zeros(0), np.zeros(0)) == 0


class TestANet:
    class Line:
        """A net of one weight and one bias; its loss is a parabola."""

        def __init__(self, slope_of_b):
            self.params, self.slope_of_b = {"W1": drawn(3), "b1": np.array([0.5])}, slope_of_b

        def loss(self, X, y):
            off = X @ self.params["W1"] + self.params["b1"] - y
            return (off**2).sum(), {"W1": 2 * X.T @ off, "b1": self.slope_of_b * off.sum(keepdims=True)}

    def test_is_checked_parameter_by_parameter_and_left_as_it_was(self):
        net, X, y = self.Line(slope_of_b=2), drawn(4, 3, seed=1), drawn(4, seed=2)
        before = {name: value.copy() for name, value in net.params.items()}
        assert [check.name for check in check_net(net, X, y).require()] == ["dW1", "db1"]
        assert all(np.array_equal(net.params[name], value) for name, value in before.items())

    def test_with_a_wrong_or_absent_gradient_is_told_which(self):
        net, X, y = self.Line(slope_of_b=1), drawn(4, 3, seed=1), drawn(4, seed=2)
        assert [check.passed for check in check_net(net, X, y)] == [True, False]
        del net.params["W1"]
        net.params["W2"] = drawn(3)
        net.loss = lambda X, y: (0.0, {})
        assert "dW2 is None" in repr(check_net(net, X, y))
