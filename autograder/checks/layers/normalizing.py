"""What all normalization layers have in common: dx as the sum of the paths along which x reaches out.

    x_hat = (x - mean) / sqrt(var + eps)        out = gamma · x_hat + beta

Which entries share a mean and a variance is all that tells batch, layer and group normalization apart.
"""

import numpy as np

EPS = 1e-5


def paths(dout, x, gamma, eps, axes, groups=None):
    """Return the parts of dx by name: "direct", "through the mean", "through the variance". Their sum is dx.

    - dout, x: (N, D) or (N, C, H, W)
    - gamma: as many entries as x has features, or channels
    - axes: those of x, or of x as (N, G, C/G, H, W) where there are groups, over which the mean is taken
    - groups: G, the number of groups that the channels are split into, or None where they are not
    """

    def split(array):
        return array if groups is None else array.reshape(len(x), groups, -1, *x.shape[2:])

    parts, over = split(x), {"axis": axes, "keepdims": True}
    std = np.sqrt(parts.var(**over) + eps)
    x_hat = (parts - parts.mean(**over)) / std
    dx_hat = split(dout * gamma.reshape((1, -1) + (1,) * (x.ndim - 2)))
    dx = {
        "direct": dx_hat,
        "through the mean": np.broadcast_to(-dx_hat.mean(**over), parts.shape),
        "through the variance": -x_hat * (dx_hat * x_hat).mean(**over),
    }
    return {name: (path / std).reshape(x.shape) for name, path in dx.items()}
