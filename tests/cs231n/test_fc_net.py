"""The networks: architecture, initialization, loss, gradients, modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n.classifiers.fc_net import FullyConnectedNet, TwoLayerNet

X = np.random.default_rng(0).normal(size=(5, 2, 3))
y = np.array([0, 3, 1, 1, 2])


def assert_gradients_hold(model, h=1e-6):
    _, grads = model.loss(X, y)
    assert grads.keys() == model.params.keys()
    for name, value in model.params.items():
        assert grads[name].shape == value.shape
        numeric = np.empty_like(value)
        for index in np.ndindex(value.shape):
            old = value[index]
            value[index] = old + h
            above = model.loss(X, y)[0]
            value[index] = old - h
            below = model.loss(X, y)[0]
            value[index] = old
            numeric[index] = (above - below) / (2 * h)
        np.testing.assert_allclose(grads[name], numeric, rtol=1e-4, atol=1e-7, err_msg=name)


def small_net(hidden_dims=(4, 3), **options):
    np.random.seed(1)
    options = {"input_dim": 6, "num_classes": 4, "weight_scale": 0.5, "dtype": np.float64} | options
    model = FullyConnectedNet(hidden_dims, **options)
    if not model.use_batchnorm:
        # Biases above 0 keep some units of each layer open, or there would be no gradient to test.
        for name in model.params:
            if name.startswith("b"):
                model.params[name] += np.linspace(0.2, 0.9, model.params[name].size)
    return model


@pytest.mark.parametrize("reg", [0.0, 0.7])
class TestTwoLayerNet:
    def test_gradients(self, reg):
        np.random.seed(2)
        assert_gradients_hold(TwoLayerNet(6, 5, 4, weight_scale=0.5, reg=reg))

    def test_loss_adds_half_the_squares_of_both_weights_and_of_nothing_else(self, reg):
        np.random.seed(2)
        model = TwoLayerNet(6, 5, 4, weight_scale=0.5, reg=reg)
        model.params["b1"] += 1
        regularized = model.loss(X, y)[0]
        model.reg = 0.0
        squares = sum(np.sum(model.params[name] ** 2) for name in ("W1", "W2"))
        assert regularized == pytest.approx(model.loss(X, y)[0] + reg / 2 * squares)


def test_two_layer_net_computes_affine_relu_affine():
    np.random.seed(3)
    model = TwoLayerNet(6, 5, 4, weight_scale=1.0)
    p = model.params
    scores = np.maximum(X.reshape(5, 6) @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]
    np.testing.assert_allclose(model.loss(X), scores)


def test_two_layer_net_initializes_shapes_and_scale():
    np.random.seed(4)
    p = TwoLayerNet(500, 60, 7, weight_scale=1e-2).params
    assert {k: v.shape for k, v in p.items()} == {"W1": (500, 60), "b1": (60,), "W2": (60, 7), "b2": (7,)}
    assert p["W1"].std() == pytest.approx(1e-2, rel=0.05) and abs(p["W1"].mean()) < 1e-3
    assert not p["b1"].any() and not p["b2"].any()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(3, 5), max_size=3),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0, 0.6, 1]),
)
def test_gradients_of_any_depth(hidden_dims, reg, dropout):
    assert_gradients_hold(small_net(hidden_dims, reg=reg, dropout=dropout, seed=11))


@pytest.mark.parametrize("dropout", [0, 0.6])
def test_gradients_with_batch_normalization(dropout):
    assert_gradients_hold(small_net(reg=0.3, dropout=dropout, use_batchnorm=True, seed=11))


def test_parameters_of_each_layer_and_their_start():
    np.random.seed(5)
    p = FullyConnectedNet([200, 30], input_dim=100, num_classes=7, use_batchnorm=True, weight_scale=0.1).params
    assert {k: v.shape for k, v in p.items()} == {
        **{"W1": (100, 200), "b1": (200,), "gamma1": (200,), "beta1": (200,)},
        **{"W2": (200, 30), "b2": (30,), "gamma2": (30,), "beta2": (30,)},
        **{"W3": (30, 7), "b3": (7,)},
    }
    assert p["W1"].std() == pytest.approx(0.1, rel=0.05)
    assert all((p[name] == 1).all() for name in ("gamma1", "gamma2"))
    assert not any(p[name].any() for name in ("b1", "b2", "b3", "beta1", "beta2"))


def test_biases_gamma_and_beta_are_not_regularized():
    model = small_net(use_batchnorm=True, reg=0.8)
    regularized = model.loss(X, y)[0]
    squares = sum(np.sum(value**2) for name, value in model.params.items() if name.startswith("W"))
    model.reg = 0.0
    assert regularized == pytest.approx(model.loss(X, y)[0] + 0.4 * squares)


def test_small_weights_give_a_loss_of_log_C():
    assert FullyConnectedNet([8, 8], 6, 4, weight_scale=1e-4).loss(X, y)[0] == pytest.approx(np.log(4), rel=1e-4)


@pytest.mark.parametrize("dropout", [0, 1])
def test_keeping_none_and_keeping_all_both_mean_no_dropout(dropout):
    model = small_net(dropout=dropout)
    assert not model.use_dropout and model.dropout_param == {}
    assert model.loss(X, y)[0] == pytest.approx(small_net().loss(X, y)[0])


def test_dropout_is_a_probability():
    with pytest.raises(ValueError, match="dropout is 50"):
        FullyConnectedNet([3], dropout=50)


def test_dropout_works_in_training_only_and_keeps_its_mask_with_a_seed():
    seeded, free = small_net(dropout=0.5, seed=3), small_net(dropout=0.5)
    assert seeded.loss(X, y)[0] == seeded.loss(X, y)[0]
    assert free.loss(X, y)[0] != free.loss(X, y)[0]
    np.testing.assert_array_equal(free.loss(X), small_net().loss(X))


def test_modes_and_running_averages_follow_y():
    model = small_net(use_batchnorm=True, dropout=0.5)
    assert len(model.bn_params) == 2
    model.loss(X, y)
    before = model.bn_params[0]["running_mean"].copy()
    model.loss(X)
    assert {p["mode"] for p in [*model.bn_params, model.dropout_param]} == {"test"}
    np.testing.assert_array_equal(model.bn_params[0]["running_mean"], before)
    model.loss(X, y)
    assert {p["mode"] for p in [*model.bn_params, model.dropout_param]} == {"train"}
    assert (model.bn_params[0]["running_mean"] != before).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_type_asked_for(dtype):
    model = small_net(dtype=dtype, use_batchnorm=True, dropout=0.5, reg=0.1)
    loss, grads = model.loss(X, y)
    results = (*model.params.values(), *grads.values(), loss, model.loss(X))
    assert {value.dtype for value in results} == {np.dtype(dtype)}


def test_loss_and_constructor_change_none_of_their_arguments():
    hidden_dims, images, labels = [4, 3], X.copy(), y.copy()
    model = small_net(hidden_dims, reg=0.5)
    before = {name: value.copy() for name, value in model.params.items()}
    model.loss(images, labels)
    assert hidden_dims == [4, 3]
    np.testing.assert_array_equal(images, X)
    np.testing.assert_array_equal(labels, y)
    for name, value in before.items():
        np.testing.assert_array_equal(model.params[name], value)
