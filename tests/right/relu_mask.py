"""ReLU: a mask of booleans is all that the cache holds."""


def relu_forward(x):
    mask = x > 0
    return x * mask, mask


def relu_backward(dout, cache):
    return dout * cache
