"""Follow-through: the judge answers for functions that are not right, so that functions that need them can be graded.

Proxies replace the worker's copies of these functions and call back over the pipe. No reference code enters the
sandbox: the student's process sends arguments and receives right values. The caches stay here.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import Handle, decode, encode

# For one worker: kept caches, their bytes, and the judge's processor time in seconds. The reference's largest question
# needs 140 caches, 4 MB and 0.1 s.
MOST_CACHES, MOST_BYTES, MOST_SECONDS = 5000, 64 << 20, 10


class AnswerLimitReached(Exception):
    """A worker has used up the time or the memory that the judge has for its proxies."""


@dataclass(frozen=True)
class Keep:
    """A cache that stays with the judge: the function that answers returns it wrapped in this."""

    value: Any


class Answers:
    """The functions that the judge answers for one worker, and the caches that they returned.

    - functions: "package.module:function" -> a function that does not trust its arguments: it raises ValueError for
      arguments that do not fit, and bounds its own work
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = functions
        self._caches: list[Any] = []
        self._bytes, self._seconds = 0, 0.0
        self._random = np.random.RandomState(0).get_state()

    @property
    def names(self) -> list[str]:
        """The functions that are answered here."""
        return list(self._functions)

    def reply(self, header: Mapping[str, Any], tensors: dict[str, np.ndarray]) -> bytes:
        """Return the frame that answers one call of a proxy; raise AnswerLimitReached after too many calls.

        A fast machine reaches the limit of number first, a slow one the limit of time. So both raise the same error.
        """
        if self._seconds >= MOST_SECONDS or len(self._caches) >= MOST_CACHES or self._bytes >= MOST_BYTES:
            raise AnswerLimitReached
        started = time.thread_time()
        try:
            return self._reply(header, tensors)
        finally:
            self._seconds += time.thread_time() - started

    def _reply(self, header: Mapping[str, Any], tensors: dict[str, np.ndarray]) -> bytes:
        out: dict[str, np.ndarray] = {}
        try:
            args = [self._open(decode(tree, tensors)) for tree in header["args"]]
            kwargs = {key: self._open(decode(tree, tensors)) for key, tree in header["kwargs"].items()}
            with np.errstate(all="ignore"), self._own_random_numbers():
                value = self._functions[header["ask"]](*args, **kwargs)
            after = [given if isinstance(given, dict) else None for given in (*args, *kwargs.values())]
            return frames.pack({"value": encode(self._seal(value), out), "after": encode(after, out)}, out)
        except ValueError as error:
            raised = str(error)
        except Exception:  # the caller may be hostile: no exception that it causes may reach further
            raised = "a function was called with arguments that it does not take"
        return frames.pack({"raised": raised[:500]}, {})

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        """Give NumPy's global generator the state of this worker while the block runs, then the judge's state again."""
        before = np.random.get_state()
        np.random.set_state(self._random)
        try:
            yield
        finally:
            self._random = np.random.get_state()
            np.random.set_state(before)

    def _open(self, value: Any) -> Any:
        """Return a cache for its handle, and any other value as it is; raise ValueError for an unknown handle."""
        if not isinstance(value, Handle):
            return value
        if not 0 <= value.number < len(self._caches):
            raise ValueError("there is no such cache")
        return self._caches[value.number]

    def _seal(self, value: Any) -> Any:
        """Return a handle for a cache that stays here, and any other value as it is."""
        if isinstance(value, tuple):
            return tuple(map(self._seal, value))
        if not isinstance(value, Keep):
            return value
        self._bytes += _bytes(value.value)
        self._caches.append(value.value)
        return Handle(len(self._caches) - 1, "cache")


def _bytes(value: Any) -> int:
    """Return the memory of a value with everything that it contains."""
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(map(_bytes, (*value, *value.values())))
    if isinstance(value, (list, tuple)):
        return sys.getsizeof(value) + sum(map(_bytes, value))
    return max(sys.getsizeof(value), getattr(value, "nbytes", 0))  # an array may hold the numbers of another one
