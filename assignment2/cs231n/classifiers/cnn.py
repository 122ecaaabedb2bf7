"""A convolutional network of three layers with a softmax loss.

Shapes: `N` examples, `C` channels, `H W` image, `F` filters, `HH WW` filter.
"""

from typing import Any

import numpy as np

from cs231n.layer_utils import (
    affine_relu_backward,
    affine_relu_forward,
    conv_relu_pool_backward,
    conv_relu_pool_forward,
)
from cs231n.layers import affine_backward, affine_forward, softmax_loss


class ThreeLayerConvNet:
    """conv - ReLU - 2 × 2 max pool - affine - ReLU - affine - softmax.

    Where the dimensions come from, for images (N, C, H, W):

        conv     F filters of odd size HH = WW, stride 1, padding (HH - 1) / 2: out keeps H × W   (N, F, H, W)
        pool     windows of 2 × 2 at a stride of 2: both H and W are halved                       (N, F, H/2, W/2)
        affine   one image is a row of F·H/2·W/2 numbers, so W2 has as many rows                  (N, hidden_dim)
        affine   one score for every class                                                        (N, num_classes)

    params: W1 (F, C, HH, WW), b1 (F,), W2 (F·H/2·W/2, hidden_dim), b2 (hidden_dim,), W3 (hidden_dim, num_classes),
    b3 (num_classes,).
    """

    def __init__(
        self,
        input_dim: tuple = (3, 32, 32),
        num_filters: int = 32,
        filter_size: int = 7,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: type = np.float32,
    ) -> None:
        """Set up the parameters: weights drawn from a normal distribution around 0, biases 0.

        input_dim: (C, H, W), H and W even; they need not be equal
        num_filters: F
        filter_size: HH = WW, odd
        hidden_dim: number of hidden units of the first affine layer
        num_classes: number of scores
        weight_scale: standard deviation of the initial weights
        reg: strength of the L2 regularization
        dtype: type of all parameters and all computation; use np.float64 to check gradients numerically

        Raises ValueError when filter_size is even, or H or W is odd.
        """
        C, H, W = input_dim
        if filter_size % 2 == 0 or H % 2 or W % 2:
            raise ValueError(
                f"ThreeLayerConvNet: filter_size is {filter_size} and the images are {H} × {W}; expected an odd "
                "filter_size, which padding can centre on a pixel, and even sides, which pooling can halve"
            )
        self.params = {}
        self.reg = reg
        self.dtype = dtype

        ### BEGIN SOLUTION
        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        biases = {"b1": num_filters, "b2": hidden_dim, "b3": num_classes}
        self.params = {name: np.random.normal(scale=weight_scale, size=shape) for name, shape in shapes.items()}
        self.params |= {name: np.zeros(length) for name, length in biases.items()}
        ### END SOLUTION

        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
        """Scores of a batch, or its loss and gradients.

            loss = softmax loss + reg / 2 · (sum of W1² + sum of W2² + sum of W3²)

        Biases are not regularized.

        X: (N, C, H, W)
        y: (N,) the right classes, or None

        Returns the scores (N, num_classes) when y is None; otherwise the loss, a number, and a dictionary of gradients
        with the names and shapes of `params`.
        """
        X = X.astype(self.dtype)
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        W3, b3 = self.params["W3"], self.params["b3"]
        # This padding and stride keep the size of the image.
        conv_param = {"stride": 1, "pad": (W1.shape[2] - 1) // 2}
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}

        # Forward pass: store the scores (N, num_classes) in `scores`, and keep what the backward pass needs.
        ### BEGIN SOLUTION
        pooled, conv_cache = conv_relu_pool_forward(X, W1, b1, conv_param, pool_param)
        hidden, hidden_cache = affine_relu_forward(pooled, W2, b2)
        scores, scores_cache = affine_forward(hidden, W3, b3)
        ### END SOLUTION

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        ### BEGIN SOLUTION
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads["W3"], grads["b3"] = affine_backward(dscores, scores_cache)
        dpooled, grads["W2"], grads["b2"] = affine_relu_backward(dhidden, hidden_cache)
        _, grads["W1"], grads["b1"] = conv_relu_pool_backward(dpooled, conv_cache)
        for name in ("W1", "W2", "W3"):
            W = self.params[name]
            loss += 0.5 * self.reg * np.sum(W**2)
            grads[name] += self.reg * W
        ### END SOLUTION
        return loss, grads
