"""The inputs of a criterion: the arguments of its calls to the student's code, as plain data for the TA."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograder.sandbox.call import Call, Target
from autograder.sandbox.worker.values import Handle

MAX_CALLS = 2  # for one criterion
MAX_NUMBERS = 400  # for one array; also the number of characters of one text
MAX_ITEMS = 20  # for one dictionary, list or tuple
MAX_KEY = 80  # characters


def describe_inputs(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Return the last calls as [{"call": name, "arguments": [...]}], with arrays as {"shape", "dtype", "values"}.

    For a large array, "values" is a flat list of the first entries.
    """
    return [{"call": _name_target(call.target), "arguments": _describe_arguments(call)} for call in calls[-MAX_CALLS:]]


def _name_target(target: Target) -> str:
    return target if isinstance(target, str) else f"{target[0].kind}.{'.'.join(target[1:])}"


def _describe_arguments(call: Call) -> list[dict[str, Any]]:
    named = [{"name": name, "value": _describe_value(value)} for name, value in call.kwargs.items()]
    return [{"value": _describe_value(value)} for value in call.args] + named


def _describe_value(value: Any) -> Any:
    """Return a value as data that JSON can hold."""
    match value:
        case np.ndarray():
            return _describe_array(value)
        case Handle():
            return f"<{value.kind} kept from an earlier call>"
        case dict():
            return {str(key)[:MAX_KEY]: _describe_value(item) for key, item in _first(value.items())}
        case list() | tuple():
            return [_describe_value(item) for item in _first(value)]
        case str():
            return value[:MAX_NUMBERS]
        case float() if not math.isfinite(value):
            return repr(value)
        case bool() | int() | float() | None:
            return value
    return getattr(value, "__name__", "")


def _describe_array(array: np.ndarray) -> dict[str, Any]:
    kept = array if array.size <= MAX_NUMBERS else array.reshape(-1)[:MAX_NUMBERS]
    values = kept.tolist() if np.isfinite(kept).all() else np.vectorize(repr)(kept).tolist()
    return {"shape": list(array.shape), "dtype": array.dtype.name, "values": values}


def _first(items: Iterable[Any]) -> list[Any]:
    return list(items)[:MAX_ITEMS]
