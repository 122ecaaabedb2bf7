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


def batchnorm_backward_alt(dout, cache):
    _, std, x_hat, gamma = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    # dout minus its mean, and minus its projection on x_hat: shifting or scaling a feature does not change x_hat.
    dx = gamma / std * (dout - dbeta / N - x_hat * dgamma / N)
    dgamma, dbeta = dbeta, dgamma
    return dx, dgamma, dbeta


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out = output_size("conv_forward_naive", "height", x.shape[2] + 2 * pad, w.shape[2], stride)
    W_out = output_size("conv_forward_naive", "width", x.shape[3] + 2 * pad, w.shape[3], stride)
    HH, WW = w.shape[2:]
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((x.shape[0], w.shape[0], H_out, W_out), dtype=np.result_type(x, w))
    for i in range(H_out):
        for j in range(W_out):
            window = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            # Sum over channel, row and column of the window: (N, C, HH, WW) with (F, C, HH, WW) gives (N, F).
            out[:, :, i, j] = np.tensordot(window, w, axes=((1, 2, 3), (1, 2, 3))) + b
    cache = (x_pad, w, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    x_pad, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    dx_pad, dw = np.zeros(x_pad.shape, dtype=dout.dtype), np.zeros(w.shape, dtype=dout.dtype)
    db = dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
            here = dout[:, :, i, j]
            dw += np.tensordot(here, x_pad[:, :, rows, columns], axes=(0, 0))
            dx_pad[:, :, rows, columns] += np.tensordot(here, w, axes=(1, 0))
    H, W = x_pad.shape[2] - 2 * pad, x_pad.shape[3] - 2 * pad
    dx, dw = dw, dx_pad[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db
