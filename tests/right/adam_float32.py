"""Adam: means and weights in float32."""

import numpy as np


def adam(w, dw, config=None):
    config = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **(config or {})}
    w, dw, t = w.astype(np.float32), dw.astype(np.float32), config.get("t", 0) + 1
    beta1, beta2 = np.float32(config["beta1"]), np.float32(config["beta2"])
    m = beta1 * config.get("m", np.zeros_like(w)) + (1 - beta1) * dw
    v = beta2 * config.get("v", np.zeros_like(w)) + (1 - beta2) * dw**2
    config.update(m=m, v=v, t=t)
    step = (
        np.float32(config["learning_rate"])
        * (m / (1 - beta1**t))
        / (np.sqrt(v / (1 - beta2**t)) + np.float32(config["epsilon"]))
    )
    return w - step, config
