"""Follow-through credit: the judge answers for functions that are not right, so that what builds on them can be judged.

The worker's copies of these functions are replaced by proxies that call back over the pipe. No reference code enters
the sandbox: the student's code sees arguments go out and right values come back. The caches stay here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.worker import frames
from autograder.worker.values import Handle, ValueTypeError, decode, encode

MOST_CACHES, MOST_BYTES = 5000, 256 << 20  # of what is kept for one worker


@dataclass(frozen=True)
class Keep:
    """What an answering function wraps a cache in: it stays with the judge."""

    value: Any


class Answers:
    """What the judge answers to one worker.

    - functions: "package.module:function" -> a function that trusts nothing it is called with: it raises ValueError for
      arguments that do not fit, and bounds its own work
    """

    def __init__(self, functions):
        self._functions = functions
        self._caches, self._bytes = [], 0

    @property
    def names(self):
        """The functions that are answered here, as a list of strings."""
        return list(self._functions)

    def reply(self, header, tensors):
        """Return the bytes of the frame that answers one question of a worker's."""
        out = {}
        try:
            args = [self._opened(decode(tree, tensors)) for tree in header["args"]]
            kwargs = {key: self._opened(decode(tree, tensors)) for key, tree in header["kwargs"].items()}
            with np.errstate(all="ignore"):
                value = self._functions[header["ask"]](*args, **kwargs)
            after = [given if isinstance(given, dict) else None for given in (*args, *kwargs.values())]
            return frames.pack({"value": encode(self._sealed(value), out), "after": encode(after, out)}, out)
        except ValueError as error:
            raised = str(error)
        except (TypeError, KeyError, IndexError, AttributeError, MemoryError, ValueTypeError, frames.FrameError):
            raised = f"{str(header['ask']).rpartition(':')[2][:80]} was called with arguments that it does not take"
        return frames.pack({"raised": raised}, {})

    def _opened(self, value):
        """Replace the number of a cache by the cache; ValueError where there is none."""
        if not isinstance(value, Handle):
            return value
        if not 0 <= value.number < len(self._caches):
            raise ValueError("there is no such cache")
        return self._caches[value.number]

    def _sealed(self, value):
        """Replace what is to be kept by its number."""
        if isinstance(value, tuple):
            return tuple(map(self._sealed, value))
        if not isinstance(value, Keep):
            return value
        self._bytes += sum(part.nbytes for part in value.value if isinstance(part, np.ndarray))
        if len(self._caches) >= MOST_CACHES or self._bytes > MOST_BYTES:
            raise ValueError("too many forward passes")
        self._caches.append(value.value)
        return Handle(len(self._caches) - 1, "cache")
