"""Each layer computes its formula, and each backward function is the derivative of its forward function."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n import layers

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)
quick = settings(max_examples=25, deadline=None)


def numeric_gradient(f, x, dout, h=1e-5):
    """Central differences of sum(f(x) * dout), entry by entry; x is changed and put back."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + h
        above = f(x)
        x[index] = old - h
        below = f(x)
        x[index] = old
        gradient[index] = np.sum((above - below) * dout) / (2 * h)
    return gradient


def away_from_zero(rng, shape):
    """Numbers that no step of a numeric gradient carries across the kink of a ReLU."""
    return rng.choice([-1, 1], size=shape) * rng.uniform(0.1, 2, size=shape)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


class TestAffine:
    def test_forward_flattens_each_example(self):
        x = np.arange(12.0).reshape(2, 3, 2)
        w, b = np.ones((6, 2)) * [1, 2], np.array([0.5, -0.5])
        out, _ = layers.affine_forward(x, w, b)
        assert_close(out, [[15.5, 29.5], [51.5, 101.5]])

    @quick
    @given(seeds, sizes, st.lists(sizes, min_size=1, max_size=3), sizes)
    def test_gradients_for_any_shape(self, seed, N, shape, M):
        rng = np.random.default_rng(seed)
        x, w, b = rng.normal(size=(N, *shape)), rng.normal(size=(np.prod(shape), M)), rng.normal(size=M)
        dout = rng.normal(size=(N, M))
        dx, dw, db = layers.affine_backward(dout, layers.affine_forward(x, w, b)[1])
        assert_close(dx, numeric_gradient(lambda x: layers.affine_forward(x, w, b)[0], x, dout))
        assert_close(dw, numeric_gradient(lambda w: layers.affine_forward(x, w, b)[0], w, dout))
        assert_close(db, numeric_gradient(lambda b: layers.affine_forward(x, w, b)[0], b, dout))
        assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, b.shape)


class TestRelu:
    def test_forward_cuts_at_zero(self):
        assert_close(layers.relu_forward(np.array([[-2.0, 0, 3]]))[0], [[0, 0, 3]])

    @quick
    @given(seeds, st.lists(sizes, min_size=1, max_size=4))
    def test_gradient_for_any_shape(self, seed, shape):
        rng = np.random.default_rng(seed)
        x, dout = away_from_zero(rng, shape), rng.normal(size=shape)
        dx = layers.relu_backward(dout, layers.relu_forward(x)[1])
        assert_close(dx, numeric_gradient(lambda x: layers.relu_forward(x)[0], x, dout))


def batchnorm_case(seed, N, D):
    rng = np.random.default_rng(seed)
    return rng.normal(1, 3, size=(N, D)), rng.normal(size=D), rng.normal(size=D), rng.normal(size=(N, D))


class TestBatchnorm:
    def test_training_output_has_mean_beta_and_deviation_gamma(self):
        x, gamma, beta, _ = batchnorm_case(0, 200, 4)
        out, _ = layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})
        np.testing.assert_allclose(out.mean(axis=0), beta, atol=1e-10)
        np.testing.assert_allclose(out.std(axis=0), abs(gamma), rtol=1e-5)

    def test_running_averages_follow_the_formula_with_biased_variance(self):
        x, gamma, beta, _ = batchnorm_case(1, 5, 3)
        bn_param = {"mode": "train", "momentum": 0.7, "running_mean": np.ones(3), "running_var": np.full(3, 2.0)}
        layers.batchnorm_forward(x, gamma, beta, bn_param)
        assert_close(bn_param["running_mean"], 0.7 + 0.3 * x.mean(axis=0))
        assert_close(bn_param["running_var"], 1.4 + 0.3 * ((x - x.mean(axis=0)) ** 2).mean(axis=0))

    def test_averages_that_were_handed_in_are_replaced_not_overwritten(self):
        x, gamma, beta, _ = batchnorm_case(1, 5, 3)
        running_mean = np.zeros(3)
        layers.batchnorm_forward(x, gamma, beta, {"mode": "train", "running_mean": running_mean})
        assert not running_mean.any()

    def test_at_test_time_the_running_averages_are_used_and_stay(self):
        x, gamma, beta, _ = batchnorm_case(2, 4, 3)
        mean, var = np.array([1.0, 2, 3]), np.array([4.0, 1, 9])
        bn_param = {"mode": "test", "eps": 0.5, "running_mean": mean, "running_var": var}
        out, _ = layers.batchnorm_forward(x, gamma, beta, bn_param)
        assert_close(out, gamma * (x - mean) / np.sqrt(var + 0.5) + beta)
        assert bn_param["running_mean"] is mean and bn_param["running_var"] is var

    def test_unknown_mode_is_named(self):
        with pytest.raises(ValueError, match=r"'training'.*'train' or 'test'"):
            layers.batchnorm_forward(np.ones((2, 3)), np.ones(3), np.ones(3), {"mode": "training"})

    @pytest.mark.parametrize("backward", [layers.batchnorm_backward, layers.batchnorm_backward_alt])
    @quick
    @given(seed=seeds, N=sizes, D=sizes, eps=st.sampled_from([1e-2, 1e-1, 1.0]))
    def test_gradients_for_any_shape(self, backward, seed, N, D, eps):
        x, gamma, beta, dout = batchnorm_case(seed, N, D)

        def forward(x, gamma, beta):
            return layers.batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": eps})

        dx, dgamma, dbeta = backward(dout, forward(x, gamma, beta)[1])
        np.testing.assert_allclose(
            dx, numeric_gradient(lambda x: forward(x, gamma, beta)[0], x, dout), rtol=1e-5, atol=1e-6
        )
        assert_close(dgamma, numeric_gradient(lambda gamma: forward(x, gamma, beta)[0], gamma, dout))
        assert_close(dbeta, numeric_gradient(lambda beta: forward(x, gamma, beta)[0], beta, dout))
        assert (dgamma.shape, dbeta.shape) == (gamma.shape, beta.shape)

    @quick
    @given(seeds, st.integers(2, 20), sizes)
    def test_both_backward_functions_agree(self, seed, N, D):
        x, gamma, beta, dout = batchnorm_case(seed, N, D)
        _, cache = layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})
        for one, other in zip(layers.batchnorm_backward(dout, cache), layers.batchnorm_backward_alt(dout, cache)):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


class TestDropout:
    @pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
    def test_p_is_the_probability_of_keeping_and_the_mean_survives(self, p):
        x = np.full((300, 300), 10.0)
        out, _ = layers.dropout_forward(x, {"mode": "train", "p": p, "seed": 4})
        assert np.mean(out != 0) == pytest.approx(p, abs=0.01)
        assert out.mean() == pytest.approx(10, abs=0.2)
        np.testing.assert_allclose(out[out != 0], 10 / p)

    def test_at_test_time_nothing_changes(self):
        x = np.arange(6.0).reshape(2, 3)
        out, cache = layers.dropout_forward(x, {"mode": "test", "p": 0.3})
        np.testing.assert_array_equal(out, x)
        np.testing.assert_array_equal(layers.dropout_backward(x, cache), x)

    @quick
    @given(seeds, st.lists(sizes, min_size=1, max_size=4), st.sampled_from([0.1, 0.5, 1.0]))
    def test_gradient_for_any_shape(self, seed, shape, p):
        rng = np.random.default_rng(seed)
        x, dout = rng.normal(size=shape), rng.normal(size=shape)
        param = {"mode": "train", "p": p, "seed": seed}
        dx = layers.dropout_backward(dout, layers.dropout_forward(x, param)[1])
        assert_close(dx, numeric_gradient(lambda x: layers.dropout_forward(x, param)[0], x, dout))

    def test_without_seed_masks_differ_and_follow_the_global_generator(self):
        x, param = np.ones(1000), {"mode": "train", "p": 0.5}
        np.random.seed(0)
        first, second = (layers.dropout_forward(x, param)[0] for _ in range(2))
        np.random.seed(0)
        assert (first != second).any()
        np.testing.assert_array_equal(layers.dropout_forward(x, param)[0], first)

    @pytest.mark.parametrize("param", [{"mode": "train", "p": 0}, {"mode": "train", "p": 1.5}, {"mode": "x", "p": 0.5}])
    def test_impossible_settings_are_refused(self, param):
        with pytest.raises(ValueError, match="dropout_forward"):
            layers.dropout_forward(np.ones(3), param)


@pytest.mark.parametrize("loss_function", [layers.svm_loss, layers.softmax_loss])
class TestLosses:
    @quick
    @given(seed=seeds, N=sizes, C=st.integers(2, 6))
    def test_gradient(self, loss_function, seed, N, C):
        rng = np.random.default_rng(seed)
        # Distinct multiples of 0.3 plus a little: no hinge of the SVM is within a step of its kink.
        x = np.stack([rng.permutation(C) for _ in range(N)]) * 0.3 + 0.01
        y = rng.integers(C, size=N)
        _, dx = loss_function(x, y)
        assert_close(dx, numeric_gradient(lambda x: np.asarray(loss_function(x, y)[0]), x, 1.0))

    @quick
    @given(seed=seeds, shift=st.floats(-100, 100))
    def test_a_constant_added_to_all_scores_changes_nothing(self, loss_function, seed, shift):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(4, 5)), rng.integers(5, size=4)
        assert loss_function(x + shift, y)[0] == pytest.approx(loss_function(x, y)[0])

    def test_examples_twice_over_have_the_same_mean_loss(self, loss_function):
        x, y = np.random.default_rng(0).normal(size=(4, 5)), np.array([0, 1, 2, 4])
        assert loss_function(np.tile(x, (2, 1)), np.tile(y, 2))[0] == pytest.approx(loss_function(x, y)[0])

    def test_large_scores_stay_finite(self, loss_function):
        loss, dx = loss_function(np.array([[1000.0, 0, -1000], [0, 1000, 1000]]), np.array([2, 1]))
        assert np.isfinite(loss) and np.isfinite(dx).all()


def test_equal_scores_cost_log_C_and_C_minus_1():
    x, y = np.zeros((3, 10)), np.array([0, 5, 9])
    assert layers.softmax_loss(x, y)[0] == pytest.approx(np.log(10))
    assert layers.svm_loss(x, y)[0] == pytest.approx(9)


def calls():
    """Every function with arguments it must leave alone, and the part of its result that has a type to keep."""
    x, row, y = np.linspace(-1, 2, 12).reshape(3, 4), np.linspace(1, 2, 4), np.array([0, 3, 1])
    w = np.linspace(-1, 1, 8).reshape(4, 2)
    drop = {"mode": "train", "p": 0.5, "seed": 1}

    def normalize(x, gamma, beta):
        return layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})

    return [
        ("affine", layers.affine_forward, layers.affine_backward, [x, w, row[:2]], 2),
        ("relu", layers.relu_forward, layers.relu_backward, [x], 4),
        ("batchnorm", normalize, layers.batchnorm_backward, [x, row, row], 4),
        ("batchnorm_alt", normalize, layers.batchnorm_backward_alt, [x, row, row], 4),
        ("dropout", lambda a: layers.dropout_forward(a, drop), layers.dropout_backward, [x], 4),
        ("svm", lambda a: layers.svm_loss(a, y), None, [x], None),
        ("softmax", lambda a: layers.softmax_loss(a, y), None, [x], None),
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("forward, backward, arguments, outputs", [pytest.param(*c[1:], id=c[0]) for c in calls()])
def test_arguments_are_left_alone_and_types_kept(forward, backward, arguments, outputs, dtype):
    arguments = [a.astype(dtype) for a in arguments]
    for a in arguments:
        a.flags.writeable = False
    out, cache = forward(*arguments)
    if backward is None:
        assert cache.dtype == dtype
        return
    dout = np.ones((3, outputs), dtype=dtype)
    dout.flags.writeable = False
    once, again = as_tuple(backward(dout, cache)), as_tuple(backward(dout, cache))
    assert all(array.dtype == dtype for array in (out, *once))
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second)


def as_tuple(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)
