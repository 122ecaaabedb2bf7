"""Adam: the powers of beta1 and beta2 are kept in place of t."""

import numpy as np


def adam(w, dw, config=None):
    config = {} if config is None else config
    beta1, beta2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
    m, v = config.get("mean", np.zeros(w.shape)), config.get("square", np.zeros(w.shape))
    m += (1 - beta1) * (dw - m)
    v += (1 - beta2) * (dw**2 - v)
    config["mean"], config["square"] = m, v
    config["power1"] = beta1 * config.get("power1", 1.0)
    config["power2"] = beta2 * config.get("power2", 1.0)
    root = np.sqrt(v / (1 - config["power2"])) + config.get("epsilon", 1e-8)
    return w - config.get("learning_rate", 1e-3) * m / (1 - config["power1"]) / root, config
