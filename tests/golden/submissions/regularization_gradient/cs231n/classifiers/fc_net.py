import numpy as np
from cs231n.layer_utils import (
    affine_bn_relu_backward,
    affine_bn_relu_forward,
    affine_relu_backward,
    affine_relu_forward,
)
from cs231n.layers import affine_backward, affine_forward, dropout_backward, dropout_forward, softmax_loss


class TwoLayerNet:

    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.params = {}
        self.reg = reg

        self.params["W1"] = np.random.normal(scale=weight_scale, size=(input_dim, hidden_dim))
        self.params["b1"] = np.zeros(hidden_dim)
        self.params["W2"] = np.random.normal(scale=weight_scale, size=(hidden_dim, num_classes))
        self.params["b2"] = np.zeros(num_classes)

    def loss(self, X, y=None):
        # Forward pass: store the scores (N, C) in `scores`, and keep what the backward pass will ask for.
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden, hidden_cache = affine_relu_forward(X, W1, b1)
        scores, scores_cache = affine_forward(hidden, W2, b2)

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads["W2"], grads["b2"] = affine_backward(dscores, scores_cache)
        _, grads["W1"], grads["b1"] = affine_relu_backward(dhidden, hidden_cache)
        for name in ("W1", "W2"):
            W = self.params[name]
            loss += 0.5 * self.reg * np.sum(W**2)

        return loss, grads


class FullyConnectedNet:

    def __init__(
        self,
        hidden_dims,
        input_dim=3 * 32 * 32,
        num_classes=10,
        dropout=0,
        use_batchnorm=False,
        reg=0.0,
        weight_scale=1e-2,
        dtype=np.float32,
        seed=None,
    ):
        if not 0 <= dropout <= 1:
            raise ValueError(f"FullyConnectedNet: dropout is {dropout}; expected a probability from 0 to 1")
        self.use_batchnorm = use_batchnorm
        self.use_dropout = 0 < dropout < 1
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}

        # All dropout layers share one dictionary, so one line switches them between training and testing.
        self.dropout_param = {"mode": "train", "p": dropout} if 0 < dropout < 1 else {}
        if self.dropout_param and seed is not None:
            self.dropout_param["seed"] = seed

        # Batch normalization remembers running averages, so each hidden layer has a dictionary of its own:
        # bn_params[0] belongs to layer 1. There is none for the last layer, whose scores are not normalized.
        self.bn_params = [{"mode": "train"} for _ in hidden_dims] if use_batchnorm else []

        dims = [input_dim, *hidden_dims, num_classes]
        for layer, (inputs, outputs) in enumerate(zip(dims[:-1], dims[1:]), start=1):
            self.params[f"W{layer}"] = np.random.normal(scale=weight_scale, size=(inputs, outputs))
            self.params[f"b{layer}"] = np.zeros(outputs)
            if use_batchnorm and layer < self.num_layers:
                self.params[f"gamma{layer}"] = np.ones(outputs)
                self.params[f"beta{layer}"] = np.zeros(outputs)

        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        mode = "test" if y is None else "train"
        if self.dropout_param:
            self.dropout_param["mode"] = mode
        for bn_param in self.bn_params:
            bn_param["mode"] = mode

        # Forward pass: store the scores (N, C) in `scores`, and keep what the backward pass will ask for.
        params, hidden_layers = self.params, range(1, self.num_layers)
        hidden, caches = X, []
        for layer in hidden_layers:
            W, b = params[f"W{layer}"], params[f"b{layer}"]
            if self.use_batchnorm:
                gamma, beta = params[f"gamma{layer}"], params[f"beta{layer}"]
                hidden, cache = affine_bn_relu_forward(hidden, W, b, gamma, beta, self.bn_params[layer - 1])
            else:
                hidden, cache = affine_relu_forward(hidden, W, b)
            caches.append(cache)
            if self.use_dropout:
                hidden, cache = dropout_forward(hidden, self.dropout_param)
                caches.append(cache)
        last = self.num_layers
        scores, scores_cache = affine_forward(hidden, params[f"W{last}"], params[f"b{last}"])

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads[f"W{last}"], grads[f"b{last}"] = affine_backward(dscores, scores_cache)
        # The last cache put down is the first one needed, so the list serves as a stack.
        for layer in reversed(hidden_layers):
            if self.use_dropout:
                dhidden = dropout_backward(dhidden, caches.pop())
            if self.use_batchnorm:
                dhidden, dW, db, dgamma, dbeta = affine_bn_relu_backward(dhidden, caches.pop())
                grads[f"gamma{layer}"], grads[f"beta{layer}"] = dgamma, dbeta
            else:
                dhidden, dW, db = affine_relu_backward(dhidden, caches.pop())
            grads[f"W{layer}"], grads[f"b{layer}"] = dW, db

        for layer in range(1, self.num_layers + 1):
            W = params[f"W{layer}"]
            loss += 0.5 * self.reg * np.sum(W**2)

        return loss, grads
