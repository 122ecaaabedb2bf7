"""Adam: means and weights are changed in place."""

import numpy as np


def adam(w, dw, config=None):
    config = {} if config is None else config
    for name, value in (("learning_rate", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("t", 0)):
        config.setdefault(name, value)
    for name, slope, beta in (("m", dw, config["beta1"]), ("v", dw**2, config["beta2"])):
        config.setdefault(name, np.zeros_like(w))
        config[name] *= beta
        config[name] += (1 - beta) * slope
    config["t"] = config["t"] + 1
    m, v = (config[k] / (1 - np.power(config[b], config["t"])) for k, b in (("m", "beta1"), ("v", "beta2")))
    w -= np.divide(config["learning_rate"] * m, np.sqrt(v) + config["epsilon"])
    return w, config
