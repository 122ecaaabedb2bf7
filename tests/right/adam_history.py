"""Adam: the means are weighted sums over all gradients so far, which config keeps in a list."""

import numpy as np


def _corrected(values, beta):
    weights = np.array([beta**age for age in reversed(range(len(values)))])
    return np.tensordot(weights, np.array(values), 1) / weights.sum()


def adam(w, dw, config=None):
    config = dict(config or {})
    config["gradients"] = [*config.get("gradients", []), np.copy(dw)]
    mean = _corrected(config["gradients"], config.get("beta1", 0.9))
    square = _corrected([slope**2 for slope in config["gradients"]], config.get("beta2", 0.999))
    return w - config.get("learning_rate", 1e-3) * mean / (square**0.5 + config.get("epsilon", 1e-8)), config
