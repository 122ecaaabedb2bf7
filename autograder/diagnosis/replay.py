"""Replay: repeat the calls that a student's code answered with wrong versions, to find one with the same answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from autograder.assignment.variants import import_reference
from autograder.checking.pack import WrongVersion
from autograder.diagnosis.replayed_answers import (
    Answer,
    are_equal,
    equals_array,
    make_calls_key,
    read_answer,
    replay,
    visible_arguments,
)
from autograder.report.model import Diagnosis
from autograder.runtime.memo import Memo
from autograder.sandbox.worker_client import Call

MAX_MEMO_BYTES = 64 << 20
MAX_ENTRIES = 100_000  # calls with a larger array as an argument are not replayed

_answers = Memo(MAX_MEMO_BYTES)  # the answers of the reference and of wrong versions, by calls


@dataclass(frozen=True)
class Record:
    """The evidence of one criterion.

    - passed: whether the criterion holds
    - edge: whether it is an edge case
    - calls: the calls that its check made
    - array: the student's array that failed, or None
    """

    passed: bool
    edge: bool
    calls: Sequence[Call] = field(repr=False)
    array: np.ndarray | None = None

    @property
    def can_be_replayed(self) -> bool:
        """Whether there are calls with arguments of a usual size; only a student's code makes larger ones."""
        return bool(self.calls) and max(_largest((call.args, call.kwargs)) for call in self.calls) <= MAX_ENTRIES


class Match(Enum):
    """How the answer of a wrong version compares with the right answer and the student's."""

    RIGHT = "the right answer"
    STUDENT = "the student's answer, which is wrong"
    OTHER = "another wrong answer"


def find_explanations(versions: Sequence[WrongVersion], records: Sequence[Record]) -> list[tuple[Diagnosis, set[int]]]:
    """Return (Diagnosis, indices of the records that it explains); the version that explains most comes first.

    A version explains a record if it gives the student's last answer and the reference does not. A version that gives
    a wrong answer in a record that passed is excluded. Each record has at most one explanation.

    - versions: wrong versions of the code of one question
    """
    if not versions or all(record.passed for record in records):
        return []
    replayed = {i: _ReplayedRecord(r, versions[0].file) for i, r in enumerate(records) if r.can_be_replayed}
    failed = {i: each for i, each in replayed.items() if not each.record.passed}
    passed = [each for each in replayed.values() if each.record.passed]
    explained: dict[WrongVersion, set[int]] = {}
    for version in versions:
        indices = _explained_by(version, failed)
        if indices and not any(each.match(version) is Match.OTHER for each in passed):
            explained[version] = indices
            if _rank(version, indices, failed) == (len(failed), len(failed)):
                break  # no later version can explain more
    found, left = [], set().union(*explained.values())
    while left:
        best = max(explained, key=lambda version: _rank(version, explained[version] & left, failed))
        found.append((best.diagnosis, explained[best] & left))
        left -= explained[best]
    return found


def _explained_by(version: WrongVersion, failed: dict[int, "_ReplayedRecord"]) -> set[int]:
    """Return the indices of the failed records that a version explains.

    A version that fits an edge case only, and gives another wrong answer in an ordinary case, is another mistake.
    """
    ordinary = {i: each.match(version) for i, each in failed.items() if not each.record.edge}
    if Match.OTHER in ordinary.values() and Match.STUDENT not in ordinary.values():
        return set()
    matches = ordinary | {i: each.match(version) for i, each in failed.items() if each.record.edge}
    return {i for i, match in matches.items() if match is Match.STUDENT}


def _rank(version: WrongVersion, indices: set[int], failed: dict[int, "_ReplayedRecord"]) -> tuple[int, int]:
    """Rank a version by the number of records that it explains, then by how many of them it explains completely."""
    return len(indices), sum(failed[i].is_complete(version) for i in indices)


class _ReplayedRecord:
    """A record, with the student's answer and the reference's answer to its last call."""

    def __init__(self, record: Record, file: str) -> None:
        self.record = record
        self._key = make_calls_key(record.calls)
        self._reference = self._answer_of(import_reference(file), file)
        last = record.calls[-1]
        self._student = read_answer(last.result, last.returns, visible_arguments(last, last.after))
        # If the failing array is found in the answer, only this part is compared; other parts may have other mistakes.
        array = record.array
        paths = [path for path, leaf in self._student.items() if array is not None and equals_array(leaf, array)]
        self._paths = None if record.passed else paths or None
        # A right answer may differ from the reference's (a tie, a subgradient). Then wrong versions prove nothing.
        self._is_evidence = not record.passed or are_equal(self._reference, self._student)

    def match(self, version: WrongVersion) -> Match:
        """Compare the answer of a wrong version with the right answer and the student's."""
        if not self._is_evidence:
            return Match.RIGHT
        answer = self._answer_of(version.module, version.file)
        if are_equal(answer, self._reference, self._paths):
            return Match.RIGHT
        return Match.STUDENT if are_equal(answer, self._student, self._paths) else Match.OTHER

    def is_complete(self, version: WrongVersion) -> bool:
        """Return whether a version gives the whole answer of the student, not the failing array alone."""
        return are_equal(self._answer_of(version.module, version.file), self._student)

    def _answer_of(self, module: object, file: str) -> Answer:
        """Return a module's answer to the last call; equal calls are made once."""
        return _answers.get((module, file, self._key), lambda: replay(module, file, self.record.calls))


def _largest(value: object) -> int:
    """Return the size of the largest array in a value."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        return max(map(_largest, value), default=0)
    return value.size if isinstance(value, np.ndarray) else 0
