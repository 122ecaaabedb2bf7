"""Values in frames: how Python values become JSON and tensors, and back.

Numbers, strings, booleans and None are written as they are. Every other value is an object whose one key is its kind:
`array` (name of a tensor), `list`, `tuple`, `dict`, `dtype`, or `handle` (the number of an object that stays in the
worker).
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

MAX_DEPTH = 20
# The types that safetensors can store and that a grade can depend on: real numbers and booleans, in the machine's own
# byte order.
DTYPES = {
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
}


class Handle:
    """The number of a value that stays in the worker; `kind` is the name of its type."""

    def __init__(self, number: int, kind: str) -> None:
        self.number, self.kind = number, kind


class ValueTypeError(TypeError):
    """A value that cannot be put into a frame."""


def encode(value: Any, tensors: dict[str, Any], keep: Callable[[Any], Handle] | None = None, depth: int = 0) -> Any:
    """Return the JSON form of a value and put its arrays into `tensors`.

    - keep: value -> Handle, for values that no frame can contain (the worker's side); without it they are an error
    """
    if depth > MAX_DEPTH:
        raise ValueTypeError("nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        try:
            return value if isinstance(value, float) or abs(value) < 2**63 else float(value)
        except OverflowError:
            raise ValueTypeError("an integer too large for any array") from None
    if isinstance(value, Handle):
        return {"handle": value.number, "kind": value.kind}
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array": _store(value, tensors)}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return {"dtype": np.dtype(value).name}
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        items = [encode(item, tensors, keep, depth + 1) for item in value]
        return {"list" if isinstance(value, list) else "tuple": items}
    if isinstance(value, dict) and all(isinstance(key, (str, int)) for key in value):
        items = [[key, encode(item, tensors, keep, depth + 1)] for key, item in value.items()]
        return {"dict": items}
    if keep:
        return encode(keep(value), tensors)
    raise ValueTypeError(f"a {type(value).__name__} cannot travel")


def decode(tree: Any, tensors: dict[str, Any], depth: int = 0) -> Any:
    """Return the value that `encode` made this tree from; raise ValueTypeError for anything else. Trusts nothing.

    The arrays that it returns are removed from `tensors`.
    """
    if depth > MAX_DEPTH:
        raise ValueTypeError("nested too deeply")
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    if not isinstance(tree, dict) or not tree:
        raise ValueTypeError("a malformed value")
    kind = next(iter(tree))
    content = tree[kind]
    if kind == "array" and isinstance(content, str) and content in tensors:
        # Removed: one array named a thousand times would be a thousand arrays in a copy of the value.
        array = tensors.pop(content)
        if array.dtype.name not in DTYPES:  # safetensors itself carries complex numbers too
            raise ValueTypeError("an array of no known dtype")
        return array
    if kind == "handle" and isinstance(content, int):
        return Handle(content, str(tree.get("kind", ""))[:80].encode("utf-8", "backslashreplace").decode())
    if kind == "dtype" and isinstance(content, str) and content in DTYPES:
        return np.dtype(content).type
    if kind in ("list", "tuple") and isinstance(content, list):
        items = [decode(item, tensors, depth + 1) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "dict" and isinstance(content, list):
        return {key: decode(item, tensors, depth + 1) for key, item in _pairs(content)}
    raise ValueTypeError("a malformed value")


def _pairs(content: list[Any]) -> Iterator[list[Any]]:
    for pair in content:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], (str, int))):
            raise ValueTypeError("a malformed dictionary")
        yield pair


def _store(value: Any, tensors: dict[str, Any]) -> str:
    # A plain copy of the numbers, without the attributes of a subclass.
    array = np.array(value, order="C", copy=True, subok=False)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.name not in DTYPES:
        raise ValueTypeError(f"an array of dtype {array.dtype}, where real numbers are expected")
    name = f"t{len(tensors)}"
    tensors[name] = array
    return name
