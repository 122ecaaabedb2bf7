"""Convolutional net: only NumPy, with sliding windows; pooling by a reshape."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class ThreeLayerConvNet:
    def __init__(
        self,
        input_dim=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=np.float32,
    ):
        (C, H, W), F = input_dim, num_filters
        normal = np.random.RandomState(np.random.randint(1 << 30)).normal
        self.params = dict(
            W1=normal(0, weight_scale, (F, C, filter_size, filter_size)).astype(dtype),
            W2=normal(0, weight_scale, (F * H * W // 4, hidden_dim)).astype(dtype),
            W3=normal(0, weight_scale, (hidden_dim, num_classes)).astype(dtype),
            **{f"b{i}": np.zeros(n, dtype) for i, n in enumerate((F, hidden_dim, num_classes), start=1)},
        )
        self.reg, self.dtype, self.pad = reg, dtype, (filter_size - 1) // 2

    def loss(self, X, y=None):
        p, N, pad = self.params, len(X), self.pad
        padded = np.pad(X.astype(self.dtype), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = sliding_window_view(padded, p["W1"].shape[2:], (2, 3))
        a = np.einsum("ncijpq,fcpq->nfij", windows, p["W1"]) + p["b1"].reshape(1, -1, 1, 1)
        _, F, H, W = a.shape
        blocks = np.maximum(a, 0).reshape(N, F, H // 2, 2, W // 2, 2)
        pooled = blocks.max(axis=(3, 5), keepdims=True)
        rows = pooled.reshape(N, -1)
        hidden = np.maximum(rows @ p["W2"] + p["b2"], 0)
        scores = hidden @ p["W3"] + p["b3"]
        if y is None:
            return scores
        log_p = scores - np.logaddexp.reduce(scores, axis=1)[:, None]
        loss = -log_p[np.arange(N), y].sum() / N + sum(self.reg / 2 * (p[k] ** 2).sum() for k in ("W1", "W2", "W3"))
        dscores = np.exp(log_p)
        dscores[np.arange(N), y] -= 1
        dscores /= N
        dhidden = np.where(hidden > 0, dscores @ p["W3"].T, 0)
        # A window of zeros only shares its gradient among entries that the ReLU stops anyway.
        da = ((blocks == pooled) * (dhidden @ p["W2"].T).reshape(pooled.shape)).reshape(a.shape) * (a > 0)
        grads = {
            "W3": hidden.T @ dscores + self.reg * p["W3"],
            "b3": dscores.sum(axis=0),
            "W2": rows.T @ dhidden + self.reg * p["W2"],
            "b2": dhidden.sum(axis=0),
            "W1": np.einsum("nfij,ncijpq->fcpq", da, windows) + self.reg * p["W1"],
            "b1": da.sum(axis=(0, 2, 3)),
        }
        return loss, grads
