"""The judge's complex_model: against the layers of cs231n, which are tested on their own, and against TensorFlow."""

import numpy as np
import pytest

from autograder.checking.compare import agrees
from autograder.checks.tensorflow_notebook import reference
from cs231n import layers
from tests.forked_worker import FORKS_TENSORFLOW, import_tensorflow, run_in_fork

N = 3


@pytest.fixture(scope="module")
def variables():
    return reference.draw_variables(np.random.default_rng(3))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(4).normal(size=(N, 32, 32, 3)).astype(np.float32)


def by_layers(x, variables, training):
    """The same model from the layers that students write, channels first; return logits and running averages."""
    v = {name: value.astype(np.float64) for name, value in variables.items()}
    averages = {"running_mean": v["running_mean"].copy(), "running_var": v["running_var"].copy()}
    w = v["conv_w"].transpose(3, 2, 0, 1)
    out, _ = layers.conv_forward_naive(x.transpose(0, 3, 1, 2), w, v["conv_b"], {"stride": 1, "pad": 0})
    out, _ = layers.relu_forward(out)
    settings = {"mode": "train" if training else "test", "eps": 1e-5, "momentum": 0.9} | averages
    out, _ = layers.spatial_batchnorm_forward(out, v["gamma"], v["beta"], settings)
    out, _ = layers.max_pool_forward_naive(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    rows = out.transpose(0, 2, 3, 1).reshape(len(x), -1)
    out, _ = layers.relu_forward(layers.affine_forward(rows, v["affine1_w"], v["affine1_b"])[0])
    return layers.affine_forward(out, v["affine2_w"], v["affine2_b"])[0], settings


@pytest.mark.parametrize("training", [True, False])
def test_agrees_with_the_layers_of_the_package(x, variables, training):
    expected, _ = by_layers(x, variables, training)
    np.testing.assert_allclose(reference.model(x, variables, training), expected, rtol=1e-10, atol=1e-10)


def test_its_moments_move_the_running_averages_as_the_package_does(x, variables):
    _, settings = by_layers(x, variables, True)
    for name, moment in zip(reference.RUNNING, reference.moments(x, variables)):
        np.testing.assert_allclose(0.9 * variables[name] + 0.1 * moment, settings[name], rtol=1e-6)


def test_cross_entropy_is_the_softmax_loss_of_the_package(x):
    scores, y = 50 * np.random.default_rng(5).normal(size=(6, 10)), np.array([0, 9, 3, 3, 1, 7])
    expected, _ = layers.softmax_loss(scores, y)
    assert np.mean(reference.cross_entropy(scores, y)) == pytest.approx(expected, rel=1e-12)


def by_tensorflow(x, variables):
    """Return the scores that the same formulas give in TensorFlow, in training."""
    import tensorflow as tf

    v = {name: tf.constant(value, tf.float64) for name, value in variables.items()}
    hidden = tf.nn.relu(tf.nn.conv2d(x.astype("float64"), v["conv_w"], 1, "VALID") + v["conv_b"])
    mean, variance = tf.nn.moments(hidden, [0, 1, 2])
    hidden = tf.nn.batch_normalization(hidden, mean, variance, v["beta"], v["gamma"], 1e-5)
    rows = tf.reshape(tf.nn.max_pool2d(hidden, 2, 2, "VALID"), (N, 5408))
    logits = tf.nn.relu(rows @ v["affine1_w"] + v["affine1_b"]) @ v["affine2_w"] + v["affine2_b"]
    return logits.numpy()


@pytest.mark.slow
@FORKS_TENSORFLOW
def test_agrees_with_tensorflow(x, variables):
    import_tensorflow()
    expected = run_in_fork(by_tensorflow, x, variables)
    np.testing.assert_allclose(reference.model(x, variables, True), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_no_two_mistakes_look_alike(x, variables, training):
    """Every named mistake is told from the right model and from every other, by float32 results, in some mode."""
    same_in_training = {"batch statistics in test mode", "square root missing"}
    same_in_testing = {
        "running averages used in training",
        "statistics of each pixel",
        "statistics of each image",
        "one mean for all channels",
    }
    harmless = same_in_training if training else same_in_testing
    results = {"right": reference.model(x, variables, training)}
    for variant in reference.MODELS:
        if variant.name not in harmless:
            results[variant.name] = variant.function(x, variables, training)
    names = list(results)
    alike = [(a, b) for i, a in enumerate(names) for b in names[:i] if agrees(results[a], results[b])]
    assert alike == []


def test_variables_have_the_names_and_shapes_of_the_notebook(variables):
    shapes = {name: value.shape for name, value in variables.items()}
    assert shapes["conv_w"] == (7, 7, 3, 32) and shapes["affine1_w"] == (5408, 1024)
    assert shapes["affine2_w"] == (1024, 10) and shapes["affine1_b"] == (1024,) and shapes["affine2_b"] == (10,)
    assert {shapes[name] for name in ("conv_b", "gamma", "beta", *reference.RUNNING)} == {(32,)}
    assert all(value.dtype == np.float32 for value in variables.values())
