"""Retry a question that reached a limit, because the machine may be slow or busy.

The first limits come from the cost of the reference on the authors' machine. If a question reaches one of them, the
reference is measured again on this machine, while no other submission of this run is judged. There is a retry if the
measured cost requires higher limits, or if the machine was busy while time ran out. Otherwise the first limits were
high enough, and a retry would end like the first try.

While other submissions are judged, no measurement is valid. Then `RetryLater` ends the judging of this submission, and
grading/pool.py judges it again from the start, alone, after all others. So a question that needs the retried question
gets its final verdict, and no incomplete report is ever written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from autograder.assignment.limits import Cost, Limits
from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.grading.calibrate import measure_reference
from autograder.grading.prepared import PreparedSubmission
from autograder.grading.question import JudgedQuestion, judge_question
from autograder.report.model import QuestionResult
from autograder.runtime.machine_load import is_loaded
from autograder.sandbox import cgroup
from autograder.sandbox.call import Limit

MAX_USELESS_RETRIES = 3  # retries of one submission that reached a limit again
_LIMIT_OF: dict[str, Limit] = {"timeout": "time", "memory": "memory"}  # for a verdict from a check, without a CallError


class RetryLater(Exception):
    """The submission reached a limit while others were judged; judge it again when no other one is judged."""


class RetryingJudge:
    """Judges the questions of one submission, with a retry if a limit may have been too low.

    - alone: whether no other submission of this run is judged at the same time; if not, a limit raises RetryLater

    A file whose import never ends would get a retry for each of its questions. So after MAX_USELESS_RETRIES retries, a
    busy machine is no longer a reason for another one.
    """

    def __init__(self, prepared: PreparedSubmission, alone: bool = True) -> None:
        self._prepared, self._alone = prepared, alone
        self._useless_retries = 0

    def judge_question(self, question: Question, results: Sequence[QuestionResult]) -> JudgedQuestion:
        """Judge one question as question.judge_question does, with a retry if necessary."""
        judged = judge_question(question, self._prepared, results)
        reached = _find_reached(judged.attempts)
        if not reached:
            return judged
        if not self._alone:
            raise RetryLater
        busy = "time" in reached and self._useless_retries < MAX_USELESS_RETRIES and is_loaded()
        cost = measure_reference(question, self._prepared.setting)
        limits = question.limits.raise_to_cost(cost) if cost else question.limits
        again = busy or any(_are_higher(limits, question.limits, limit) for limit in reached)
        if again:
            judged = judge_question(replace(question, limits=limits), self._prepared, results)
            if _find_reached(judged.attempts):
                self._useless_retries += 1
        description = _describe(limits if again else question.limits, cost, again)
        return replace(judged, result=replace(judged.result, limits=description))


def _find_reached(attempts: Iterable[Attempt]) -> set[Limit]:
    """Return the limits that the attempts reached."""
    at_a_limit = (attempt for attempt in attempts if attempt.verdict in _LIMIT_OF)
    reached: set[Limit | None] = {
        attempt.error.limit if attempt.error else _LIMIT_OF[attempt.verdict] for attempt in at_a_limit
    }
    return {limit for limit in reached if limit}


def _are_higher(limits: Limits, others: Limits, limit: Limit) -> bool:
    """Return whether `limits` allow more time, or more memory, than `others`."""
    if limit == "memory":
        return _memory_mb(limits) > _memory_mb(others)
    return limits.cpu_seconds > others.cpu_seconds or limits.wall_seconds > others.wall_seconds


def _memory_mb(limits: Limits) -> int:
    """Return the memory limit that this machine enforces."""
    return limits.address_mb if cgroup.why_not() else limits.memory_mb


def _describe(limits: Limits, cost: Cost | None, again: bool) -> dict[str, Any]:
    """Return the entry of the report about the limits of a question that reached one.

    - cost: the measured cost of the reference, or None if it did not pass
    - again: whether there was a retry
    """
    memory_mb, took = _memory_mb(limits), ""
    if cost:
        peak = cost.address_mb if cgroup.why_not() else cost.memory_mb
        took = f" The reference took {cost.cpu_seconds:.2f} s, {cost.wall_seconds:.2f} s and {peak:.0f} MB here."
    allowed = f"{limits.cpu_seconds} s of processor time, {limits.wall_seconds} s on the clock and {memory_mb} MB"
    tried = f"Tried twice, the second time alone on the machine, with {allowed}." if again else f"Tried with {allowed}."
    return {
        "tries": 2 if again else 1,
        "cpu_seconds": limits.cpu_seconds,
        "wall_seconds": limits.wall_seconds,
        "memory_mb": memory_mb,
        "reference": asdict(cost) if cost else None,
        "text": tried + took,
    }
