"""RMSProp: a loop over the entries, with Python numbers."""

import math

import numpy as np


def rmsprop(w, dw, config=None):
    config = dict(config or {})
    rate, decay = config.get("learning_rate", 1e-2), config.get("decay_rate", 0.99)
    cache = np.array(config.get("cache", np.zeros(w.shape)))
    next_w = np.empty(w.shape)
    for place, slope in np.ndenumerate(dw):
        cache[place] = decay * cache[place] + (1 - decay) * slope**2
        next_w[place] = w[place] - rate * slope / (math.sqrt(cache[place]) + config.get("epsilon", 1e-8))
    config["cache"] = cache
    return next_w, config
