"""Checks of batch normalization and layer normalization."""

from dataclasses import replace

from autograder.checking.criteria import Checks
from autograder.checks.layer import Edge, Layer, one_example
from autograder.checks.layers.normalizing import EPS, paths
from autograder.checks.layers.running import STATISTICS, state_running
from autograder.checks.pairs import state_backward, state_forward, state_layer
from cs231n import layers as reference

CHECKS = Checks()

GRADIENTS = {"x": "dx", "gamma": "dgamma", "beta": "dbeta"}

# Sizes of x: the default eps is lost beside the variance of one, and matters beside that of the other.
LARGE, SMALL = 10.0, 2e-3


def spread_out(rng, shape, axis, size):
    """Draw x whose features, along `axis`, differ in mean and deviation, both of some `size`."""
    along = [shape[axis] if position == axis else 1 for position in range(len(shape))]
    others = {"axis": tuple(position for position in range(len(shape)) if position != axis), "keepdims": True}
    x = rng.normal(size=shape)
    x = (x - x.mean(**others)) / x.std(**others)
    return size * (x * rng.uniform(4, 9, size=along) + 4 * rng.normal(size=along))


def draw_batch(rng, shape, eps=None, size=LARGE, still=False):
    """Inputs of a layer with bn_param, x of shape (N, D) or (N, C, H, W).

    Running averages are there from the start, so that only one criterion asks for their creation.

    - still: whether the first feature does not vary
    """
    D = shape[1]
    x = spread_out(rng, shape, 1, size)
    running_mean, running_var = 4 * size * rng.normal(size=D), (size * rng.uniform(4, 9, size=D)) ** 2
    bn_param = {"mode": "train", "running_mean": running_mean, "running_var": running_var}
    if still:
        x[:, 0] = 2.0
    if eps is not None:
        bn_param["eps"] = eps
    return {"x": x, "gamma": rng.normal(size=D) + 2, "beta": rng.normal(size=D), "bn_param": bn_param}


def eps_matters(case):
    """Return the edge case of an eps that matters: the default beside small inputs, then a large one.

    In this order, because beside a large eps the default one that ignores it is as good as none at all.
    """
    return Edge(
        "eps", (case | {"size": SMALL}, case | {"size": 1.0, "eps": 4.0}), "where eps is not lost beside var", 1
    )


def _draw_rows(rng, N, D, **more):
    return draw_batch(rng, (N, D), **more)


def _batchnorm(x, gamma, beta, bn_param):
    return reference.batchnorm_forward(x, gamma, beta, bn_param)[0]


def _batchnorm_terms(dout, x, gamma, beta, bn_param):
    return {"x": paths(dout, x, gamma, bn_param.get("eps", EPS), axes=0)}


BATCHNORM = Layer(
    module="cs231n.layers",
    forward="batchnorm_forward",
    backward="batchnorm_backward",
    function=_batchnorm,
    draw=_draw_rows,
    cases=({"N": 6, "D": 4, "eps": EPS}, {"N": 5, "D": 7}, {"N": 16, "D": 3}),
    edges=(eps_matters({"N": 7, "D": 5}),),
    gradients=GRADIENTS,
    says="In mode 'train' out is gamma · x_hat + beta, with mean and variance of each feature over the batch",
    terms=_batchnorm_terms,
    may_change=tuple(STATISTICS),
    large={"N": 12, "D": 10000},
)
# Forward only: beside the default eps the slopes of a constant feature are too steep to be measured.
CONSTANT = Edge("constant feature", ({"N": 6, "D": 4, "still": True},), "where one feature is constant in the batch")
state_forward(CHECKS, replace(BATCHNORM, edges=(*BATCHNORM.edges, CONSTANT)))
state_running(CHECKS, BATCHNORM, rows=lambda x: x)
state_backward(CHECKS, BATCHNORM)
state_backward(CHECKS, replace(BATCHNORM, backward="batchnorm_backward_alt"))


def _draw_layernorm(rng, N, D, eps=None, size=LARGE):
    return {
        "x": spread_out(rng, (N, D), 0, size),
        "gamma": rng.normal(size=D) + 2,
        "beta": rng.normal(size=D),
        "ln_param": {} if eps is None else {"eps": eps},
    }


def _layernorm(x, gamma, beta, ln_param):
    return reference.layernorm_forward(x, gamma, beta, ln_param)[0]


def _layernorm_terms(dout, x, gamma, beta, ln_param):
    return {"x": paths(dout, x, gamma, ln_param.get("eps", EPS), axes=1)}


LAYERNORM = Layer(
    module="cs231n.layers",
    forward="layernorm_forward",
    backward="layernorm_backward",
    function=_layernorm,
    draw=_draw_layernorm,
    cases=({"N": 4, "D": 6, "eps": EPS}, {"N": 7, "D": 5}, {"N": 3, "D": 16}),
    edges=(
        eps_matters({"N": 5, "D": 7}),
        one_example({"N": 1, "D": 8}),
    ),
    gradients=GRADIENTS,
    says="out is gamma · x_hat + beta, with mean and variance of each example over its own features",
    terms=_layernorm_terms,
    large={"N": 10000, "D": 12},
)
state_layer(CHECKS, LAYERNORM)
