"""What the judge answers in the place of a student's function that is not right, for follow-through credit.

Whoever asks is a worker that may be hostile: every function here looks at the shapes first, so that the reference is
only called with what fits, and does no more work than a small net needs.
"""

import inspect

import numpy as np

from autograder.checks import pack  # noqa: F401  (makes cs231n importable)
from autograder.followthrough import Answers, Keep
from cs231n import layers as reference

MODULE = "cs231n.layers"
MOST_WORK = 2 * 10**8  # multiplications in one call

# Functions whose caches fit each other, so that one is never answered without the others.
GROUPS = (
    ("affine_forward", "affine_backward"),
    ("relu_forward", "relu_backward"),
    ("softmax_loss",),
    ("batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"),
    ("dropout_forward", "dropout_backward"),
    ("conv_forward_naive", "conv_backward_naive"),
    ("max_pool_forward_naive", "max_pool_backward_naive"),
)


def answers_for(question, unmet, options):
    """Return the Answers for the `unmet` questions while `question` is judged, and the names of all that are answered.

    Never among them: what shares its caches with the question itself.

    - options: what the manifest says editions of the course differ in
    """
    groups = [group for group in GROUPS if set(group) & set(unmet) and question not in group]
    names = [name for group in groups for name in group]
    return Answers({f"{MODULE}:{name}": _answering(name, options) for name in names}), names


def _answering(name, options):
    signature = inspect.signature(getattr(reference, name))

    def answer(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        if "cache" in given:
            _expect_dout(name, **given)
            given["cache"], _ = given["cache"]
        elif name == "dropout_forward":
            given["dropout_param"] = _keeping(given["dropout_param"], options)
        _EXPECT.get(name, _expect_nothing)(**given)
        result = getattr(reference, name)(**given)
        if name.endswith("_forward") or name.endswith("_forward_naive"):
            out, cache = result
            return out, Keep((cache, out))
        return result

    return answer


def _expect(fits, name, **arrays):
    if not fits:
        shapes = ", ".join(f"{key} {np.shape(value)}" for key, value in arrays.items())
        raise ValueError(f"{name} was called with arrays that do not fit: {shapes}")


def _expect_nothing(**_):
    """Any array will do."""


def _expect_dout(name, dout, cache):
    _expect(np.shape(dout) == cache[1].shape, name, dout=dout, out=cache[1])


def _expect_affine(x, w, b):
    rows = len(x)
    fits = w.ndim == 2 and rows > 0 and x.size == rows * w.shape[0] and b.size == w.shape[1]
    _expect(fits and rows * w.size <= MOST_WORK, "affine_forward", x=x, w=w, b=b)


def _expect_relu(x):
    _expect(isinstance(x, np.ndarray), "relu_forward", x=x)


def _expect_scores(x, y):
    y = np.asarray(y)
    fits = x.ndim == 2 and y.shape == x.shape[:1] and y.dtype.kind in "iu" and x.size
    _expect(fits and y.min() >= 0 and y.max() < x.shape[1], "softmax_loss", x=x, y=y)


def _expect_batch(x, gamma, beta, bn_param):
    shapes = [np.shape(bn_param[key]) for key in ("running_mean", "running_var") if key in bn_param]
    fits = x.ndim == 2 and len(x) and all(shape == x.shape[1:] for shape in (gamma.shape, beta.shape, *shapes))
    _expect(fits, "batchnorm_forward", x=x, gamma=gamma, beta=beta)


def _expect_conv(x, w, b, conv_param):
    fits = x.ndim == w.ndim == 4 and x.shape[1] == w.shape[1] and b.shape == w.shape[:1]
    H, W = (size + 2 * abs(int(conv_param["pad"])) for size in x.shape[2:]) if fits else (0, 0)
    _expect(fits and conv_param["stride"] > 0 and len(x) * H * W * w.size <= MOST_WORK, "conv_forward_naive", x=x, w=w)


def _expect_images(x, pool_param):
    fits = x.ndim == 4 and all(pool_param[key] > 0 for key in ("stride", "pool_height", "pool_width"))
    _expect(fits and x.size * pool_param["pool_height"] * pool_param["pool_width"] <= MOST_WORK, "max_pool", x=x)


_EXPECT = {
    "affine_forward": _expect_affine,
    "relu_forward": _expect_relu,
    "softmax_loss": _expect_scores,
    "batchnorm_forward": _expect_batch,
    "conv_forward_naive": _expect_conv,
    "max_pool_forward_naive": _expect_images,
}


def _keeping(dropout_param, options):
    """Return dropout_param with p as the probability of keeping a unit, as the reference has it."""
    drops = options.get("dropout") == "drop"
    return dropout_param | {"p": 1 - dropout_param["p"]} if drops else dropout_param
