"""Diagnoses of a wrong net that a replay does not find: the parts of a gradient, the shapes of parameters."""

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checking.criteria import Wrong
from autograder.checks.classifiers.net_losses import LossByHand, plain_loss
from autograder.checks.classifiers.net_trial import NetClass, NetTrial, name_shape_mistake
from cs231n.classifiers.fc_net import FullyConnectedNet
from cs231n.layers import softmax_loss

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
    net = NetTrial(trial, NetClass("cs231n.classifiers.fc_net:FullyConnectedNet", FullyConnectedNet), **options)
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
        assert name_shape_mistake("b1", np.zeros(came), np.zeros(right)) == name

    def test_what_is_no_array_has_none(self):
        assert name_shape_mistake("b1", None, np.zeros((6, 5))) is None


@pytest.mark.parametrize("reg", [0.0, REG])
@pytest.mark.parametrize("seed", range(20))
def test_the_loss_that_slopes_are_measured_of_is_that_of_the_reference_to_the_last_bit(reg, seed):
    rng = np.random.default_rng(seed)
    N, classes = int(rng.integers(1, 9)), int(rng.integers(2, 12))
    net = FullyConnectedNet([5, 4], input_dim=6, num_classes=classes, reg=reg, dtype=np.float64)
    net.params = {name: rng.normal(size=value.shape) for name, value in net.params.items()}
    X, y = rng.normal(size=(N, 6)), rng.integers(classes, size=N)
    pull = sum(np.sum(W**2) for name, W in net.params.items() if name.startswith("W"))
    expected = softmax_loss(net.loss(X), y)[0] + 0.5 * reg * pull
    assert plain_loss(net, X, y) == LossByHand()(net, X, y) == expected
    assert np.isclose(expected, net.loss(X, y)[0], rtol=1e-14)
