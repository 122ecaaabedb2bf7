"""Slopes are as good as their error estimates say, and a small mistake does not hide in a large array."""

import numpy as np
import pytest

from cs231n.gradient_check import check_gradient
from cs231n.layers import conv_backward_naive, conv_forward_naive
from cs231n.slopes import Line, Slopes


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_error_estimate_covers_the_error_at_steps_of_every_size():
    x = np.array([0.7])
    for h in (1e-1, 1e-2, 1e-4, 1e-6, 1e-8):
        low, high, error = Line(np.sin, x, np.ones(1)).slopes(h)
        assert abs((low + high) / 2 - np.cos(0.7)) <= high - low + error


def test_entries_much_smaller_than_the_others_are_measured_as_closely():
    x = np.array([1.0, -2.0, 900.0])
    slopes = Slopes(np.tanh, x, np.ones(3)).entries(np.float64)
    np.testing.assert_allclose((slopes.low + slopes.high) / 2, np.cosh([1, -2, 300.0]) ** -2.0 * [1, 1, 0], rtol=1e-5)
    assert not slopes.kink.any() and (slopes.uncertainty < 1e-5).all()


def test_a_kink_is_measured_from_both_sides():
    slopes = Slopes(lambda x: np.abs(x), np.array([0.0, 1.0]), np.ones(2)).entries(np.float64)
    np.testing.assert_allclose([slopes.low, slopes.high], [[-1, 1], [1, 1]])
    assert slopes.kink.tolist() == [True, False]


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_a_number_has_the_slopes_of_an_array_that_holds_it(precision):
    rng = np.random.default_rng(3)
    for _ in range(300):
        x, factors, size = rng.normal(size=3), rng.normal(size=3), 10 ** rng.uniform(-6, 6)
        x[0] = rng.choice([0.5, x[0]])
        h = 10.0 ** -rng.integers(1, 9)
        f = lambda x: size * np.sum(np.sin(factors * x) + np.abs(x - 0.5))  # noqa: B023, E731
        as_array = lambda x: np.array([f(x)])  # noqa: B023, E731
        number = Line(f, x, np.ones(()), 0, 1.0, precision).slopes(h)
        assert number == Line(as_array, x, np.ones(1), 0, 1.0, precision).slopes(h)


def test_f_is_called_four_times_for_each_entry_and_step():
    calls = []
    Slopes(lambda x: calls.append(1) or np.sum(x**2), np.arange(1.0, 6.0), np.ones(())).entries(np.float64)
    assert len(calls) == 1 + 4 * 5


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_entry_of_ten_thousand_wrong_by_1_percent_is_caught(dtype):
    x, typical = drawn(100, 100), 2.0
    dx = (2 * x).astype(dtype)
    dx[31, 7] += 0.01 * typical
    check = check_gradient(lambda x: np.sum(x**2), x, dx)
    assert check.passed is False and check.worst_index == (31, 7) and check.wrong.sum() == 1


def test_a_right_gradient_of_ten_thousand_entries_takes_few_calls():
    x, calls = drawn(100, 100), []
    assert check_gradient(lambda x: calls.append(1) or np.sum(x**2), x, 2 * x).passed
    assert len(calls) < 50


def test_a_transposed_filter_is_caught():
    x, w, b, conv_param = drawn(2, 2, 5, 5), drawn(3, 2, 3, 3, seed=1), drawn(3), {"stride": 1, "pad": 1}
    out, cache = conv_forward_naive(x, w, b, conv_param)
    dout = drawn(*out.shape, seed=2)
    _, dw, _ = conv_backward_naive(dout, cache)
    f = lambda w: conv_forward_naive(x, w, b, conv_param)[0]  # noqa: E731
    assert check_gradient(f, w, dw, dout).passed
    assert check_gradient(f, w, dw.swapaxes(2, 3), dout).passed is False


def test_so_does_the_loss_of_a_net_with_kinks_near_x():
    x, w1, w2, calls = drawn(30, 200), drawn(200, 60, seed=1), drawn(60, seed=2), []
    hidden = x @ w1
    dw1 = x.T @ (np.tanh(np.maximum(hidden, 0) @ w2)[:, None] * w2 * (hidden > 0))
    f = lambda w1: calls.append(1) or np.sum(np.log(np.cosh(np.maximum(x @ w1, 0) @ w2)))  # noqa: E731
    assert check_gradient(f, w1, dw1).passed
    assert len(calls) < 50
