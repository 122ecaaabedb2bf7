"""The joined layers equal their parts in a row, forward and backward, and ask no more of `layers.py` than they need."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cs231n import layer_utils, layers
from cs231n.gradient_check import check_gradients

PACKAGE = Path(layers.__file__).parent

rng = np.random.default_rng(7)
x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
gamma, beta, dout = rng.normal(size=5), rng.normal(size=5), rng.normal(size=(4, 5))

images, filters, biases = rng.normal(size=(2, 3, 6, 9)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
scale, shift = rng.normal(size=4), rng.normal(size=4)
conv_param, pool_param = {"stride": 1, "pad": 1}, {"pool_height": 2, "pool_width": 4, "stride": 2}


def assert_gradients_hold(forward, backward, inputs, dout):
    """Check every gradient that `backward` returns, one for each of the inputs."""
    gradients = dict(zip(inputs, backward(dout, forward(**inputs)[1]), strict=True))
    if "gamma" in inputs:
        # Batch normalization takes the bias away again, and no slope is measured where there is none.
        np.testing.assert_allclose(gradients.pop("b"), 0, atol=1e-12)
    check_gradients(lambda **moved: forward(**moved)[0], inputs, gradients, dout).require()


def test_affine_relu_forward_is_affine_then_relu():
    out, _ = layer_utils.affine_relu_forward(x, w, b)
    np.testing.assert_array_equal(out, np.maximum(layers.affine_forward(x, w, b)[0], 0))


def test_affine_relu_backward_is_its_gradient():
    forward, backward = layer_utils.affine_relu_forward, layer_utils.affine_relu_backward
    assert_gradients_hold(forward, backward, {"x": x, "w": w, "b": b}, dout)


def test_affine_bn_relu_forward_is_affine_then_batchnorm_then_relu():
    out, _ = layer_utils.affine_bn_relu_forward(x, w, b, gamma, beta, {"mode": "train"})
    a, _ = layers.affine_forward(x, w, b)
    normed, _ = layers.batchnorm_forward(a, gamma, beta, {"mode": "train"})
    np.testing.assert_array_equal(out, np.maximum(normed, 0))


def test_affine_bn_relu_forward_updates_the_running_averages():
    bn_param = {"mode": "train"}
    layer_utils.affine_bn_relu_forward(x, w, b, gamma, beta, bn_param)
    np.testing.assert_allclose(bn_param["running_mean"], 0.1 * layers.affine_forward(x, w, b)[0].mean(axis=0))


def test_affine_bn_relu_backward_is_its_gradient():
    def forward(**inputs):
        return layer_utils.affine_bn_relu_forward(**inputs, bn_param={"mode": "train"})

    inputs = {"x": x, "w": w, "b": b, "gamma": gamma, "beta": beta}
    assert_gradients_hold(forward, layer_utils.affine_bn_relu_backward, inputs, dout)


def convolved():
    return layers.conv_forward_naive(images, filters, biases, conv_param)[0]


def test_conv_relu_forward_is_convolution_then_relu():
    out, _ = layer_utils.conv_relu_forward(images, filters, biases, conv_param)
    np.testing.assert_allclose(out, np.maximum(convolved(), 0), rtol=1e-12, atol=1e-12)


def test_conv_relu_backward_is_its_gradient():
    def forward(x, w, b):
        return layer_utils.conv_relu_forward(x, w, b, conv_param)

    inputs = {"x": images, "w": filters, "b": biases}
    assert_gradients_hold(forward, layer_utils.conv_relu_backward, inputs, rng.normal(size=(2, 4, 6, 10)))


def test_conv_bn_relu_forward_is_convolution_then_spatial_batchnorm_then_relu():
    bn_param = {"mode": "train"}
    out, _ = layer_utils.conv_bn_relu_forward(images, filters, biases, scale, shift, conv_param, bn_param)
    normed, _ = layers.spatial_batchnorm_forward(convolved(), scale, shift, {"mode": "train"})
    np.testing.assert_allclose(out, np.maximum(normed, 0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(bn_param["running_mean"], 0.1 * convolved().mean(axis=(0, 2, 3)))


def test_conv_bn_relu_backward_is_its_gradient():
    def forward(x, w, b, gamma, beta):
        return layer_utils.conv_bn_relu_forward(x, w, b, gamma, beta, conv_param, {"mode": "train"})

    inputs = {"x": images, "w": filters, "b": biases, "gamma": scale, "beta": shift}
    assert_gradients_hold(forward, layer_utils.conv_bn_relu_backward, inputs, rng.normal(size=(2, 4, 6, 10)))


def test_conv_relu_pool_forward_is_convolution_then_relu_then_pooling():
    out, _ = layer_utils.conv_relu_pool_forward(images, filters, biases, conv_param, pool_param)
    pooled, _ = layers.max_pool_forward_naive(np.maximum(convolved(), 0), pool_param)
    np.testing.assert_allclose(out, pooled, rtol=1e-12, atol=1e-12)


def test_conv_relu_pool_backward_is_its_gradient():
    def forward(x, w, b):
        return layer_utils.conv_relu_pool_forward(x, w, b, conv_param, pool_param)

    inputs = {"x": images, "w": filters, "b": biases}
    assert_gradients_hold(forward, layer_utils.conv_relu_pool_backward, inputs, rng.normal(size=(2, 4, 3, 4)))


@pytest.fixture(scope="module")
def older_edition(tmp_path_factory):
    """The package with a `layers.py` that knows no spatial batch norm."""
    package = tmp_path_factory.mktemp("older") / "cs231n"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (package / "layers.py").read_text(encoding="utf-8")
    assert "spatial_batchnorm_" in text
    (package / "layers.py").write_text(text.replace("spatial_batchnorm_", "gone_"), encoding="utf-8")
    return package.parent


def run(folder, code):
    environment = os.environ | {"PYTHONPATH": str(folder), "AUTOGRADER": "1"}
    code = f"import numpy as np\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_networks_without_spatial_batchnorm_work_where_layers_has_none(older_edition):
    code = (
        "from cs231n.classifiers.cnn import ThreeLayerConvNet\n"
        "from cs231n.classifiers.fc_net import FullyConnectedNet\n"
        "FullyConnectedNet([3], 4, use_batchnorm=True).loss(np.ones((2, 4)), np.array([0, 1]))\n"
        "ThreeLayerConvNet((1, 4, 6), 2, 3).loss(np.ones((2, 1, 4, 6)), np.array([0, 1]))\n"
    )
    done = run(older_edition, code)
    assert done.returncode == 0, done.stderr


def test_the_layer_that_is_missing_is_named_when_it_is_called(older_edition):
    code = (
        "from cs231n.layer_utils import conv_bn_relu_forward\n"
        "x, one = np.ones((2, 1, 4, 4)), np.ones(1)\n"
        "conv_bn_relu_forward(x, x[:1], one, one, one, {'stride': 1, 'pad': 0}, {'mode': 'train'})\n"
    )
    done = run(older_edition, code)
    assert done.returncode == 1 and "no attribute 'spatial_batchnorm_forward'" in done.stderr
