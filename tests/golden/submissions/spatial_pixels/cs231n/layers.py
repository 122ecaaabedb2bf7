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
        mean, var = x.mean(axis=0), x.var(axis=0)
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

    # out = gamma * x_hat + beta
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
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


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    # The channel axis has to be moved to the end first: a reshape alone would mix pixels of different channels.
    out, cache = np.zeros_like(x), {}
    for i in range(H):
        for j in range(W):
            out[:, :, i, j], cache[i, j] = batchnorm_forward(x[:, :, i, j], gamma, beta, bn_param)
    return out, cache


def spatial_batchnorm_backward(dout, cache):
    dx, dgamma, dbeta = np.zeros_like(dout), 0, 0
    for i, j in cache:
        dx[:, :, i, j], here, there = batchnorm_backward(dout[:, :, i, j], cache[i, j])
        dgamma, dbeta = dgamma + here, dbeta + there
    return dx, dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    if x.shape[1] % G:
        raise ValueError(f"spatial_groupnorm_forward: {x.shape[1]} channels cannot be split into {G} equal groups")
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    groups = x.reshape(N, C // G, G, H, W)
    std = np.sqrt(groups.var(axis=(2, 3, 4), keepdims=True) + eps)
    x_hat = ((groups - groups.mean(axis=(2, 3, 4), keepdims=True)) / std).reshape(x.shape)
    out = gamma * x_hat + beta
    cache = (x_hat, std, gamma, G)
    return out, cache
