import numpy as np
from cs231n.im2col import output_size


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    out = rows @ w + b
    cache = (x, w)
    return out, cache


def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    # One b serves all N examples, so their gradients add up.
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx


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


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f"dropout_forward: dropout_param['mode'] is {mode!r}; expected 'train' or 'test'")
    if not 0 < p <= 1:
        raise ValueError(f"dropout_forward: p is {p}; expected the probability of keeping a unit, 0 < p <= 1")
    if dropout_param.get("seed") is not None:
        np.random.seed(dropout_param["seed"])

    mask = None
    if mode == "train":
        # The division by p is here, so that mode 'test' returns x unchanged.
        mask = (np.random.random_sample(x.shape) < p) / p
        out = x * mask
    else:
        out = x

    cache = (dropout_param, mask)
    return out.astype(x.dtype, copy=False), cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = dout * mask if mode == "train" else dout
    return dx.astype(dout.dtype, copy=False)


def softmax_loss(x, y):
    N = x.shape[0]
    examples = np.arange(N)
    # Softmax ignores a constant added to a row; with the largest score at 0 no exponential overflows.
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[examples, y].mean()

    dx = np.exp(log_p)
    dx[examples, y] -= 1
    dx = dx / N
    return loss, dx
