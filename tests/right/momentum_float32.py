"""SGD with momentum: velocity and weights in float32."""

import numpy as np


def sgd_momentum(w, dw, config=None):
    config = {} if config is None else config
    rate, share = (np.float32(config.get(k, d)) for k, d in (("learning_rate", 1e-2), ("momentum", 0.9)))
    velocity = config.get("velocity", np.zeros(w.shape, np.float32)).astype(np.float32)
    config["velocity"] = share * velocity - rate * dw.astype(np.float32)
    return w.astype(np.float32) + config["velocity"], config
