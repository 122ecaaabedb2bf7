"""Group normalization: np.split along the channels; means are sums divided by the number of entries of a group."""

import numpy as np


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    hats, stds = [], []
    for group in np.split(x, G, axis=1):
        centered = group - np.mean(group, axis=(1, 2, 3), keepdims=True)
        stds.append(np.sqrt((centered**2).mean(axis=(1, 2, 3), keepdims=True) + gn_param.get("eps", 1e-5)))
        hats.append(centered / stds[-1])
    return np.concatenate(hats, axis=1) * gamma + beta, (hats, stds, gamma)


def spatial_groupnorm_backward(dout, cache):
    hats, stds, gamma = cache
    dx = []
    for dhat, hat, std in zip(np.split(dout * gamma, len(hats), axis=1), hats, stds):
        count = hat[0].size
        total, along = (s.sum(axis=(1, 2, 3), keepdims=True) for s in (dhat, dhat * hat))
        dx.append((count * dhat - total - hat * along) / (count * std))
    whole = np.concatenate(hats, axis=1)
    dgamma, dbeta = (
        (d).sum(axis=(2, 3)).sum(axis=0)[np.newaxis, :, np.newaxis, np.newaxis] for d in (dout * whole, dout)
    )
    return np.concatenate(dx, axis=1), dgamma, dbeta
