"""SGD with momentum: the velocity has the sign of the gradient and is subtracted."""


def sgd_momentum(w, dw, config=None):
    config = {} if config is None else config
    rate, share = config.setdefault("learning_rate", 1e-2), config.setdefault("momentum", 0.9)
    config["velocity"] = rate * dw + share * config.get("velocity", 0)
    return w - config["velocity"], config
