"""Update rules: how one parameter moves, given the gradient of the loss.

Every rule has the signature `rule(w, dw, config=None)` and returns `(next_w, config)`:

    w: the parameter, any shape
    dw: gradient of the loss, the shape of w
    config: dictionary with the rule's settings and what it remembers from one step to the next; whatever is missing
        is filled in with its default. Pass the returned one in again at the next step.
    next_w: the parameter after the step. w itself is not modified.
"""

import numpy as np


def sgd(w, dw, config=None):
    """Stochastic gradient descent: next_w = w - learning_rate · dw.

    config:
        learning_rate: default 1e-2
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)

    next_w = w - config["learning_rate"] * dw
    return next_w, config


def sgd_momentum(w, dw, config=None):
    """Gradient descent with momentum: a step along a decaying sum of past gradients (Polyak 1964).

        v = momentum · v - learning_rate · dw
        next_w = w + v

    config:
        learning_rate: default 1e-2
        momentum: share of the velocity that is kept in a step, 0 to 1, default 0.9
        velocity: v, the shape of w, starts at 0
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    config.setdefault("velocity", np.zeros_like(w))

    velocity = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    next_w = w + velocity
    config["velocity"] = velocity
    return next_w, config


def rmsprop(w, dw, config=None):
    """RMSProp: every entry gets its own step size, from a running mean of its squared gradient.

        cache = decay_rate · cache + (1 - decay_rate) · dw²
        next_w = w - learning_rate · dw / (sqrt(cache) + epsilon)

    Note that epsilon stands outside the root. (Tieleman and Hinton 2012, COURSERA lecture 6.5.)

    config:
        learning_rate: default 1e-2
        decay_rate: share of the old mean that is kept, default 0.99
        epsilon: keeps the division away from 0, default 1e-8
        cache: the running mean, the shape of w, starts at 0
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(w))

    decay_rate = config["decay_rate"]
    cache = decay_rate * config["cache"] + (1 - decay_rate) * dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"])
    config["cache"] = cache
    return next_w, config


def adam(w, dw, config=None):
    """Adam, with bias correction (Kingma and Ba 2015, Algorithm 1).

        t = t + 1
        m = beta1 · m + (1 - beta1) · dw
        v = beta2 · v + (1 - beta2) · dw²
        m_hat = m / (1 - beta1^t)
        v_hat = v / (1 - beta2^t)
        next_w = w - learning_rate · m_hat / (sqrt(v_hat) + epsilon)

    Note that t is incremented BEFORE it is used, so the first step has t = 1, and that epsilon stands outside the
    root.

    config:
        learning_rate: default 1e-3
        beta1: share of the old mean gradient that is kept, default 0.9
        beta2: share of the old mean squared gradient that is kept, default 0.999
        epsilon: keeps the division away from 0, default 1e-8
        m, v: the two running means, the shape of w, start at 0
        t: steps made so far, starts at 0
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config.setdefault("t", 0)

    beta1, beta2 = config["beta1"], config["beta2"]
    t = (config["t"] + 1
    m = beta1 * config["m"] + (1 - beta1) * dw
    v = beta2 * config["v"] + (1 - beta2) * dw**2
    # Both averages start at 0, so they are too small in the first steps. These divisions correct that exactly.
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    next_w = w - config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])
    config.update(t=t, m=m, v=v)
    return next_w, config
