"""Each update rule follows its formula, remembers in `config`, and leaves w alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n import optimizers

RULES = [optimizers.sgd, optimizers.sgd_momentum, optimizers.rmsprop, optimizers.adam]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
numbers = st.floats(-10, 10)


@every_rule
def test_default_settings_are_filled_in_and_returned(rule):
    defaults = {
        "sgd": {"learning_rate": 1e-2},
        "sgd_momentum": {"learning_rate": 1e-2, "momentum": 0.9},
        "rmsprop": {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8},
        "adam": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    }
    _, config = rule(np.ones(2), np.ones(2))
    assert defaults[rule.__name__].items() <= config.items()


def test_sgd_steps_against_the_gradient():
    next_w, _ = optimizers.sgd(np.array([1.0, 2]), np.array([10.0, -10]), {"learning_rate": 0.1})
    np.testing.assert_allclose(next_w, [0, 3])


@settings(deadline=None)
@given(numbers, st.lists(numbers, min_size=1, max_size=6), st.sampled_from([0.0, 0.5, 0.9]))
def test_momentum_is_a_decaying_sum_of_all_gradients(w, gradients, momentum):
    config = {"learning_rate": 0.1, "momentum": momentum}
    current = np.array([w])
    for dw in gradients:
        before = current
        current, config = optimizers.sgd_momentum(current, np.array([dw]), config)
    steps = len(gradients)
    velocity = -0.1 * sum(momentum ** (steps - 1 - i) * dw for i, dw in enumerate(gradients))
    np.testing.assert_allclose(config["velocity"], velocity, atol=1e-12)
    np.testing.assert_allclose(current, before + config["velocity"])


@settings(deadline=None)
@given(numbers, st.lists(numbers, min_size=1, max_size=6))
def test_rmsprop_divides_by_the_root_plus_epsilon(w, gradients):
    config = {"learning_rate": 0.1, "decay_rate": 0.8, "epsilon": 0.01}
    current, mean_square = np.array([w]), 0.0
    for dw in gradients:
        mean_square = 0.8 * mean_square + 0.2 * dw**2
        expected = current - 0.1 * dw / (mean_square**0.5 + 0.01)
        current, config = optimizers.rmsprop(current, np.array([dw]), config)
        np.testing.assert_allclose(current, expected)
    np.testing.assert_allclose(config["cache"], mean_square)


@settings(deadline=None)
@given(numbers, st.lists(numbers, min_size=1, max_size=6))
def test_adam_weighs_past_gradients_to_a_proper_mean(w, gradients):
    config = {"learning_rate": 0.1, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.01}
    current = np.array([w])
    for t in range(1, len(gradients) + 1):
        past = np.array(gradients[:t])
        # The bias correction divides by the sum of the weights, so both are weighted means.
        m_hat = np.average(past, weights=0.7 ** np.arange(t)[::-1])
        v_hat = np.average(past**2, weights=0.9 ** np.arange(t)[::-1])
        expected = current - 0.1 * m_hat / (v_hat**0.5 + 0.01)
        current, config = optimizers.adam(current, np.array([gradients[t - 1]]), config)
        np.testing.assert_allclose(current, expected, atol=1e-12)
        assert config["t"] == t


def test_adam_increments_t_before_use_so_a_first_step_has_the_learning_rate_as_its_size():
    next_w, config = optimizers.adam(np.zeros(2), np.array([1e-3, -50.0]), {"learning_rate": 0.25})
    np.testing.assert_allclose(next_w, [-0.25, 0.25], rtol=1e-4)
    assert config["t"] == 1


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_left_alone_and_types_kept(rule, dtype):
    w, dw = np.ones((2, 3), dtype=dtype), np.full((2, 3), 2, dtype=dtype)
    _, config = rule(w, dw)
    for array in (w, dw, *(v for v in config.values() if isinstance(v, np.ndarray))):
        array.flags.writeable = False
    next_w, config = rule(w, dw, config)
    assert all(v.dtype == dtype for v in (next_w, *config.values()) if isinstance(v, np.ndarray))


@every_rule
def test_a_quadratic_bowl_is_descended(rule):
    w, config = np.array([3.0, -2.0]), {"learning_rate": 0.05}
    for _ in range(300):
        w, config = rule(w, 2 * w, config)
    assert np.abs(w).max() < 0.1
