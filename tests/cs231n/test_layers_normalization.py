"""Layer, group and spatial batch normalization: what they normalize over, and their gradients."""

import numpy as np
import pytest

from cs231n import layers
from cs231n.gradient_check import check_gradients

EPS = 1e-3


def images(seed=0, N=3, C=4, H=2, W=5):
    """x, gamma and beta, each channel and example with a mean and a spread of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, C, H, W)) * rng.uniform(1, 4, size=(N, C, 1, 1)) + rng.normal(size=(N, C, 1, 1)) * 5
    return x, rng.uniform(0.5, 2, size=C), rng.normal(size=C)


def normalized(values, eps=EPS):
    return (values - values.mean()) / np.sqrt(((values - values.mean()) ** 2).mean() + eps)


def assert_gradients_hold(forward, backward, inputs):
    out, cache = forward(**inputs)
    dout = np.random.default_rng(5).normal(size=out.shape)
    gradients = dict(zip(inputs, backward(dout, cache), strict=True))
    check_gradients(lambda **moved: forward(**moved)[0], inputs, gradients, dout).require()


class TestLayernorm:
    def forward(self, x, gamma, beta, eps=EPS):
        return layers.layernorm_forward(x, gamma, beta, {"eps": eps})

    def case(self, N=4, D=6):
        rng = np.random.default_rng(0)
        return rng.normal(3, 2, size=(N, D)), rng.uniform(0.5, 2, size=D), rng.normal(size=D)

    def test_each_row_is_normalized_by_itself(self):
        x, gamma, beta = self.case()
        out, _ = self.forward(x, gamma, beta)
        for row, result in zip(x, out):
            np.testing.assert_allclose(result, gamma * normalized(row) + beta, rtol=1e-12)

    def test_other_examples_take_no_part(self):
        x, gamma, beta = self.case()
        np.testing.assert_allclose(self.forward(x[:1], gamma, beta)[0], self.forward(x, gamma, beta)[0][:1], rtol=1e-12)

    def test_eps_is_1e_minus_5_unless_given(self):
        x, gamma, beta = self.case()
        default, _ = layers.layernorm_forward(x * 1e-3, gamma, beta, {})
        np.testing.assert_array_equal(default, self.forward(x * 1e-3, gamma, beta, eps=1e-5)[0])

    @pytest.mark.parametrize("N, D", [(4, 6), (1, 3), (5, 1)])
    def test_gradients(self, N, D):
        inputs = dict(zip(("x", "gamma", "beta"), self.case(N, D)))
        assert_gradients_hold(self.forward, layers.layernorm_backward, inputs)


class TestSpatialBatchnorm:
    def forward(self, x, gamma, beta):
        return layers.spatial_batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": EPS})

    def test_each_channel_is_normalized_over_examples_and_pixels(self):
        x, gamma, beta = images()
        out, _ = self.forward(x, gamma, beta)
        for c in range(x.shape[1]):
            np.testing.assert_allclose(out[:, c], gamma[c] * normalized(x[:, c]) + beta[c], rtol=1e-10, atol=1e-12)

    def test_training_output_has_mean_beta_and_deviation_gamma(self):
        x, gamma, beta = images(N=20)
        out, _ = layers.spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})
        np.testing.assert_allclose(out.mean(axis=(0, 2, 3)), beta, atol=1e-10)
        np.testing.assert_allclose(out.std(axis=(0, 2, 3)), gamma, rtol=1e-5)

    def test_running_averages_are_those_of_the_channels_and_serve_at_test_time(self):
        x, gamma, beta = images()
        bn_param = {"mode": "train", "momentum": 0.0, "eps": EPS}
        trained, _ = layers.spatial_batchnorm_forward(x, gamma, beta, bn_param)
        np.testing.assert_allclose(bn_param["running_mean"], x.mean(axis=(0, 2, 3)))
        np.testing.assert_allclose(bn_param["running_var"], x.var(axis=(0, 2, 3)))
        tested, _ = layers.spatial_batchnorm_forward(x, gamma, beta, bn_param | {"mode": "test"})
        np.testing.assert_allclose(tested, trained, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("shape", [(3, 4, 2, 5), (2, 1, 3, 3), (5, 3, 1, 1)])
    def test_gradients(self, shape):
        inputs = dict(zip(("x", "gamma", "beta"), images(1, *shape)))
        assert_gradients_hold(self.forward, layers.spatial_batchnorm_backward, inputs)


class TestSpatialGroupnorm:
    def forward(self, x, gamma, beta, G, eps=EPS):
        gamma, beta = gamma.reshape(1, -1, 1, 1), beta.reshape(1, -1, 1, 1)
        return layers.spatial_groupnorm_forward(x, gamma, beta, G, {"eps": eps})

    @pytest.mark.parametrize("G", [1, 2, 4])
    def test_each_group_of_each_example_is_normalized_by_itself(self, G):
        x, gamma, beta = images()
        out, _ = self.forward(x, gamma, beta, G)
        size = x.shape[1] // G
        for n, g in np.ndindex(x.shape[0], G):
            group = slice(g * size, (g + 1) * size)
            expected = gamma[group, None, None] * normalized(x[n, group]) + beta[group, None, None]
            np.testing.assert_allclose(out[n, group], expected, rtol=1e-10, atol=1e-12)

    def test_one_group_of_one_pixel_is_layer_normalization(self):
        x, gamma, beta = images(H=1, W=1)
        out, _ = self.forward(x, gamma, beta, 1)
        rows, _ = layers.layernorm_forward(x[:, :, 0, 0], gamma, beta, {"eps": EPS})
        np.testing.assert_allclose(out[:, :, 0, 0], rows, rtol=1e-12)

    def test_groups_that_do_not_divide_the_channels_are_refused(self):
        with pytest.raises(ValueError, match="spatial_groupnorm_forward: 4 channels cannot be split into 3 equal"):
            self.forward(*images(), 3)

    @pytest.mark.parametrize("G", [1, 2, 4])
    def test_gradients(self, G):
        x, gamma, beta = images(2)
        inputs = {"x": x, "gamma": gamma.reshape(1, -1, 1, 1), "beta": beta.reshape(1, -1, 1, 1)}
        assert_gradients_hold(
            lambda x, gamma, beta: self.forward(x, gamma, beta, G), layers.spatial_groupnorm_backward, inputs
        )


def calls():
    """Each layer as (name, forward, backward, arguments)."""
    x, gamma, beta = images()
    wide = [gamma.reshape(1, -1, 1, 1), beta.reshape(1, -1, 1, 1)]

    def spatial(x, gamma, beta):
        return layers.spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})

    def grouped(x, gamma, beta):
        return layers.spatial_groupnorm_forward(x, gamma, beta, 2, {})

    def rows(x, gamma, beta):
        return layers.layernorm_forward(x, gamma, beta, {})

    return [
        ("layernorm", rows, layers.layernorm_backward, [x[:, :, 0, 0], gamma, beta]),
        ("spatial_batchnorm", spatial, layers.spatial_batchnorm_backward, [x, gamma, beta]),
        ("spatial_groupnorm", grouped, layers.spatial_groupnorm_backward, [x, *wide]),
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("forward, backward, arguments", [pytest.param(*call[1:], id=call[0]) for call in calls()])
def test_arguments_are_left_alone_types_kept_and_caches_serve_twice(forward, backward, arguments, dtype):
    arguments = [array.astype(dtype) for array in arguments]
    dout = np.ones_like(arguments[0])
    for array in (*arguments, dout):
        array.flags.writeable = False
    out, cache = forward(*arguments)
    once, again = backward(dout, cache), backward(dout, cache)
    assert all(array.dtype == dtype for array in (out, *once))
    for gradient, second, argument in zip(once, again, arguments, strict=True):
        assert gradient.shape == argument.shape
        np.testing.assert_array_equal(gradient, second)
