"""Convolutional net: convolution with ReLU, then pooling, with the fast layers of the course; W2 multiplied by hand."""

import numpy as np

from cs231n.fast_layers import max_pool_backward_fast, max_pool_forward_fast
from cs231n.layer_utils import conv_relu_backward, conv_relu_forward
from cs231n.layers import softmax_loss


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
        self.reg, self.dtype = reg, dtype
        flat = num_filters * (input_dim[1] // 2) * (input_dim[2] // 2)
        shapes = [(num_filters, input_dim[0], filter_size, filter_size), (flat, hidden_dim), (hidden_dim, num_classes)]
        self.params = {}
        for i, shape in enumerate(shapes):
            self.params[f"W{i + 1}"] = np.random.normal(0, weight_scale, shape)
            self.params[f"b{i + 1}"] = np.zeros(shape[0] if i == 0 else shape[1])
        self.params = {k: v.astype(dtype) for k, v in self.params.items()}

    def loss(self, X, y=None):
        W1, b1, W2, b2, W3, b3 = [self.params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3")]
        conv_param = {"pad": int((W1.shape[3] - 1) / 2), "stride": 1}
        a, conv_cache = conv_relu_forward(X.astype(self.dtype), W1, b1, conv_param)
        pooled, pool_cache = max_pool_forward_fast(a, {"pool_width": 2, "pool_height": 2, "stride": 2})
        flat = pooled.reshape(pooled.shape[0], -1)
        hidden = np.maximum(flat @ W2 + b2, 0)
        scores = hidden @ W3 + b3
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * sum(np.sum(W * W) for W in (W1, W2, W3))
        dhidden = (dscores @ W3.T) * (hidden > 0)
        da = max_pool_backward_fast((dhidden @ W2.T).reshape(pooled.shape), pool_cache)
        _, dW1, db1 = conv_relu_backward(da, conv_cache)
        grads = {"W1": dW1, "W2": flat.T @ dhidden, "W3": hidden.T @ dscores}
        for name in grads:
            grads[name] = grads[name] + self.reg * self.params[name]
        grads |= {"b1": db1, "b2": np.sum(dhidden, 0), "b3": np.sum(dscores, 0)}
        return loss, grads
