"""A second try, where a limit may have been reached because the machine is slow or busy.

The first limits come from what the reference took on the authors' machine. When one of them is reached, the reference
is measured here and now, while no other judge runs. If its cost asks for higher limits, or if the machine was busy
while time ran out, the question is tried once more, alone. Otherwise the first limits were as ample as they should be,
and a second try would end as the first did.
"""

from dataclasses import asdict, replace

from autograder.grading.calibrate import reference_cost
from autograder.grading.question import examine
from autograder.runtime.machine import Place
from autograder.sandbox import cgroup

MOST_FRUITLESS = 3
_LIMITED = {
    "timeout": "cpu",
    "memory": "memory",
}  # verdicts, and the limits that they stand for where a check gives them


class FairExaminer:
    """Examines the questions of one submission, one twice where that is fair.

    A code file that never ends when it is imported would be tried twice for each of its questions; so after
    MOST_FRUITLESS second tries that ended as the first did, a busy machine alone is no reason for another.
    """

    def __init__(self, prepared, place=None):
        self._prepared, self._place = prepared, place or Place()
        self._fruitless = 0

    def examine(self, question, done):
        """Judge one question as question.examine does and return its Examined."""
        with self._place.shared() as is_crowded:
            examined = examine(question, self._prepared, done)
            reached = _reached(examined.attempts)
            busy = reached & {"cpu", "wall"} and self._fruitless < MOST_FRUITLESS and is_crowded()
        if not reached:
            return examined
        with self._place.alone():
            cost = reference_cost(question, self._prepared.setting)
            limits = question.limits.fitting(cost) if cost else question.limits
            again = bool(busy) or any(_of(limits, limit) > _of(question.limits, limit) for limit in reached)
            if again:
                examined = examine(replace(question, limits=limits), self._prepared, done)
                self._fruitless += bool(_reached(examined.attempts))
        account = _account(limits if again else question.limits, cost, again)
        return replace(examined, result=replace(examined.result, limits=account))


def _reached(attempts):
    """Return which limits were reached, of "cpu", "wall" and "memory"."""
    limited = [attempt for attempt in attempts if attempt.verdict in _LIMITED]
    return {each.error.limit if each.error else _LIMITED[each.verdict] for each in limited} - {None}


def _of(limits, limit):
    """Return one of three limits: seconds, or the MB that count on this machine."""
    if limit == "memory":
        return limits.address_mb if cgroup.why_not() else limits.memory_mb
    return getattr(limits, f"{limit}_seconds")


def _account(limits, cost, again):
    """Return what a report says of the limits that were reached."""
    memory_mb = _of(limits, "memory")
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
