"""The judge's answers for functions of the student that are not right, for follow-through credit.

The calls come from a worker that may be hostile. So every answer first checks the shapes: the reference is called only
with matching arrays, and does no more work than a small net needs.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.sandbox.follow_through import Answers, Keep
from cs231n import layers as reference

MODULE = "cs231n.layers"
MOST_WORK = 2 * 10**7  # multiplications in one call
MOST_WINDOWS = 5000  # the reference handles them one after the other
MOST_ENTRIES = 10**6  # entries of one array: an argument, an intermediate result or an output
# The settings that a function reads from its dictionary; the judge removes all others.
SETTINGS = {
    "batchnorm_forward": ("mode", "eps", "momentum", "running_mean", "running_var"),
    "dropout_forward": ("p", "mode", "seed"),
    "conv_forward_naive": ("stride", "pad"),
    "max_pool_forward_naive": ("pool_height", "pool_width", "stride"),
}

# Functions that exchange caches, so that the judge answers for all of them or for none.
GROUPS = (
    ("affine_forward", "affine_backward"),
    ("relu_forward", "relu_backward"),
    ("softmax_loss",),
    ("batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"),
    ("dropout_forward", "dropout_backward"),
    ("conv_forward_naive", "conv_backward_naive"),
    ("max_pool_forward_naive", "max_pool_backward_naive"),
)


def answers_for(question: str, unmet: Sequence[str], options: Mapping[str, str]) -> tuple[Answers, list[str]]:
    """Return the Answers for the `unmet` questions while `question` is judged, and the names of all answered functions.

    Functions that exchange caches with the question itself are never among them.

    - options: the manifest's options, in which editions of the course differ
    """
    groups = [group for group in GROUPS if set(group) & set(unmet) and question not in group]
    names = [name for group in groups for name in group]
    return Answers({f"{MODULE}:{name}": _make_answer(name, options) for name in names}), names


def _make_answer(name: str, options: Mapping[str, str]) -> Callable[..., Any]:
    signature = inspect.signature(getattr(reference, name))

    def answer(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        _expect_sizes(name, given)
        if "cache" in given:
            _expect_dout(name, **given)
            _, given["cache"], _ = given["cache"]
        elif name == "dropout_forward":
            given["dropout_param"] = _use_keep_probability(given["dropout_param"], options)
        if name in _EXPECT:
            _EXPECT[name](**given)
        result = getattr(reference, name)(**given)
        if name.endswith("_forward") or name.endswith("_forward_naive"):
            out, cache = result
            return out, Keep((name, cache, out.shape))
        return result

    return answer


def _expect(fits: Any, name: str, **arrays: Any) -> None:
    """Raise ValueError if the arguments of a function do not fit."""
    if not fits:
        shapes = ", ".join(f"{key} {np.shape(value)}" for key, value in arrays.items())
        raise ValueError(f"{name} was called with arrays that do not fit together or are too large: {shapes}")


def _expect_sizes(name: str, given: dict[str, Any]) -> None:
    """Expect arrays that are neither empty nor too large, and settings that are numbers, so that nothing broadcasts."""
    arrays = {key: value for key, value in given.items() if isinstance(value, np.ndarray)}
    _expect(all(0 < array.size <= MOST_ENTRIES for array in arrays.values()), name, **arrays)
    for settings in [value for value in given.values() if isinstance(value, dict)]:
        for key in set(settings) - set(SETTINGS[name]):
            del settings[key]
        for key, value in settings.items():
            if np.shape(value) == () and isinstance(value, np.ndarray):
                settings[key] = value = value.item()  # a NumPy number is sent as an array
            plain = isinstance(value, (str, int, float)) or value is None or key in ("running_mean", "running_var")
            if not plain:
                raise ValueError(f"{name} was called with {str(key)[:40]!r} ; expected a number")


def _expect_dout(name: str, dout: Any, cache: Any) -> None:
    """Expect the cache of the matching forward pass, and an upstream gradient with the shape of its out."""
    forward, _, shape = cache
    fits = any({forward, name} <= set(group) for group in GROUPS)
    _expect(fits and np.shape(dout) == shape, name, dout=dout)


def _expect_affine(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> None:
    rows = len(x)
    fits = w.ndim == 2 and rows > 0 and x.size == rows * w.shape[0] and b.size == w.shape[1]
    fits = fits and rows * w.shape[1] <= MOST_ENTRIES
    _expect(fits and rows * w.size <= MOST_WORK, "affine_forward", x=x, w=w, b=b)


def _expect_relu(x: Any) -> None:
    _expect(isinstance(x, np.ndarray), "relu_forward", x=x)


def _expect_scores(x: np.ndarray, y: Any) -> None:
    y = np.asarray(y)
    fits = x.ndim == 2 and y.shape == x.shape[:1] and y.dtype.kind in "iu" and x.size
    _expect(fits and y.min() >= 0 and y.max() < x.shape[1], "softmax_loss", x=x, y=y)


def _expect_batch(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict) -> None:
    shapes = [np.shape(bn_param[key]) for key in ("running_mean", "running_var") if key in bn_param]
    fits = x.ndim == 2 and len(x) and all(shape == x.shape[1:] for shape in (gamma.shape, beta.shape, *shapes))
    _expect(fits, "batchnorm_forward", x=x, gamma=gamma, beta=beta)


def _expect_conv(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict) -> None:
    fits = x.ndim == w.ndim == 4 and x.shape[1] == w.shape[1] and b.shape == w.shape[:1]
    stride, pad = (_expect_whole(conv_param[key]) for key in ("stride", "pad"))
    H, W = (size + 2 * pad for size in x.shape[2:]) if fits else (0, 0)
    fits = fits and len(x) * x.shape[1] * H * W <= MOST_ENTRIES  # padded
    places = (H // stride + 1) * (W // stride + 1) if stride else 0
    fits = fits and 0 < places <= MOST_WINDOWS and len(x) * len(w) * places <= MOST_ENTRIES
    _expect(fits and len(x) * places * w.size <= MOST_WORK, "conv_forward_naive", x=x, w=w)


def _expect_whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= 1000:
        raise ValueError("a stride, a padding and a size must be integers from 0 to 1000")
    return value


def _expect_images(x: np.ndarray, pool_param: dict) -> None:
    stride, height, width = (_expect_whole(pool_param[key]) for key in ("stride", "pool_height", "pool_width"))
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


def _use_keep_probability(dropout_param: dict, options: Mapping[str, str]) -> dict:
    """Return dropout_param with p as the probability of keeping a unit, as in the reference."""
    drops = options.get("dropout") == "drop"
    return dropout_param | {"p": 1 - dropout_param["p"]} if drops else dropout_param
