"""RMSProp: epsilon inside the root, as in other editions of the course."""

import numpy as np


def rmsprop(w, dw, config=None):
    config = {} if config is None else config
    for name, value in {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": 0.0}.items():
        config.setdefault(name, value)
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * np.square(dw)
    return w - config["learning_rate"] / np.sqrt(config["cache"] + config["epsilon"]) * dw, config
