"""The arguments of a criterion's calls to the student's code, as data for the TA."""

import math

import numpy as np

from autograder.sandbox.worker.values import Handle

MOST_CALLS, MOST_NUMBERS, MOST_KEYS = 2, 400, 20  # of one criterion; of one array; of one dictionary or list


def inputs_of(calls):
    """Return the last calls as [{"call": name, "arguments": [...]}], arrays as {"shape", "dtype", "values"}.

    Of a large array the first entries are kept, in a flat list.
    """
    return [{"call": _name(call.target), "arguments": _arguments(call)} for call in calls[-MOST_CALLS:]]


def _name(target):
    return target if isinstance(target, str) else f"{target[0].kind}.{'.'.join(target[1:])}"


def _arguments(call):
    named = [{"name": name, "value": _shown(value)} for name, value in call.kwargs.items()]
    return [{"value": _shown(value)} for value in call.args] + named


def _shown(value):
    if isinstance(value, np.ndarray):
        kept = value if value.size <= MOST_NUMBERS else value.reshape(-1)[:MOST_NUMBERS]
        numbers = kept.tolist() if np.isfinite(kept).all() else np.vectorize(repr)(kept).tolist()
        return {"shape": list(value.shape), "dtype": value.dtype.name, "values": numbers}
    if isinstance(value, Handle):
        return f"<{value.kind} kept from an earlier call>"
    if isinstance(value, dict):
        return {str(key)[:80]: _shown(item) for key, item in list(value.items())[:MOST_KEYS]}
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value[:MOST_KEYS]]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return value[:MOST_NUMBERS]
    return value if isinstance(value, (bool, int, float, str)) or value is None else getattr(value, "__name__", "")
