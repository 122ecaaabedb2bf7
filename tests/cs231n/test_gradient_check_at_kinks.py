"""Ten thousand random right gradients through a ReLU at exactly 0 and through tied maxima: no false alarm.

A seeded sample runs by default; KINK_TRIALS=10000 in the environment runs them all, in two or three minutes.
"""

import os

import numpy as np
import pytest

from cs231n.gradient_check import SMALL, check_gradient
from cs231n.layers import max_pool_forward_naive

TRIALS = int(os.environ.get("KINK_TRIALS", 300))


def tied(rng, shape):
    """Draw an array in which zeros and equal entries are common, of a size between 1e-30 and 1e30."""
    x = rng.normal(size=shape)
    coarse = rng.integers(-2, 3, size=shape)
    return rng.choice([x, coarse, np.where(rng.random(shape) < 0.5, 0.0, x)]) * 10.0 ** rng.uniform(-30, 30)


def upstream(rng, shape):
    """Draw dout: of any size, or with equal entries, so that opposite kinks cancel in the sum."""
    return rng.choice([rng.normal(size=shape), rng.choice([-1.0, 1.0], size=shape)]) * 10.0 ** rng.uniform(-30, 30)


def through_relu(rng):
    """Return (f, x, dx, dout) of a ReLU; at 0 the gradient is 0, dout, or anything between."""
    x = tied(rng, tuple(rng.integers(1, 9 if rng.random() < 0.8 else 20, size=2)))
    dout = upstream(rng, x.shape)
    at_0 = rng.choice([np.zeros(x.shape), np.ones(x.shape), rng.random(x.shape)])
    return lambda x: np.maximum(x, 0), x, dout * np.where(x == 0, at_0, x > 0), dout


def through_pooling(rng):
    """Return (f, x, dx, dout) of max pooling, windows overlapping or not; a tie has one winner, or is shared."""
    side, stride = rng.integers(1, 4), rng.integers(1, 4)
    H, W = side + stride * rng.integers(0, 3, size=2)
    pool_param = {"pool_height": side, "pool_width": side, "stride": stride}
    x = tied(rng, (*rng.integers(1, 3, size=2), H, W))
    out = max_pool_forward_naive(x, pool_param)[0]
    dout, dx = upstream(rng, out.shape), np.zeros(x.shape)
    rule = rng.choice(["first", "any", "shared"])
    for n, c, i, j in np.ndindex(*out.shape):
        window = np.s_[n, c, i * stride : i * stride + side, j * stride : j * stride + side]
        winners = np.argwhere(x[window] == x[window].max())
        if rule != "shared":
            winners = winners[[0 if rule == "first" else rng.integers(len(winners))]]
        for winner in winners:
            dx[window][tuple(winner)] += dout[n, c, i, j] / len(winners)
    return lambda x: max_pool_forward_naive(x, pool_param)[0], x, dx, dout


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("through, share", [(through_relu, 0.5), (through_pooling, 0.5)])
def test_no_right_gradient_is_called_wrong(through, share):
    alarms, kinks = [], 0
    for trial in range(int(TRIALS * share)):
        rng = np.random.default_rng([231, trial])
        check = check_gradient(*through(rng))
        kinks += check.kinks
        if not check.passed:
            alarms.append((trial, check.message))
    assert not alarms
    assert kinks > TRIALS  # the trials do meet kinks


def test_a_claim_at_opposite_kinks_of_several_outputs_may_choose_for_each():
    x, w, dout = np.zeros((1, 1)), np.array([[1.0, 1.0]]), np.array([[1.0, -1.0]])
    for claim in (0.0, 1.0, -1.0):  # none of the outputs, the first alone, the second alone
        assert check_gradient(lambda x: np.maximum(x @ w, 0), x, np.array([[claim]]), dout).kinks == 1
    for claim in (-1.1, 1.1):
        assert check_gradient(lambda x: np.maximum(x @ w, 0), x, np.array([[claim]]), dout).passed is False


def test_a_kink_near_an_entry_is_none_at_it():
    x = np.array([1e-4, -1e-5, 1.0, -1.0])
    check = check_gradient(lambda x: np.maximum(x, 0), x, np.array([1.0, 0, 1, 0]), np.ones(4))
    assert check.passed and check.kinks == 0
    assert check_gradient(lambda x: np.maximum(x, 0), x, np.array([0.5, 0, 1, 0]), np.ones(4)).passed is False


@pytest.mark.parametrize("size", [12, SMALL + 1])
def test_the_message_counts_the_kinks_for_every_verdict(size):
    x = np.random.default_rng(0).normal(size=size)
    x[:3] = 0
    dx = (x > 0).astype(float)
    for claim in (dx, -dx):
        check = check_gradient(lambda x: np.maximum(x, 0), x, claim, np.ones(size))
        assert check.kinks == 3 and f"at a kink, where any subgradient is right: 3 of {size} entries" in check.message
        assert "3 at kinks" in check._repr_html_()


def test_without_kinks_the_message_speaks_of_none():
    x = np.ones(3)
    assert "kink" not in check_gradient(lambda x: np.maximum(x, 0), x, np.ones(3), np.ones(3)).message


@pytest.mark.parametrize("at_0", [0.0, 1.0])
def test_kinks_are_known_in_float32_as_well(at_0):
    x = np.array([0.0, 0.7, -1.3, 0.0, 2.1])
    check = check_gradient(
        lambda x: np.maximum(x.astype(np.float32) * np.float32(1.7), 0),
        x,
        1.7 * np.where(x == 0, at_0, x > 0),
        np.ones(5),
    )
    assert check.passed and check.kinks == 2
