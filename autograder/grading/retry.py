"""A retry, where a limit may have been reached because the machine is slow or busy.

The first limits come from the cost of the reference on the authors' machine. When a question reaches one of them, the
reference is measured now, on this machine, while no other submission of this run is judged. The question is tried
again if this cost asks for higher limits, or if the machine was busy while time ran out. Otherwise the first limits
were high enough, and a retry would end like the first try.

While other submissions are judged, nothing can be measured. `RetryLater` then gives the submission up, and
grading/pool.py judges it again from the start, alone, after all others. So a question that builds on the retried one
sees its final verdict, and no unfinished report is ever written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from autograder.assignment.limits import Cost, Limits
from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.grading.calibrate import reference_cost
from autograder.grading.prepared import Prepared
from autograder.grading.question import Examined, examine
from autograder.report.model import QuestionResult
from autograder.runtime.machine import is_loaded
from autograder.sandbox import cgroup

MAX_FRUITLESS = 3  # retries of one submission that ended like the first try
Limit = Literal["time", "memory"]
_LIMIT_OF: dict[str, Limit] = {"timeout": "time", "memory": "memory"}  # for a verdict that a check gives itself


class RetryLater(Exception):
    """A limit was reached while other submissions were judged: judge this one again when it is the only one."""


class RetryingExaminer:
    """Examines the questions of one submission, and a question again if that is fair.

    - alone: no other submission of this run is judged meanwhile; otherwise the first limit reached raises RetryLater

    A file that never ends when it is imported would get a retry for each of its questions. So after MAX_FRUITLESS
    retries that ended like the first try, a busy machine alone is no reason for another one.
    """

    def __init__(self, prepared: Prepared, alone: bool = True) -> None:
        self._prepared, self._alone = prepared, alone
        self._fruitless = 0

    def examine(self, question: Question, done: Sequence[QuestionResult]) -> Examined:
        """Judge one question as question.examine does and return its Examined."""
        examined = examine(question, self._prepared, done)
        reached = _find_reached(examined.attempts)
        if not reached:
            return examined
        if not self._alone:
            raise RetryLater
        busy = "time" in reached and self._fruitless < MAX_FRUITLESS and is_loaded()
        cost = reference_cost(question, self._prepared.setting)
        limits = question.limits.raise_to_cost(cost) if cost else question.limits
        again = busy or any(_are_higher(limits, question.limits, limit) for limit in reached)
        if again:
            examined = examine(replace(question, limits=limits), self._prepared, done)
            self._fruitless += bool(_find_reached(examined.attempts))
        account = _describe(limits if again else question.limits, cost, again)
        return replace(examined, result=replace(examined.result, limits=account))


def _find_reached(attempts: Iterable[Attempt]) -> set[Limit]:
    """Return the limits that the attempts reached."""
    reached = set()
    for attempt in attempts:
        if attempt.verdict in _LIMIT_OF:
            reached.add(attempt.error.limit if attempt.error else _LIMIT_OF[attempt.verdict])
    return reached - {None}


def _are_higher(limits: Limits, others: Limits, limit: Limit) -> bool:
    """Say whether `limits` allow more time, or more memory, than `others`."""
    if limit == "memory":
        return _memory_mb(limits) > _memory_mb(others)
    return limits.cpu_seconds > others.cpu_seconds or limits.wall_seconds > others.wall_seconds


def _memory_mb(limits: Limits) -> int:
    """Return the memory limit that counts on this machine."""
    return limits.address_mb if cgroup.why_not() else limits.memory_mb


def _describe(limits: Limits, cost: Cost | None, again: bool) -> dict[str, Any]:
    """Return the report's account of the limits that were reached.

    - cost: of the reference, or None if it did not pass
    - again: whether there was a retry
    """
    memory_mb, took = _memory_mb(limits), ""
    if cost:
        peak = cost.address_mb if cgroup.why_not() else cost.memory_mb
        took = f" The reference took {cost.cpu_seconds:.2f} s, {cost.wall_seconds:.2f} s and {peak:.0f} MB here."
    allowed = f"{limits.cpu_seconds} s of processor time, {limits.wall_seconds} s on the clock and {memory_mb} MB"
    tried = f"Tried twice, the second time alone on the machine, with {allowed}." if again else f"Tried with {allowed}."
    return {
        "tries": 1 + again,
        "cpu_seconds": limits.cpu_seconds,
        "wall_seconds": limits.wall_seconds,
        "memory_mb": memory_mb,
        "reference": asdict(cost) if cost else None,
        "text": tried + took,
    }
