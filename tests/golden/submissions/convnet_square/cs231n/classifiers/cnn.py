import numpy as np
from cs231n.layer_utils import (
    affine_relu_backward,
    affine_relu_forward,
    conv_relu_pool_backward,
    conv_relu_pool_forward,
)
from cs231n.layers import affine_backward, affine_forward, softmax_loss


class ThreeLayerConvNet:

    def __init__(
        self,
        input_dim=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=np.float32,
    ):
        C, H, W = input_dim
        if filter_size % 2 == 0 or H % 2 or W % 2:
            raise ValueError(
                f"ThreeLayerConvNet: filter_size is {filter_size} and the images are {H} × {W}; expected an odd "
                "filter_size, which padding can centre on a pixel, and even sides, which pooling can halve"
            )
        self.params = {}
        self.reg = reg
        self.dtype = dtype

        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (H // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        biases = {"b1": num_filters, "b2": hidden_dim, "b3": num_classes}
        self.params = {name: np.random.normal(scale=weight_scale, size=shape) for name, shape in shapes.items()}
        self.params |= {name: np.zeros(length) for name, length in biases.items()}

        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        W1, b1, W2, b2, W3, b3 = (self.params[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
        # This padding and stride keep the size of the image. The gradient of the images themselves has no use: below
        # the first layer there is nothing to train.
        conv_param = {"stride": 1, "pad": (W1.shape[2] - 1) // 2, "need_dx": False}
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}

        # Forward pass: store the scores (N, num_classes) in `scores`, and keep what the backward pass will ask for.
        pooled, conv_cache = conv_relu_pool_forward(X, W1, b1, conv_param, pool_param)
        hidden, hidden_cache = affine_relu_forward(pooled, W2, b2)
        scores, scores_cache = affine_forward(hidden, W3, b3)

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads["W3"], grads["b3"] = affine_backward(dscores, scores_cache)
        dpooled, grads["W2"], grads["b2"] = affine_relu_backward(dhidden, hidden_cache)
        _, grads["W1"], grads["b1"] = conv_relu_pool_backward(dpooled, conv_cache)
        for name in ("W1", "W2", "W3"):
            W = self.params[name]
            loss += 0.5 * self.reg * np.sum(W**2)
            grads[name] += self.reg * W
        return loss, grads
