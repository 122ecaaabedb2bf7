"""Compare two reports without times and versions; numbers may differ by rounding.

Processors differ in the last digits of a product, and a golden report of one machine must be valid on another machine.
Texts are compared word by word, and the numbers in them as numbers. An array is stored as its shape and two sums.
"""

import math
import re

import numpy as np

RTOL = 1e-3  # of a number in a report
NOISE = 1e-6  # a relative error below this is rounding
# Of limits, what the reference took and whether there was a second try depend on the machine.
_LEFT_OUT = {"limits", "seconds", "graded_at", "kit", "isolation", "sha256", "digest"}
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)")
_MEASURED = re.compile(r"(The reference took|; the reference takes less than)[^.;]*(?:\.\d[^.;]*)*")
_ACCURACY = re.compile(r"\d+ of (\d+ images .*? right) \([\d.]+%\)")  # of a model that was trained on this machine


def summary(fields):
    """Return the fields of a report without the parts that differ between two runs or machines."""
    if isinstance(fields, dict):
        if set(fields) == {"shape", "dtype", "values"}:
            return {"shape": fields["shape"], "dtype": fields["dtype"], **_sums(fields["values"])}
        kept = {key: summary(value) for key, value in fields.items() if key not in _LEFT_OUT}
        if kept.get("worst_index") and (kept.get("max_rel_error") or 0) < NOISE:
            del kept["worst_index"]  # of rounding errors, which one is the largest depends on the processor
        return kept
    if isinstance(fields, list):
        return _sums(fields) if _is_numeric(fields) and len(fields) > 4 else [summary(value) for value in fields]
    return _ACCURACY.sub(r"\1", _MEASURED.sub(r"\1 ...", fields)) if isinstance(fields, str) else fields


def differences(golden, current, where=""):
    """Return one sentence for each place in which two summaries differ; rounding is no difference."""
    if isinstance(golden, dict) and isinstance(current, dict):
        found = [f"{where}/{key}: no longer there" for key in golden if key not in current]
        found += [f"{where}/{key}: new: {current[key]!r:.200}" for key in current if key not in golden]
        for key in golden:
            if key in current:
                found += differences(golden[key], current[key], f"{where}/{key}")
        return found
    if isinstance(golden, list) and isinstance(current, list) and len(golden) == len(current):
        return [
            sentence
            for at, (one, other) in enumerate(zip(golden, current, strict=True))
            for sentence in differences(one, other, f"{where}/{_name_of(one, at)}")
        ]
    return [] if _same(golden, current) else [f"{where}:\n    golden:  {golden!r}\n    current: {current!r}"]


def _name_of(item, at):
    """Return the name of an entry of a list: its id or name, else its position."""
    return str(item.get("id") or item.get("name") or at) if isinstance(item, dict) else str(at)


def _same(golden, current):
    if isinstance(golden, str) and isinstance(current, str):
        words = _NUMBER.split(golden) == _NUMBER.split(current)
        numbers = zip(_NUMBER.findall(golden), _NUMBER.findall(current), strict=False)
        return words and all(_close(float(one), float(other)) for one, other in numbers)
    if _is_number(golden) and _is_number(current):
        return _close(golden, current)
    return type(golden) is type(current) and golden == current


def _close(one, other):
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    return (abs(one) < NOISE and abs(other) < NOISE) or math.isclose(one, other, rel_tol=RTOL)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_numeric(value):
    return all(_is_numeric(item) if isinstance(item, list) else _is_number(item) for item in value)


def _sums(values):
    """Return an array's number of entries, their sum and the sum of their sizes."""
    flat = _flat(values)
    if not all(map(_is_number, flat)):
        return {"values": [summary(value) for value in flat[:20]], "count": len(flat)}
    array = np.array(flat, dtype=np.float64)
    size = float(np.abs(array).sum())
    return {"count": len(flat), "size": float(f"{size:.6g}"), "mean": float(f"{array.sum() / max(size, 1e-300):.4g}")}


def _flat(values):
    return [leaf for item in values for leaf in _flat(item)] if isinstance(values, list) else [values]
