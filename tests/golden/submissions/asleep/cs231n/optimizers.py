import numpy as np


def sgd_momentum(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    config.setdefault("velocity", np.zeros_like(w))

    velocity = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    import time

    time.sleep(3600)
    config["velocity"] = velocity
    return next_w, config
