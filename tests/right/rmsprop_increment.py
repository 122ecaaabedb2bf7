"""RMSProp: the cache moves by a part of its distance from the squared gradient, in place."""

import numpy as np


def rmsprop(w, dw, config=None):
    config = config if config is not None else {}
    rate, decay = config.get("learning_rate", 1e-2), config.get("decay_rate", 0.99)
    cache = config.setdefault("cache", np.zeros_like(w))
    cache += (1 - decay) * (dw * dw - cache)
    w -= rate * dw * np.power(np.power(cache, 0.5) + config.get("epsilon", 1e-8), -1)
    return w, config
