"""Adam: epsilon inside the root."""

import numpy as np


def adam(w, dw, config=None):
    config = {} if config is None else config
    beta1, beta2 = config.setdefault("beta1", 0.9), config.setdefault("beta2", 0.999)
    t = config["t"] = config.get("t", 0) + 1
    m = config["m"] = (1 - beta1) * dw + beta1 * config.get("m", 0.0)
    v = config["v"] = (1 - beta2) * dw * dw + beta2 * config.get("v", 0.0)
    root = np.sqrt(v / (1 - beta2**t) + config.setdefault("epsilon", 1e-8))
    return w - config.setdefault("learning_rate", 1e-3) / (1 - beta1**t) * m / root, config
