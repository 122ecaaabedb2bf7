"""What the judge answers in the place of a student's function that is not right, for follow-through credit.

Whoever asks is a worker that may be hostile: every function here looks at the shapes first, so that the reference is
only called with what fits, and does no more work than a small net needs.
"""

import inspect

import numpy as np

from autograder.sandbox.follow_through import Answers, Keep
from cs231n import layers as reference

MODULE = "cs231n.layers"
MOST_WORK = 2 * 10**7  # multiplications in one call
MOST_WINDOWS = 5000  # of which the reference takes one after the other
MOST_ENTRIES = 10**6  # of one array, whether given, made on the way or returned
# What a function reads of the dictionary that it is given; anything else stays with the worker.
SETTINGS = {
    "batchnorm_forward": ("mode", "eps", "momentum", "running_mean", "running_var"),
    "dropout_forward": ("p", "mode", "seed"),
    "conv_forward_naive": ("stride", "pad"),
    "max_pool_forward_naive": ("pool_height", "pool_width", "stride"),
}

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
        _expect_sizes(name, given)
        if "cache" in given:
            _expect_dout(name, **given)
            _, given["cache"], _ = given["cache"]
        elif name == "dropout_forward":
            given["dropout_param"] = _keeping(given["dropout_param"], options)
        if name in _EXPECT:
            _EXPECT[name](**given)
        result = getattr(reference, name)(**given)
        if name.endswith("_forward") or name.endswith("_forward_naive"):
            out, cache = result
            return out, Keep((name, cache, out.shape))
        return result

    return answer


def _expect(fits, name, **arrays):
    if not fits:
        shapes = ", ".join(f"{key} {np.shape(value)}" for key, value in arrays.items())
        raise ValueError(f"{name} was called with arrays that do not fit: {shapes}")


def _expect_sizes(name, given):
    """Arrays that hold something, and not too much; settings that are plain numbers, so that nothing broadcasts."""
    arrays = {key: value for key, value in given.items() if isinstance(value, np.ndarray)}
    _expect(all(0 < array.size <= MOST_ENTRIES for array in arrays.values()), name, **arrays)
    for settings in [value for value in given.values() if isinstance(value, dict)]:
        for key in set(settings) - set(SETTINGS[name]):
            del settings[key]
        for key, value in settings.items():
            if np.shape(value) == () and isinstance(value, np.ndarray):
                settings[key] = value = value.item()  # a number of NumPy's came over the pipe as an array
            plain = isinstance(value, (str, int, float)) or value is None or key in ("running_mean", "running_var")
            if not plain:
                raise ValueError(f"{name} was called with {str(key)[:40]!r} that is no plain number")


def _expect_dout(name, dout, cache):
    """The cache of the forward pass that belongs to this one, and an upstream gradient of the shape of its out."""
    forward, _, shape = cache
    fits = any({forward, name} <= set(group) for group in GROUPS)
    _expect(fits and np.shape(dout) == shape, name, dout=dout)


def _expect_affine(x, w, b):
    rows = len(x)
    fits = w.ndim == 2 and rows > 0 and x.size == rows * w.shape[0] and b.size == w.shape[1]
    fits = fits and rows * w.shape[1] <= MOST_ENTRIES
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
    stride, pad = (_whole(conv_param[key]) for key in ("stride", "pad"))
    H, W = (size + 2 * pad for size in x.shape[2:]) if fits else (0, 0)
    fits = fits and len(x) * x.shape[1] * H * W <= MOST_ENTRIES  # padded
    places = (H // stride + 1) * (W // stride + 1) if stride else 0
    fits = fits and 0 < places <= MOST_WINDOWS and len(x) * len(w) * places <= MOST_ENTRIES
    _expect(fits and len(x) * places * w.size <= MOST_WORK, "conv_forward_naive", x=x, w=w)


def _whole(value):
    if not isinstance(value, int) or not 0 <= value <= 1000:
        raise ValueError("a stride, a padding and a size are small whole numbers")
    return value


def _expect_images(x, pool_param):
    stride, height, width = (_whole(pool_param[key]) for key in ("stride", "pool_height", "pool_width"))
    fits = x.ndim == 4 and min(stride, height, width) > 0
    fits = fits and (x.shape[2] // stride + 1) * (x.shape[3] // stride + 1) <= MOST_WINDOWS
    _expect(fits and x.size * height * width <= MOST_WORK, "max_pool_forward_naive", x=x)


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
