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
    dx = dcentered
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    _, std, x_hat, gamma = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    # dout minus its mean, and minus its projection on x_hat: shifting or scaling a feature does not change x_hat.
    dx = gamma / std * (dout - dbeta / N)
    return dx, dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    centered = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = centered / std
    out = gamma * x_hat + beta
    cache = (x_hat, std, gamma)
    return out, cache


def layernorm_backward(dout, cache):
    x_hat, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    # As in batch normalization, but along a row, where gamma differs from entry to entry and so stays inside the means.
    dx_hat = dout * gamma
    along_x_hat = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    dx = (dx_hat - x_hat * along_x_hat) / std
    return dx, dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    if x.shape[1] % G:
        raise ValueError(f"spatial_groupnorm_forward: {x.shape[1]} channels cannot be split into {G} equal groups")
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    groups = x.reshape(N, G, C // G, H, W)
    std = np.sqrt(groups.var(axis=(2, 3, 4), keepdims=True) + eps)
    x_hat = ((groups - groups.mean(axis=(2, 3, 4), keepdims=True)) / std).reshape(x.shape)
    out = gamma * x_hat + beta
    cache = (x_hat, std, gamma, G)
    return out, cache


def spatial_groupnorm_backward(dout, cache):
    x_hat, std, gamma, G = cache
    N, C, H, W = dout.shape
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    dgamma = (dout * x_hat).sum(axis=(0, 2, 3), keepdims=True)
    dgroups, hats = (array.reshape(N, G, C // G, H, W) for array in (dout * gamma, x_hat))
    over_group = {"axis": (2, 3, 4), "keepdims": True}
    dx = (dgroups - dgroups.mean(**over_group)) / std
    dx = dx.reshape(dout.shape)
    return dx, dgamma, dbeta
