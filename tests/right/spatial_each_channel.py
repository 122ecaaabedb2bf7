"""Spatial batch normalization: a loop over the channels; each is a batch with one feature."""

import numpy as np

from cs231n import layers


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    C = x.shape[1]
    for key in ("running_mean", "running_var"):
        bn_param.setdefault(key, np.zeros(C))
    out, caches, new = np.empty_like(x), [], {"running_mean": [], "running_var": []}
    for c in range(C):
        own = {**bn_param, **{key: bn_param[key][c : c + 1] for key in new}}
        pixels, cache = layers.batchnorm_forward(x[:, c].reshape(-1, 1), gamma[c : c + 1], beta[c : c + 1], own)
        out[:, c] = pixels.reshape(x[:, c].shape)
        caches.append(cache)
        for key in new:
            new[key].append(own[key])
    bn_param.update({key: np.concatenate(values) for key, values in new.items()})
    return out, caches


def spatial_batchnorm_backward(dout, cache):
    dx, parameters = np.empty_like(dout), []
    for c, own in enumerate(cache):
        pixels, *slopes = layers.batchnorm_backward(dout[:, c].reshape(-1, 1), own)
        dx[:, c] = pixels.reshape(dx[:, c].shape)
        parameters.append(np.concatenate(slopes))
    dgamma, dbeta = np.array(parameters).T
    return dx, dgamma, dbeta
