"""Results of pure functions, kept for the next call with the same arguments.

A Memo lives as long as the process, so a class graded by one process shares what depends on hidden inputs alone. Keys
hold digests of arrays and not the arrays; what is kept has a bound in bytes.
"""

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

ENTRY_BYTES = 500  # what a key and small objects take, beside the arrays of a result


class Memo:
    """Results by key; the least recently used ones are dropped where they take more than `most_bytes`."""

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Return the result that is kept under `key`, or that of compute(), which is kept from now on.

        Whoever gets a result must not change it. What compute() raises is raised, and nothing is kept.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        value = compute()
        size = ENTRY_BYTES + array_bytes(value)
        if size <= self.most_bytes:
            self._kept[key] = value, size
            self.bytes += size
            while self.bytes > self.most_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self.bytes -= dropped
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.bytes = 0


def identity_of(value: Any) -> Hashable:
    """Return a key that two values share only where they are the same.

    Arrays count by type, shape and bytes (as a SHA-256 digest), containers and dataclasses by what they hold. Anything
    else counts as itself: a function is the same as another one only where it is the very same object.
    """
    if isinstance(value, np.ndarray):
        return "array", value.dtype.str, value.shape, hashlib.sha256(np.ascontiguousarray(value)).digest()
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(identity_of, value))
    if isinstance(value, dict):
        return dict, tuple((key, identity_of(item)) for key, item in value.items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return type(value), tuple(identity_of(getattr(value, each.name)) for each in fields)
    if isinstance(value, (int, float, complex, np.generic)):
        return type(value), repr(value)  # 1, 1.0 and True are equal and not the same; nor are 0.0 and -0.0
    return value


def array_bytes(value: Any) -> int:
    """Return the bytes of all arrays and texts in a value."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, (bytes, str)):
        return len(value)
    if isinstance(value, dict):
        return sum(array_bytes(each) for item in value.items() for each in item)
    if isinstance(value, (list, tuple)):
        return sum(map(array_bytes, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return sum(array_bytes(getattr(value, each.name)) for each in dataclasses.fields(value))
    return 0
