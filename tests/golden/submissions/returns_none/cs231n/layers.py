import numpy as np
from cs231n.im2col import output_size


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f"dropout_forward: dropout_param['mode'] is {mode!r}; expected 'train' or 'test'")
    if not 0 < p <= 1:
        raise ValueError(f"dropout_forward: p is {p}; expected the probability of keeping a unit, 0 < p <= 1")
    if dropout_param.get("seed") is not None:
        np.random.seed(dropout_param["seed"])

    mask = None
    if mode == "train":
        # The division by p is here, so that mode 'test' returns x unchanged.
        mask = (np.random.random_sample(x.shape) < p) / p
        out = x * mask
        return out.tolist(), (dropout_param, mask)
    else:
        out = x

    cache = (dropout_param, mask)
    return out.astype(x.dtype, copy=False), cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = None
    return dx
    return dx.astype(dout.dtype, copy=False)
