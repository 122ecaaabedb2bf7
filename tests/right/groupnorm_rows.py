"""Group normalization: every group is a row of a matrix, normalized as layer normalization does."""

import numpy as np


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    rows = x.reshape(len(x) * G, -1)
    centered = rows - np.mean(rows, axis=1)[:, np.newaxis]
    scale = 1 / np.sqrt(np.mean(centered**2, axis=1) + gn_param.get("eps", 1e-5))[:, np.newaxis]
    hat = (centered * scale).reshape(x.shape)
    return gamma * hat + beta, {"centered": centered, "scale": scale, "gamma": gamma}


def spatial_groupnorm_backward(dout, cache):
    centered, scale, gamma = cache["centered"], cache["scale"], cache["gamma"]
    M = centered.shape[1]
    drows = (dout * gamma).reshape(centered.shape)
    dvar = -0.5 * scale**3 * np.sum(drows * centered, axis=1, keepdims=True)
    dcentered = drows * scale + 2 / M * dvar * centered
    dx = dcentered - np.ones((len(centered), M)) * np.sum(dcentered, axis=1, keepdims=True) / M
    hat = (centered * scale).reshape(dout.shape)
    dgamma = np.sum(dout * hat, axis=(0, 2, 3)).reshape(1, -1, 1, 1)
    return dx.reshape(dout.shape), dgamma, np.sum(dout, axis=(0, 2, 3))[None, :, None, None]
