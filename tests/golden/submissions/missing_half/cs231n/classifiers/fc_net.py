import numpy as np
from cs231n.layer_utils import (
    affine_bn_relu_backward,
    affine_bn_relu_forward,
    affine_relu_backward,
    affine_relu_forward,
)
from cs231n.layers import affine_backward, affine_forward, dropout_backward, dropout_forward, softmax_loss


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

        # YOUR CODE HERE
        raise NotImplementedError()

        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        mode = "test" if y is None else "train"
        if self.dropout_param:
            self.dropout_param["mode"] = mode
        for bn_param in self.bn_params:
            bn_param["mode"] = mode

        # Forward pass: store the scores (N, C) in `scores`, and keep what the backward pass will ask for.
        # YOUR CODE HERE
        raise NotImplementedError()

        if y is None:
            return scores

        # Backward pass: store the loss in `loss`, and one entry in `grads` for every name in `self.params`.
        grads = {}
        # YOUR CODE HERE
        raise NotImplementedError()
        return loss, grads
