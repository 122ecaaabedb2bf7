"""Fully connected networks with a softmax loss: one of two layers, and one of any depth.

A network keeps its parameters in the dictionary `params`, by name (`W1`, `b1`, `W2` ...; layers count from 1), and
computes loss and gradients in `loss`. It does not train itself: see `cs231n.solver`.

Shapes: `N` examples, `D` features, `C` classes.
"""

from typing import Any

import numpy as np

from cs231n.layer_utils import (
    affine_bn_relu_backward,
    affine_bn_relu_forward,
    affine_relu_backward,
    affine_relu_forward,
)
from cs231n.layers import affine_backward, affine_forward, dropout_backward, dropout_forward, softmax_loss


class TwoLayerNet:
    """affine - ReLU - affine - softmax.

    params: W1 (D, hidden_dim), b1 (hidden_dim,), W2 (hidden_dim, C), b2 (C,).
    """

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
    ) -> None:
        """Set up the parameters: weights drawn from a normal distribution around 0, biases 0.

        input_dim: D
        hidden_dim: number of hidden units
        num_classes: C
        weight_scale: standard deviation of the initial weights
        reg: strength of the L2 regularization
        """
        self.params = {}
        self.reg = reg

        ### BEGIN SOLUTION
        self.params["W1"] = np.random.normal(scale=weight_scale, size=(input_dim, hidden_dim))
        self.params["b1"] = np.zeros(hidden_dim)
        self.params["W2"] = np.random.normal(scale=weight_scale, size=(hidden_dim, num_classes))
        self.params["b2"] = np.zeros(num_classes)
        ### END SOLUTION

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
        """Scores of a batch, or its loss and gradients.

            loss = softmax loss + reg / 2 · (sum of W1² + sum of W2²)

        Biases are not regularized.

        X: (N, d_1, ..., d_k) with d_1 · ... · d_k = D
        y: (N,) the right classes, or None

        Returns the scores (N, C) when y is None; otherwise the loss, a number, and a dictionary of gradients with
        the names and shapes of `params`.
        """
        # Forward pass: store the scores (N, C) in `scores`, and keep what the backward pass needs.
        ### BEGIN SOLUTION
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        hidden, hidden_cache = affine_relu_forward(X, W1, b1)
        scores, scores_cache = affine_forward(hidden, W2, b2)
        ### END SOLUTION

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        ### BEGIN SOLUTION
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads["W2"], grads["b2"] = affine_backward(dscores, scores_cache)
        _, grads["W1"], grads["b1"] = affine_relu_backward(dhidden, hidden_cache)
        for name in ("W1", "W2"):
            W = self.params[name]
            loss += 0.5 * self.reg * np.sum(W**2)
            grads[name] += self.reg * W
        ### END SOLUTION
        return loss, grads


class FullyConnectedNet:
    """{affine - [batch norm] - ReLU - [dropout]} × (L - 1) - affine - softmax, for L layers of weights.

    Parts in brackets are optional, and the braces repeat once for every hidden layer.

    params: for layer l = 1 ... L, `W<l>` (inputs, outputs) and `b<l>` (outputs,); with batch normalization also
    `gamma<l>` and `beta<l>` (outputs,) for each hidden layer, so for l = 1 ... L - 1.
    """

    def __init__(
        self,
        hidden_dims: list,
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0,
        use_batchnorm: bool = False,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        dtype: type = np.float32,
        seed: int | None = None,
    ) -> None:
        """Set up the parameters: weights drawn from a normal distribution around 0, biases and beta 0, gamma 1.

        hidden_dims: number of units of each hidden layer, a sequence of L - 1 integers
        input_dim: D
        num_classes: C
        dropout: probability of KEEPING a unit; both 0 and 1 mean no dropout
        use_batchnorm: whether every hidden layer normalizes its batch
        reg: strength of the L2 regularization
        weight_scale: standard deviation of the initial weights
        dtype: type of all parameters and all computation; use np.float64 to check gradients numerically
        seed: if given, the dropout layers draw the same masks at every forward pass, which a numeric gradient needs

        Raises ValueError when dropout is not a probability.
        """
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

        ### BEGIN SOLUTION
        dims = [input_dim, *hidden_dims, num_classes]
        for layer, (inputs, outputs) in enumerate(zip(dims[:-1], dims[1:]), start=1):
            self.params[f"W{layer}"] = np.random.normal(scale=weight_scale, size=(inputs, outputs))
            self.params[f"b{layer}"] = np.zeros(outputs)
            if use_batchnorm and layer < self.num_layers:
                self.params[f"gamma{layer}"] = np.ones(outputs)
                self.params[f"beta{layer}"] = np.zeros(outputs)
        ### END SOLUTION

        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
        """Scores of a batch, or its loss and gradients.

            loss = softmax loss + reg / 2 · sum of W<l>² over all layers l

        Biases, gamma and beta are not regularized. With y, batch normalization and dropout run in mode 'train';
        without y, in mode 'test'.

        X: (N, d_1, ..., d_k) with d_1 · ... · d_k = D
        y: (N,) the right classes, or None

        Returns the scores (N, C) when y is None; otherwise the loss, a number, and a dictionary of gradients with
        the names and shapes of `params`.
        """
        X = X.astype(self.dtype)
        mode = "test" if y is None else "train"
        if self.dropout_param:
            self.dropout_param["mode"] = mode
        for bn_param in self.bn_params:
            bn_param["mode"] = mode

        # Forward pass: store the scores (N, C) in `scores`, and keep what the backward pass needs.
        ### BEGIN SOLUTION
        params = self.params
        hidden_layers = range(1, self.num_layers)
        hidden = X
        caches = []
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
        ### END SOLUTION

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        ### BEGIN SOLUTION
        loss, dscores = softmax_loss(scores, y)
        dhidden, grads[f"W{last}"], grads[f"b{last}"] = affine_backward(dscores, scores_cache)
        # The backward pass needs the caches in reverse order, so the list is used as a stack.
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
            grads[f"W{layer}"] += self.reg * W
        ### END SOLUTION
        return loss, grads
