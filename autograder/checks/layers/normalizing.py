"""Normalization along any axes, right and wrong: what the checks of all normalization layers are made from.

    x_hat = (x - mean) / sqrt(var + eps)        out = gamma · x_hat + beta

Which entries share a mean and a variance is all that tells batch, layer and group normalization apart, so the wrong
functions and wrong gradients that people write are stated once, for all of them.
"""

from dataclasses import dataclass

import numpy as np

from autograder.checks.gradients import Variant

EPS = 1e-5


def root(var, eps):
    """What a right layer divides by."""
    return np.sqrt(var + eps)


@dataclass(frozen=True)
class Norm:
    """One kind of normalization.

    - axes: those of x, or of its groups, over which a mean and a variance are taken
    - sums: those of x over which the gradients of gamma and beta are summed
    - groups: number of groups that the channels of x (N, C, H, W) are split into, or None where they are not
    """

    axes: tuple[int, ...]
    sums: tuple[int, ...]
    groups: int | None = None

    def split(self, x):
        """Return x (N, C, H, W) as (N, G, C/G, H, W) where there are groups."""
        return x if self.groups is None else x.reshape(len(x), self.groups, -1, *x.shape[2:])

    def wide(self, parameter, x):
        """Return gamma or beta in a shape that broadcasts along the features, or the channels, of x."""
        return parameter.reshape((1, -1) + (1,) * (x.ndim - 2))

    def x_hat(self, x, eps, scale=root, ddof=0):
        """Return the normalized x in the shape of x; entries that were divided by 0 are not finite."""
        return self._normalized(x, eps, scale, ddof)[0].reshape(x.shape)

    def _normalized(self, x, eps, scale=root, ddof=0):
        parts, along = self.split(x), {"axis": self.axes, "keepdims": True}
        with np.errstate(all="ignore"):
            divisor = scale(parts.var(ddof=ddof, **along), eps)
            return (parts - parts.mean(**along)) / divisor, divisor

    def out(self, x, gamma, beta, eps, **wrong):
        """Return gamma · x_hat + beta; `wrong` is what x_hat takes."""
        return self.wide(gamma, x) * self.x_hat(x, eps, **wrong) + self.wide(beta, x)

    def gradients(self, dout, x, gamma, beta, eps, scaled=True, through_mean=True, through_var=True):
        """Return {"x": ..., "gamma": ..., "beta": ...}; dx without gamma or one of its paths where told so."""
        hat, divisor = self._normalized(x, eps)
        dhat = self.split(dout * self.wide(gamma, x) if scaled else dout)
        along = {"axis": self.axes, "keepdims": True}
        dx = dhat.copy()
        if through_mean:
            dx -= dhat.mean(**along)
        if through_var:
            dx -= hat * (dhat * hat).mean(**along)
        return {
            "x": (dx / divisor).reshape(x.shape),
            "gamma": (dout * hat.reshape(x.shape)).sum(axis=self.sums).reshape(gamma.shape),
            "beta": dout.sum(axis=self.sums).reshape(beta.shape),
        }


# What people divide by in place of sqrt(var + eps), and other wrong ways to x_hat.
_FORMULAS = (
    (
        "eps ignored",
        {"scale": lambda var, eps: root(var, EPS)},
        f"eps is {EPS:g} whatever {{}}['eps'] says: read it from there.",
    ),
    (
        "eps missing",
        {"scale": lambda var, eps: np.sqrt(var)},
        "eps is left out, or far too small: divide by sqrt(var + eps). Without it a feature that does not vary is "
        "divided by 0.",
    ),
    (
        "eps outside the root",
        {"scale": lambda var, eps: np.sqrt(var) + eps},
        "eps is added outside the root: it is sqrt(var + eps), not sqrt(var) + eps.",
    ),
    (
        "root missing",
        {"scale": lambda var, eps: var + eps},
        "Divide by the standard deviation sqrt(var + eps): here it is var + eps, without the root.",
    ),
    (
        "divided by N - 1",
        {"ddof": 1},
        "The variance is a sum divided by N - 1; here it is the plain mean of the squares, divided by N.",
    ),
)


def formula_variants(norm_of, eps_of, settings="bn_param"):
    """Return the wrong forward functions that any normalization can have.

    - norm_of, eps_of: the layer's inputs by keyword -> its Norm, its eps
    - settings: the name of the argument that eps is read from
    """

    def variant(name, wrong, text):
        return Variant(
            name,
            lambda x, gamma, beta, **more: norm_of(**more).out(x, gamma, beta, eps_of(**more), **wrong),
            text.format(settings),
        )

    def without(name, text, scaled=0, shifted=0):
        def function(x, gamma, beta, **more):
            gamma, beta = gamma**scaled, beta * shifted
            return norm_of(**more).out(x, gamma, beta, eps_of(**more))

        return Variant(name, function, text)

    return (
        *(variant(*formula) for formula in _FORMULAS),
        without("gamma and beta missing", "This is x_hat itself: gamma and beta are not applied."),
        without("gamma missing", "gamma is not applied: out is gamma · x_hat + beta.", shifted=1),
        without("beta missing", "beta is not added: out is gamma · x_hat + beta.", scaled=1),
    )


def other_axes(name, norm, text, eps_of):
    """Return the Variant that takes mean and variance along other axes; `norm` is a Norm or inputs -> Norm."""
    norm_of = norm if callable(norm) else lambda **more: norm
    return Variant(name, lambda x, gamma, beta, **more: norm_of(**more).out(x, gamma, beta, eps_of(**more)), text)


_PATHS = (
    (
        "not through mean and variance",
        {"through_mean": False, "through_var": False},
        "dx holds the direct path only; x also reaches out through the mean and through the variance.",
    ),
    (
        "not through the mean",
        {"through_mean": False},
        "dx lacks the path through the mean: moving one x moves the mean that all are measured from.",
    ),
    (
        "not through the variance",
        {"through_var": False},
        "dx lacks the path through the variance: moving one x moves the variance that all are divided by.",
    ),
    ("gamma missing", {"scaled": False}, "dx lacks gamma: the gradient with respect to x_hat is dout · gamma."),
)


def gradient_slips(norm_of, eps_of, gamma_outside=False):
    """Return the wrong backward functions that any normalization can have.

    - gamma_outside: whether gamma differs among the entries that share a mean, so that it must stay inside the means
    """

    def slip(name, text, wrong):
        def gradients(dout, x, gamma, beta, **more):
            return wrong(norm_of(**more), dout=dout, x=x, gamma=gamma, beta=beta, eps=eps_of(**more))

        return Variant(name, gradients, text, "gradient")

    def averaged(norm, dout, **inputs):
        right = norm.gradients(dout, **inputs)
        count = np.prod([dout.shape[axis] for axis in norm.sums])
        return {"gamma": right["gamma"] / count, "beta": right["beta"] / count}

    def of_x(norm, dout, x, gamma, **_):
        return {"gamma": (dout * x).sum(axis=norm.sums).reshape(gamma.shape)}

    def outside(norm, dout, x, gamma, **inputs):
        plain = norm.gradients(dout, x=x, gamma=gamma, scaled=False, **inputs)
        return {"x": plain["x"] * norm.wide(gamma, x)}

    paths = [
        slip(name, text, lambda norm, dout, wrong=wrong, **inputs: {"x": norm.gradients(dout, **inputs, **wrong)["x"]})
        for name, wrong, text in _PATHS
    ]
    once = "gamma and beta serve every example, so the gradients of all add up: a sum, not a mean."
    inside = "gamma differs among the entries that share a mean: multiply dout by it before the means are taken."
    return (
        *paths,
        slip("averaged", once, averaged),
        slip("dgamma from x", "dgamma is the sum of dout · x_hat, of the normalized x; here it is x itself.", of_x),
        *([slip("gamma outside the means", inside, outside)] if gamma_outside else []),
    )
