"""Follow-through credit: the judge answers for functions that are not right, so that what builds on them can be judged.

The worker's copies of these functions are replaced by proxies that call back over the pipe. No reference code enters
the sandbox: the student's code sees arguments go out and right values come back. The caches stay here.
"""

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import Handle, decode, encode

# For one worker: what is kept, and the judge's processor time. The reference's nets need 140 caches, 4 MB and 0.1 s.
MOST_CACHES, MOST_BYTES, MOST_SECONDS = 5000, 64 << 20, 10


class AskedTooMuch(Exception):
    """A worker has used up the time or the memory that the judge has for its questions."""


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
        self._caches, self._bytes, self._seconds = [], 0, 0.0
        self._random = np.random.RandomState(0).get_state()

    @property
    def names(self):
        """The functions that are answered here, as a list of strings."""
        return list(self._functions)

    def reply(self, header, tensors):
        """Return the bytes of the frame that answers one question of a worker's; AskedTooMuch after too many of them.

        Time and number end the same loop, and which is first depends on the machine: so both end it in the same way.
        """
        much = (self._seconds >= MOST_SECONDS, len(self._caches) >= MOST_CACHES, self._bytes >= MOST_BYTES)
        if any(much):
            raise AskedTooMuch
        started = time.thread_time()
        try:
            return self._reply(header, tensors)
        finally:
            self._seconds += time.thread_time() - started

    def _reply(self, header, tensors):
        out = {}
        try:
            args = [self._opened(decode(tree, tensors)) for tree in header["args"]]
            kwargs = {key: self._opened(decode(tree, tensors)) for key, tree in header["kwargs"].items()}
            with np.errstate(all="ignore"), self._own_random_numbers():
                value = self._functions[header["ask"]](*args, **kwargs)
            after = [given if isinstance(given, dict) else None for given in (*args, *kwargs.values())]
            return frames.pack({"value": encode(self._sealed(value), out), "after": encode(after, out)}, out)
        except ValueError as error:
            raised = str(error)
        except Exception:  # whoever asks may be hostile: nothing that comes of it may reach further
            raised = "a function was called with arguments that it does not take"
        return frames.pack({"raised": raised[:500]}, {})

    @contextmanager
    def _own_random_numbers(self):
        """Let NumPy's global generator be this worker's own meanwhile: the judge's stays as it is."""
        before = np.random.get_state()
        np.random.set_state(self._random)
        try:
            yield
        finally:
            self._random = np.random.get_state()
            np.random.set_state(before)

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
        self._bytes += _bytes(value.value)
        self._caches.append(value.value)
        return Handle(len(self._caches) - 1, "cache")


def _bytes(value):
    """Return the memory of a value with all that it holds, however deep that lies."""
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(map(_bytes, (*value, *value.values())))
    if isinstance(value, (list, tuple)):
        return sys.getsizeof(value) + sum(map(_bytes, value))
    return max(sys.getsizeof(value), getattr(value, "nbytes", 0))  # an array may hold the numbers of another one
