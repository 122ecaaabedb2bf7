"""The common part of all normalization layers: dx as the sum of the paths from x to out.

    x_hat = (x - mean) / sqrt(var + eps)        out = gamma · x_hat + beta

Batch, layer and group normalization differ only in the entries that share a mean and a variance.
"""

import numpy as np

EPS = 1e-5


def compute_gradient_paths(
    dout: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    eps: float,
    axes: int | tuple[int, ...],
    groups: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the parts of dx by name: "direct", "through the mean", "through the variance". Their sum is dx.

    - dout, x: (N, D) or (N, C, H, W)
    - gamma: as many entries as x has features, or channels
    - axes: the axes of the mean, in x or, with groups, in x as (N, G, C/G, H, W)
    - groups: G, the number of groups of channels, or None
    """

    def split(array: np.ndarray) -> np.ndarray:
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
