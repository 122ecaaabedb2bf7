"""The visible parts of an answer to the last of several calls, by the student's code or by a module of the grader."""

import importlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from autograder.assignment.variants import get_module_name
from autograder.checking.compare import relative_error, rtol_of
from autograder.runtime.memo import make_key
from autograder.sandbox.call import Call, CallError, Returns, Target
from autograder.sandbox.worker.values import Handle

MAX_PARTS = 50  # the parts of a longer tuple, list or dictionary are not read
Path = tuple[Hashable, ...]
Answer = dict[Path, Any]  # {path: array, number, text or None}, or the type and message of an exception

_MISSING = object()
_NUMBERS = (np.ndarray, np.generic, int, float)


def replay(module: object, file: str, calls: Sequence[Call]) -> Answer:
    """Make the calls with the functions of a module, and return its answer to the last one.

    - module: the reference, or a wrong version
    - file: the file of the reference that the module replaces
    """
    name, kept, answer = get_module_name(file), {}, {}
    for call in calls:
        args: list[Any] = []
        try:
            args = [_open_handles(value, kept) for value in call.args]
            kwargs = {key: _open_handles(value, kept) for key, value in call.kwargs.items()}
            target = _find_target(call.target, name, module, kept)
            with np.errstate(all="ignore"):
                value = target(*args, **kwargs) if call.is_call else target
            _keep(value, call.result, kept)
        except Exception as error:  # a wrong version may raise; the exception is its answer
            value = error
        answer = read_answer(value, call.returns, visible_arguments(call, args))
    return answer


def read_answer(value: Any, returns: Returns, arguments: Sequence[Any] | None = None) -> Answer:
    """Return the visible parts of an answer, without the values that stay in the worker.

    - returns: the requested forms, as in sandbox.call.Call
    - arguments: the visible arguments after the call
    """
    if isinstance(value, CallError):
        return {("raised",): value.raised}
    if isinstance(value, Exception):
        return {("raised",): describe_exception(value)}
    found: Answer = {}

    def walk(path: Path, value: Any, returns: Returns) -> None:
        if returns == "handle":
            return
        if isinstance(value, (tuple, list)) and len(value) < MAX_PARTS:
            each = returns if isinstance(returns, list) and len(returns) == len(value) else ["value"] * len(value)
            for position, item in enumerate(value):
                walk((*path, position), item, each[position])
        elif isinstance(value, dict) and len(value) < MAX_PARTS:
            for key, item in value.items():
                walk((*path, key), item, "value")
        elif isinstance(value, (*_NUMBERS, str)) or value is None:
            found[path] = value

    walk(("value",), value, returns)
    walk(("after",), arguments or [], "value")
    return found


def visible_arguments(call: Call, arguments: Sequence[Any] | None) -> list[Any] | None:
    """Return the arguments after a call, with handles for values in the worker; None if nobody requested them."""
    if call.after is None or arguments is None:
        return None
    return [given if isinstance(given, Handle) else after for given, after in zip(call.args, arguments, strict=False)]


def describe_exception(error: Exception) -> tuple[str, str]:
    """Return the type and the first line of an exception; two exceptions that share them count as equal."""
    return type(error).__name__, str(error).strip().partition("\n")[0]


def make_calls_key(calls: Sequence[Call]) -> Hashable:
    """Return a key that two lists of calls share only if a module gives both the same answer.

    The numbers of handles are replaced, because they differ from one criterion to the next.
    """
    numbers: dict[int, int] = {}

    def renumber(value: Any) -> Any:
        """Return a value with handles numbered in the order of their first use."""
        if isinstance(value, Handle):
            return Handle, numbers.setdefault(value.number, len(numbers))
        if isinstance(value, (list, tuple)):
            return type(value), [renumber(item) for item in value]
        if isinstance(value, dict):
            return dict, [(key, renumber(item)) for key, item in value.items()]
        return value

    def kept_parts(answer: Any) -> Any:
        """Return the parts of an answer that stay in the worker."""
        if isinstance(answer, tuple):
            return [kept_parts(part) for part in answer]
        return renumber(answer) if isinstance(answer, Handle) else None

    def describe(call: Call) -> tuple[Any, ...]:
        request = renumber(call.target), renumber(call.args), renumber(call.kwargs)
        return (*request, call.returns, call.is_call, call.after is None, kept_parts(call.result))

    return make_key([describe(call) for call in calls])


def are_equal(one: Answer, other: Answer, paths: Iterable[Path] | None = None) -> bool:
    """Return whether two answers are equal, in all their parts or at these paths."""
    if paths is None:
        paths = set(one) | set(other)
    return all(_are_values_equal(one.get(path, _MISSING), other.get(path, _MISSING)) for path in paths)


def equals_array(leaf: Any, array: np.ndarray) -> bool:
    """Return whether a part of an answer is exactly the array that a criterion failed on."""
    if not isinstance(leaf, _NUMBERS):
        return False
    leaf = np.asarray(leaf)
    return leaf.size == array.size and np.array_equal(leaf.reshape(array.shape), array, equal_nan=True)


def _are_values_equal(one: Any, other: Any) -> bool:
    if not isinstance(one, _NUMBERS) or not isinstance(other, _NUMBERS):
        return one is other or (type(one) is type(other) and one == other)
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    rtol = max(rtol_of(one), rtol_of(other))
    one, other = one.astype(np.float64), other.astype(np.float64)
    is_finite = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(one[~is_finite], other[~is_finite], equal_nan=True):
        return False
    return bool(np.all(relative_error(one[is_finite], other[is_finite]) <= rtol))


def _find_target(target: Target, name: str, module: object, kept: dict[int, Any]) -> Any:
    """Return the function or attribute that a call names.

    - name: the name of the module that `module` replaces
    - kept: {number of a handle: value}
    """
    if isinstance(target, str):
        module_name, _, path = target.partition(":")
        value, names = module if module_name == name else importlib.import_module(module_name), path.split(".")
    else:
        value, names = kept[target[0].number], target[1:]
    for part in names:
        value = getattr(value, part)
    return value


def _open_handles(value: Any, kept: dict[int, Any]) -> Any:
    """Return an argument with values in place of handles, and with copies of arrays, which a function may change."""
    if isinstance(value, Handle):
        return kept[value.number]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return type(value)(_open_handles(item, kept) for item in value)
    if isinstance(value, dict):
        return {key: _open_handles(item, kept) for key, item in value.items()}
    return value


def _keep(value: Any, answer: Any, kept: dict[int, Any]) -> None:
    """Keep those parts of a value that the student's worker kept, under the same numbers.

    - answer: the student's answer to the same call
    """
    if isinstance(answer, Handle):
        kept[answer.number] = value
    elif isinstance(answer, tuple) and isinstance(value, (tuple, list)):
        for part, student_part in zip(value, answer, strict=False):
            _keep(part, student_part, kept)
