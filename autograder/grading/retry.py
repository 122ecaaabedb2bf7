"""A retry, where a limit may have been reached because the machine is slow or busy.

The first limits come from what the reference took on the authors' machine. When one of them is reached, the reference
is measured here and now, while no other submission of this run is judged. If its cost asks for higher limits, or if the
machine was busy while time ran out, the question is tried once more. Otherwise the first limits were as ample as they
should be, and a retry would end as the first try did.

Where other submissions are judged at the same time, nothing can be measured: `RetryLater` gives the submission up, and
grading/pool.py judges it again from the start, alone, after all others. So a question that builds on the
retried one sees the final verdict, and nothing unfinished is ever on file.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from autograder.assignment.manifest import Question
from autograder.grading.calibrate import reference_cost
from autograder.grading.prepared import Prepared
from autograder.grading.question import Examined, examine
from autograder.report.model import QuestionResult
from autograder.runtime.machine import is_loaded
from autograder.sandbox import cgroup

MOST_FRUITLESS = 3
_LIMITED = {"timeout": "time", "memory": "memory"}  # the limit that a verdict stands for where a check gives it


class RetryLater(Exception):
    """A limit was reached while other submissions were judged: judge this one again when it is the only one."""


class FairExaminer:
    """Examines the questions of one submission, one twice where that is fair.

    - alone: no other submission of this run is judged meanwhile; else the first limit reached raises RetryLater

    A code file that never ends when it is imported would be tried twice for each of its questions; so after
    MOST_FRUITLESS second tries that ended as the first did, a busy machine alone is no reason for another.
    """

    def __init__(self, prepared: Prepared, alone: bool = True) -> None:
        self._prepared, self._alone = prepared, alone
        self._fruitless = 0

    def examine(self, question: Question, done: Sequence[QuestionResult]) -> Examined:
        """Judge one question as question.examine does and return its Examined."""
        examined = examine(question, self._prepared, done)
        reached = _reached(examined.attempts)
        if not reached:
            return examined
        if not self._alone:
            raise RetryLater
        busy = "time" in reached and self._fruitless < MOST_FRUITLESS and is_loaded()
        cost = reference_cost(question, self._prepared.setting)
        limits = question.limits.raise_to_cost(cost) if cost else question.limits
        again = busy or any(_are_higher(limits, question.limits, limit) for limit in reached)
        if again:
            examined = examine(replace(question, limits=limits), self._prepared, done)
            self._fruitless += bool(_reached(examined.attempts))
        account = _account(limits if again else question.limits, cost, again)
        return replace(examined, result=replace(examined.result, limits=account))


def _reached(attempts):
    """Return which limits were reached, of "time" and "memory"."""
    limited = [attempt for attempt in attempts if attempt.verdict in _LIMITED]
    return {each.error.limit if each.error else _LIMITED[each.verdict] for each in limited} - {None}


def _are_higher(limits, others, limit):
    """Say whether limits allow more than others of "time" or of "memory"."""
    if limit == "memory":
        return _memory_mb(limits) > _memory_mb(others)
    return limits.cpu_seconds > others.cpu_seconds or limits.wall_seconds > others.wall_seconds


def _memory_mb(limits):
    """Return the memory limit that counts on this machine."""
    return limits.address_mb if cgroup.why_not() else limits.memory_mb


def _account(limits, cost, again):
    """Return what a report says of the limits that were reached."""
    memory_mb = _memory_mb(limits)
    took = ""
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
        "reference": cost and asdict(cost),
        "text": tried + took,
    }
