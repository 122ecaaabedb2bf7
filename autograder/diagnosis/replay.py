"""Which misconception explains what a student's code answered: the same calls, put to wrong versions of the code."""

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.assignment.variants import get_module_name, import_reference
from autograder.checking.compare import RTOL, RTOL_FLOAT32, relative_error
from autograder.runtime.memo import Memo, make_key
from autograder.sandbox.worker.values import Handle
from autograder.sandbox.worker_client import CallError

MISSING = object()
MOST_BYTES = 64 << 20  # of answers that are kept
LARGEST = 100_000  # entries of an argument
EXPLAINS, SHOWS = "explains", "shows"

_answers = Memo(MOST_BYTES)  # of the reference and its wrong versions, by calls


@dataclass(frozen=True)
class Record:
    """What one criterion saw: whether it held, the student.Calls it made, and the array it failed on, or None.

    - edge: whether it is an edge case
    """

    passed: bool
    edge: bool
    calls: list = field(repr=False)
    array: Any = None

    @property
    def can_be_replayed(self):
        """Whether there are calls, and none with an array larger than any check makes: it is the student's doing."""
        return bool(self.calls) and max(_largest((call.args, call.kwargs)) for call in self.calls) <= LARGEST


def _largest(value):
    """Return the size of the largest array in a value."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        return max(map(_largest, value), default=0)
    return value.size if isinstance(value, np.ndarray) else 0


def explanations(versions, records):
    """Return [(Diagnosis, indices of the records it explains)], the one that explains most first.

    A version explains a record where it gives the student's last answer and the reference does not. It is out where it
    would also have shown in a record that passed. Each record is explained once.

    - versions: wrong versions of the code of one question: each has a `file`, a `module` and a `diagnosis`
    """
    if not versions or all(record.passed for record in records):
        return []
    file = versions[0].file
    tellings = {at: _Telling(record, file) for at, record in enumerate(records) if record.can_be_replayed}
    failed = {at: telling for at, telling in tellings.items() if not telling.record.passed}
    passed = [telling for telling in tellings.values() if telling.record.passed]
    explained = {}
    for version in versions:
        # What fits an edge case only, and not the ordinary one that it would show in, is another mistake.
        seen = {at: telling.of(version) for at, telling in failed.items() if not records[at].edge}
        if SHOWS in seen.values() and EXPLAINS not in seen.values():
            continue
        seen |= {at: telling.of(version) for at, telling in failed.items() if records[at].edge}
        places = {at for at, effect in seen.items() if effect == EXPLAINS}
        if not places:
            continue
        if not any(telling.of(version) == SHOWS for telling in passed):
            explained[version] = places
    found, left = [], set().union(*explained.values())
    while left:
        best = max(explained, key=lambda version: _weight(version, explained[version] & left, failed))
        found.append((best.diagnosis, explained[best] & left))
        left -= explained[best]
    return found


def _weight(version, places, failed):
    """Rank a version by how many records it explains, and then by how many to the last number of the answer."""
    return len(places), sum(failed[at].is_whole(version) for at in places)


class _Telling:
    """One record, with what the reference answers to the same calls."""

    def __init__(self, record, file):
        self.record = record
        self._calls_identity = _identity_of_calls(record.calls)
        self.right = self._answer_of(import_reference(file), file)
        last = record.calls[-1]
        self.theirs = _leaves(last.result, last.returns, _seen_after(last, last.after))
        # The failing array alone, where it can be found: the other parts of the answer may be wrong for other reasons.
        held = [path for path, leaf in self.theirs.items() if record.array is not None and _is(leaf, record.array)]
        self.paths = None if record.passed else held or None
        # Where a right answer is not the reference's (a tie, a subgradient), versions of the reference tell nothing.
        self.tells = not record.passed or _alike(self.right, self.theirs)

    def of(self, version):
        """Say whether a wrong version EXPLAINS the answer, SHOWS in another way, or (None) answers what is right."""
        if not self.tells:
            return None
        seen = self._answer_of(version.module, version.file)
        if _alike(seen, self.right, self.paths):
            return None
        return EXPLAINS if _alike(seen, self.theirs, self.paths) else SHOWS

    def is_whole(self, version):
        """Say whether a version gives all that the student's code answered, not the failing array alone."""
        return _alike(self._answer_of(version.module, version.file), self.theirs)

    def _answer_of(self, module, file):
        """Return the leaves of what a module answers to the last call; the same calls are put to it once."""
        key = module, file, self._calls_identity
        return _answers.get(key, lambda: _last_answer(module, file, self.record.calls))


def _identity_of_calls(calls):
    """Return a key that two lists of calls share only where a module answers both alike.

    The numbers of handles do not count: they go on from one criterion to the next.
    """
    numbers = {}

    def renumbered(value):
        if isinstance(value, Handle):
            return Handle, numbers.setdefault(value.number, len(numbers))
        if isinstance(value, (list, tuple)):
            return type(value), [renumbered(item) for item in value]
        if isinstance(value, dict):
            return dict, [(key, renumbered(item)) for key, item in value.items()]
        return value

    def kept(answered):
        """Return which parts of an answer stay in the worker."""
        if isinstance(answered, tuple):
            return [kept(part) for part in answered]
        return renumbered(answered) if isinstance(answered, Handle) else None

    return make_key(
        [
            (
                renumbered(call.target),
                renumbered(call.args),
                renumbered(call.kwargs),
                call.returns,
                call.is_call,
                call.after is None,
                kept(call.result),
            )
            for call in calls
        ]
    )


def _last_answer(module, file, calls):
    """Return the leaves of what a module answers to the last of these calls."""
    name, kept, last = get_module_name(file), {}, None
    for call in calls:
        args = []
        try:
            args = [_opened(value, kept) for value in call.args]
            kwargs = {key: _opened(value, kept) for key, value in call.kwargs.items()}
            target = _target(call.target, name, module, kept)
            with np.errstate(all="ignore"):
                value = target(*args, **kwargs) if call.is_call else target
            _keep(value, call.result, kept)
        except Exception as error:  # a wrong version may raise: that is its answer, as it may be the student's
            value = error
        last = _leaves(value, call.returns, _seen_after(call, args))
    return last


def _seen_after(call, arguments):
    """Return the arguments as they are after a call, without those that the worker keeps, whose layout is its own."""
    if call.after is None:
        return None
    return [given if isinstance(given, Handle) else after for given, after in zip(call.args, arguments)]


def _target(target, name, module, kept):
    if isinstance(target, str):
        where, _, path = target.partition(":")
        value, names = module if where == name else importlib.import_module(where), path.split(".")
    else:
        value, names = kept[target[0].number], target[1:]
    for part in names:
        value = getattr(value, part)
    return value


def _opened(value, kept):
    """Return an argument as this process can use it: handles opened, arrays copied, since a callee may change them."""
    if isinstance(value, Handle):
        return kept[value.number]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return type(value)(_opened(item, kept) for item in value)
    if isinstance(value, dict):
        return {key: _opened(item, kept) for key, item in value.items()}
    return value


def _keep(value, answered, kept):
    """Remember what the student's worker keeps under the same number."""
    if isinstance(answered, Handle):
        kept[answered.number] = value
    elif isinstance(answered, tuple) and isinstance(value, (tuple, list)):
        for part, theirs in zip(value, answered):
            _keep(part, theirs, kept)


def _leaves(value, returns, after=None):
    """Return {path: array or other value} of an answer, without what stays in the worker; of an error what it is."""
    if isinstance(value, CallError):
        return {("raised",): value.raised}
    if isinstance(value, Exception):
        return {("raised",): raised_as(value)}
    found = {}

    def walk(path, value, returns):
        if returns == "handle":
            return
        if isinstance(value, (tuple, list)) and len(value) < 50:
            each = returns if isinstance(returns, list) and len(returns) == len(value) else ["value"] * len(value)
            for at, item in enumerate(value):
                walk((*path, at), item, each[at])
        elif isinstance(value, dict) and len(value) < 50:
            for key, item in value.items():
                walk((*path, key), item, "value")
        elif isinstance(value, (np.ndarray, np.generic, int, float, str)) or value is None:
            found[path] = value

    walk(("value",), value, returns)
    walk(("after",), after or [], "value")
    return found


def raised_as(error):
    """Return what two exceptions have in common that are the same mistake: type and first line."""
    return type(error).__name__, str(error).strip().partition("\n")[0]


def _is(leaf, array):
    """Say whether a leaf is the very array that a criterion failed on."""
    if not isinstance(leaf, (np.ndarray, np.generic, int, float)) or isinstance(leaf, str):
        return False
    leaf = np.asarray(leaf)
    return leaf.size == array.size and np.array_equal(leaf.reshape(array.shape), array, equal_nan=True)


def _alike(one, other, paths=None):
    """Say whether two answers are the same, as far as both can be seen, or at these paths."""
    if paths is None:
        paths = set(one) | set(other)
    return all(_equal(one.get(path, MISSING), other.get(path, MISSING)) for path in paths)


def _equal(one, other):
    numbers = (np.ndarray, np.generic, int, float)
    if not isinstance(one, numbers) or not isinstance(other, numbers):
        return one is other or (type(one) is type(other) and one == other)
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    rtol = RTOL if one.dtype.itemsize == other.dtype.itemsize == 8 else RTOL_FLOAT32
    one, other = one.astype(np.float64), other.astype(np.float64)
    odd = ~(np.isfinite(one) & np.isfinite(other))
    if not np.array_equal(one[odd], other[odd], equal_nan=True):
        return False
    return bool(np.all(relative_error(one[~odd], other[~odd]) <= rtol))
