"""Spatial batch normalization: no call of batchnorm_forward; means over three axes at once."""

import numpy as np


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    along, wide = {"axis": (0, 2, 3), "keepdims": True}, (1, -1, 1, 1)
    C, eps, momentum = x.shape[1], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    old_mean = bn_param.setdefault("running_mean", np.zeros(C)).reshape(wide)
    old_var = bn_param.setdefault("running_var", np.zeros(C)).reshape(wide)
    if bn_param["mode"] == "train":
        mean, var = x.mean(**along), x.var(**along)
        bn_param["running_mean"] = (momentum * old_mean + (1 - momentum) * mean).ravel()
        bn_param["running_var"] = (momentum * old_var + (1 - momentum) * var).ravel()
    else:
        mean, var = old_mean, old_var
    hat = (x - mean) / np.sqrt(var + eps)
    return gamma.reshape(wide) * hat + beta.reshape(wide), (hat, gamma.reshape(wide) / np.sqrt(var + eps))


def spatial_batchnorm_backward(dout, cache):
    hat, scale = cache
    along = {"axis": (0, 2, 3), "keepdims": True}
    dx = scale * (dout - dout.mean(**along) - hat * np.mean(dout * hat, **along))
    return dx, np.einsum("nchw,nchw->c", dout, hat), np.einsum("nchw->c", dout)
