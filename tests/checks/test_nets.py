"""What is said of a wrong net beyond what a replay finds: the parts of a gradient, how initial weights were drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks.classifiers.nets import NetTrial, _about_draw, _about_shape
from autograder.criteria import Wrong
from cs231n.classifiers.fc_net import FullyConnectedNet

REG = 0.7


def net_answering(change, reg=REG, **options):
    """A NetTrial beside a student whose loss is the reference's, with its gradients changed."""

    def call(target, *args, **_):
        if isinstance(target, str):
            return None
        loss, grads = net.reference.loss(*args)
        return np.float64(loss), change(grads, net.reference.params)

    trial = SimpleNamespace(call=call, options={})
    options = {"hidden_dims": [5], "input_dim": 6, "num_classes": 4, "reg": reg, "dtype": np.float64} | options
    net = NetTrial(trial, "cs231n.classifiers.fc_net:FullyConnectedNet", FullyConnectedNet, **options)
    net.right_loss = lambda reference, X, y: reference.loss(X, y)[0]
    rng = np.random.default_rng(0)
    net.reference.params = {name: rng.normal(size=value.shape) for name, value in net.reference.params.items()}
    return net


def said_of(change, name="W1", **options):
    net, rng = net_answering(change, **options), np.random.default_rng(1)
    with pytest.raises(Wrong) as caught:
        net.expect_gradients(rng.normal(size=(3, 6)), np.array([0, 3, 1]), [name])
    return " ".join(found.text for found in caught.value.outcome.diagnosis)


def without_regularization(grads, params):
    return {name: value - REG * params[name] if name[0] == "W" else value for name, value in grads.items()}


class TestThePartsOfAGradient:
    def test_a_missing_regularization_is_told(self):
        assert said_of(without_regularization).endswith("the regularization, reg · W, is missing.")

    def test_a_wrong_factor_of_it_is_told(self):
        said = said_of(lambda grads, params: {"W1": grads["W1"] - 0.5 * REG * params["W1"]})
        assert said.endswith("the regularization, reg · W, counts only half.")

    def test_what_the_data_lacks_is_told_of_a_bias_too(self):
        said = said_of(lambda grads, params: {"b1": grads["b1"] / 3}, name="b1")
        assert said == "Your db1 is 1/N · the data's part: everything is divided by N."

    def test_batch_norm_is_counted_as_the_data_s(self):
        said = said_of(without_regularization, use_batchnorm=True)
        assert said.startswith("Your dW1 is 1 · the data's part + 0 · the regularization")

    def test_nothing_is_said_of_a_gradient_that_is_no_such_sum(self):
        assert said_of(lambda grads, params: {"W1": grads["W1"] + REG * params["W1"].sum()}) == ""

    def test_nothing_is_said_of_a_net_that_the_reference_does_not_compute(self):
        net = net_answering(lambda grads, params: {"W1": 2 * grads["W1"]})
        net.right_loss = lambda reference, X, y: 2.1 * reference.loss(X, y)[0]
        with pytest.raises(Wrong) as caught:
            net.expect_gradients(np.random.default_rng(1).normal(size=(3, 6)), np.array([0, 3, 1]), ["W1"])
        assert caught.value.outcome.diagnosis == []


class TestHowWeightsWereDrawn:
    @pytest.mark.parametrize(
        "draw, name",
        [
            (lambda rng, scale: rng.normal(size=(60, 50)), "net_init_scale_ignored"),
            (lambda rng, scale: rng.normal(size=(60, 50)) / 60**0.5, "net_init_scale_ignored"),
            (lambda rng, scale: rng.normal(scale=scale**2, size=(60, 50)), "net_init_scale_squared"),
            (lambda rng, scale: rng.normal(scale=scale**0.5, size=(60, 50)), "net_init_variance"),
            (lambda rng, scale: rng.uniform(0, scale, size=(60, 50)), "net_init_uniform"),
            (lambda rng, scale: rng.uniform(-scale, scale, size=(60, 50)), "net_init_uniform"),
            (lambda rng, scale: np.full((60, 50), scale), "net_init_alike"),
            (lambda rng, scale: rng.normal(scale=10 * scale, size=(60, 50)), None),
            (lambda rng, scale: rng.normal(scale=scale**3, size=(60, 50)), None),
        ],
    )
    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_named_where_it_is_known(self, draw, name, seed):
        rng = np.random.default_rng(seed)
        assert _about_draw(draw(rng, 0.3), draw(rng, 0.6), 0.3) == name


class TestShapes:
    @pytest.mark.parametrize(
        "came, right, name",
        [
            ((5, 6), (6, 5), "net_parameters_transposed"),
            ((1, 5), (5,), "net_bias_rows"),
            ((5, 1), (5,), None),
            ((7, 5), (6, 5), None),
            ((3, 2, 4), (4, 2, 3), None),
        ],
    )
    def test_a_known_one_is_named(self, came, right, name):
        assert _about_shape("b1", np.zeros(came), np.zeros(right)) == name

    def test_what_is_no_array_has_none(self):
        assert _about_shape("b1", None, np.zeros((6, 5))) is None
