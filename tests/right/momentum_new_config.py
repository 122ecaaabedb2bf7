"""SGD with momentum: a new config is returned, in which the velocity has another name."""

import numpy as np


def sgd_momentum(w, dw, config=None):
    settings = {"learning_rate": 1e-2, "momentum": 0.9, "v": np.zeros(w.shape), **(config or {})}
    v = settings["momentum"] * settings["v"] - settings["learning_rate"] * dw
    return w + v, {**settings, "v": v}
