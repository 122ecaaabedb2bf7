"""The convolutional network: shapes, scores, loss, gradients, and what it refuses."""

import numpy as np
import pytest

from cs231n import layers
from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.gradient_check import check_net

rng = np.random.default_rng(0)
X, y = rng.normal(size=(3, 2, 6, 8)), np.array([0, 2, 1])


def small_net(**options):
    np.random.seed(4)
    sizes = {"input_dim": (2, 6, 8), "num_filters": 3, "filter_size": 3, "hidden_dim": 5, "num_classes": 4}
    return ThreeLayerConvNet(**(sizes | {"weight_scale": 0.3, "dtype": np.float64} | options))


def shapes_of(model):
    return {name: value.shape for name, value in model.params.items()}


def test_parameters_of_the_default_net_have_the_shapes_of_cifar_10():
    model = ThreeLayerConvNet()
    assert shapes_of(model) == {
        "W1": (32, 3, 7, 7),
        "b1": (32,),
        "W2": (32 * 16 * 16, 100),
        "b2": (100,),
        "W3": (100, 10),
        "b3": (10,),
    }
    assert {value.dtype for value in model.params.values()} == {np.dtype(np.float32)}


def test_sides_need_not_be_equal():
    assert shapes_of(small_net())["W2"] == (3 * 3 * 4, 5)


def test_weights_are_drawn_with_the_given_scale_and_biases_start_at_0():
    params = ThreeLayerConvNet(weight_scale=0.02).params
    for name, value in params.items():
        if name.startswith("W"):
            assert value.std() == pytest.approx(0.02, rel=0.1) and abs(value.mean()) < 0.003
        else:
            assert not value.any()


def test_scores_are_those_of_the_naive_layers_in_a_row():
    model = small_net()
    for bias in ("b1", "b2", "b3"):
        model.params[bias] += rng.normal(size=model.params[bias].shape)
    p = model.params
    a, _ = layers.conv_forward_naive(X, p["W1"], p["b1"], {"stride": 1, "pad": 1})
    pooled, _ = layers.max_pool_forward_naive(np.maximum(a, 0), {"pool_height": 2, "pool_width": 2, "stride": 2})
    hidden = np.maximum(pooled.reshape(3, -1) @ p["W2"] + p["b2"], 0)
    np.testing.assert_allclose(model.loss(X), hidden @ p["W3"] + p["b3"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reg", [0.0, 0.5])
def test_gradients(reg):
    model = small_net(reg=reg)
    _, grads = model.loss(X, y)
    assert grads.keys() == model.params.keys()
    check_net(model, X, y).require()


def test_loss_adds_half_the_squares_of_all_three_weights_and_of_no_bias():
    model = small_net(reg=0.5)
    for bias in ("b1", "b2", "b3"):
        model.params[bias] += 1
    regularized = model.loss(X, y)[0]
    model.reg = 0.0
    squares = sum(np.sum(model.params[name] ** 2) for name in ("W1", "W2", "W3"))
    assert regularized == pytest.approx(model.loss(X, y)[0] + 0.25 * squares)


def test_small_weights_start_at_the_loss_of_guessing():
    assert small_net(weight_scale=1e-4).loss(X, y)[0] == pytest.approx(np.log(4), abs=1e-3)


def test_float32_stays_float32():
    model = small_net(dtype=np.float32, reg=0.1)
    assert model.loss(X).dtype == np.float32
    loss, grads = model.loss(X, y)
    assert {value.dtype for value in grads.values()} == {np.dtype(np.float32)}
    assert loss == pytest.approx(small_net(reg=0.1).loss(X, y)[0], rel=1e-4)


def test_going_downhill_fits_a_few_images():
    model = small_net()
    for _ in range(200):
        _, grads = model.loss(X, y)
        for name, value in model.params.items():
            value -= 0.1 * grads[name]
    assert (model.loss(X).argmax(axis=1) == y).all() and model.loss(X, y)[0] < 0.1


@pytest.mark.parametrize("options", [{"filter_size": 4}, {"input_dim": (2, 5, 8)}, {"input_dim": (2, 6, 7)}])
def test_sizes_that_cannot_be_kept_or_halved_are_refused(options):
    with pytest.raises(ValueError, match="ThreeLayerConvNet: filter_size is .* expected an odd filter_size.*even"):
        small_net(**options)
