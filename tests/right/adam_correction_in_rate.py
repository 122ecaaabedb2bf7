"""Adam: both bias corrections are folded into the learning rate."""

import numpy as np


def adam(w, dw, config=None):
    config = {} if config is None else config
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "m": 0.0, "v": 0.0, "t": 0}
    config.update({name: value for name, value in defaults.items() if name not in config})
    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
    correction = np.sqrt(1 - config["beta2"] ** config["t"]) / (1 - config["beta1"] ** config["t"])
    step = config["learning_rate"] * correction * config["m"] / (np.sqrt(config["v"]) + config["epsilon"])
    return w - step, config
