"""Checks of batch normalization and layer normalization."""

from dataclasses import replace

from autograder.checks.layer import Edge, Layer, one_example
from autograder.checks.layers.normalizing import EPS, Norm, formula_variants, gradient_slips, other_axes
from autograder.checks.layers.running import STATISTICS, state_running
from autograder.checks.pairs import state_backward, state_forward, state_layer
from cs231n import layers as reference

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


def eps_of(bn_param):
    return bn_param.get("eps", EPS)


def _draw_rows(rng, N, D, **more):
    return draw_batch(rng, (N, D), **more)


def _batchnorm(x, gamma, beta, bn_param):
    return reference.batchnorm_forward(x, gamma, beta, bn_param)[0]


_PER_FEATURE = Norm(axes=(0,), sums=(0,))
_PER_EXAMPLE = Norm(axes=(1,), sums=(0,))
_ALL = Norm(axes=(0, 1), sums=(0,))
_ALL_TEXT = "One mean and one variance are taken over all of x; {} has its own."

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
    variants=(
        *formula_variants(lambda bn_param: _PER_FEATURE, eps_of),
        other_axes(
            "statistics of each example",
            _PER_EXAMPLE,
            "Mean and variance are those of every row; batch normalization takes them down the columns, over N.",
            eps_of,
        ),
        other_axes("statistics of all of x", _ALL, _ALL_TEXT.format("every feature"), eps_of),
    ),
    slips=gradient_slips(lambda bn_param: _PER_FEATURE, eps_of),
    may_change=tuple(STATISTICS),
)
# Forward only: beside the default eps the slopes of a constant feature are too steep to be measured.
CONSTANT = Edge("constant feature", ({"N": 6, "D": 4, "still": True},), "where one feature is constant in the batch")
state_forward(replace(BATCHNORM, edges=(*BATCHNORM.edges, CONSTANT)))
state_running(BATCHNORM, rows=lambda x: x)
state_backward(BATCHNORM)
state_backward(replace(BATCHNORM, backward="batchnorm_backward_alt"))


def _draw_layernorm(rng, N, D, eps=None, size=LARGE):
    return {
        "x": spread_out(rng, (N, D), 0, size),
        "gamma": rng.normal(size=D) + 2,
        "beta": rng.normal(size=D),
        "ln_param": {} if eps is None else {"eps": eps},
    }


def _layernorm(x, gamma, beta, ln_param):
    return reference.layernorm_forward(x, gamma, beta, ln_param)[0]


def _eps_of_layernorm(ln_param):
    return ln_param.get("eps", EPS)


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
    variants=(
        *formula_variants(lambda ln_param: _PER_EXAMPLE, _eps_of_layernorm, "ln_param"),
        other_axes(
            "statistics of each feature",
            _PER_FEATURE,
            "Mean and variance are those of every column, over the examples: that is batch normalization. Layer "
            "normalization takes them along each row.",
            _eps_of_layernorm,
        ),
        other_axes("statistics of all of x", _ALL, _ALL_TEXT.format("every example"), _eps_of_layernorm),
    ),
    slips=gradient_slips(lambda ln_param: _PER_EXAMPLE, _eps_of_layernorm, gamma_outside=True),
)
state_layer(LAYERNORM)
