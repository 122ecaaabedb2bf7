import numpy as np
from cs231n.im2col import output_size


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f"batchnorm_forward: bn_param['mode'] is {mode!r}; expected 'train' or 'test'")
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))

    cache = None
    if mode == "train":
        mean, var = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    centered = x - mean
    std = np.sqrt(var + eps)
    x_hat = centered / std
    out = gamma * x_hat + beta
    if mode == "train":
        cache = (centered, std, x_hat, gamma)

    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout, cache):
    centered, std, x_hat, gamma = cache
    N = dout.shape[0]

    dbeta = dout.sum(axis=0, keepdims=True)
    dgamma = np.sum(dout * x_hat, axis=0, keepdims=True)
    dx_hat = dout * gamma

    # x_hat = centered / std: the gradient of the quotient goes to both of its inputs
    dcentered = dx_hat / std
    dstd = -(dx_hat * centered).sum(axis=0) / std**2

    # std = sqrt(var + eps), then var = mean of centered²
    dvar = dstd / (2 * std)
    dcentered = dcentered + dvar * 2 * centered / N

    # centered = x - mean, and the mean hands an equal share to each example
    dmean = -dcentered.sum(axis=0)
    dx = dcentered + dmean / N
    return dx, dgamma, dbeta
