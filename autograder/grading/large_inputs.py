"""Large inputs show whether a gradient was derived: to measure a slope for every entry then takes too long.

A measured gradient needs two forward passes for each entry. A derived gradient needs the time of a few forward passes;
even with loops over single entries it takes 100 to 1000 times as long as the reference. The limit is between the two.
It counts processor time of the worker, so that a busy machine has no effect. It is a multiple of the time that the
reference takes on this machine, so that a slow machine has no effect. See docs/decisions/0013-measured-gradients.md.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from autograder.assignment.limits import Limits
from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.checking.criteria import Outcome, Trial, Wrong
from autograder.checking.large_call import LargeCall
from autograder.grading.prepared import PreparedSubmission
from autograder.report.model import QuestionResult
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.worker_client import CallError

SECONDS = 10  # the lowest limit, in seconds of processor time
FACTOR = 3000  # the limit as a multiple of the time that the reference takes
WALL = 10  # seconds of wall-clock time for each second of processor time
RUNS = 3  # the number of runs of the reference; the shortest one counts
log = logging.getLogger("autograder")


class Workers(Protocol):
    """The workers of one question."""

    prepared: PreparedSubmission
    first: Trial

    def start(self, answers: Answers | None = None, limits: Limits | None = None) -> Trial:
        """Return a Trial with a new worker."""
        ...


def refuse_measured_gradients(
    question: Question, attempts: Sequence[Attempt], needed: Sequence[QuestionResult], workers: Workers
) -> list[Attempt]:
    """Return the attempts; if gradients must be derived, those that passed with a measured gradient no longer pass.

    - needed: the results of the needed questions
    """
    large_calls = workers.prepared.pack.large_calls
    has_passed = any(attempt.passed for attempt in attempts)
    if question.measured_gradients != "refuse" or question.id not in large_calls or not has_passed:
        return list(attempts)
    evidence = _collect_evidence(question, attempts, needed, workers)
    if evidence is None:
        return list(attempts)
    proved, answers = evidence
    try:
        large = large_calls[question.id](workers.first)
        refusal = find_refusal(
            large, question, lambda limits: workers.start(answers, limits), proved, answers is not None
        )
    except Exception:  # a fault of the grader must not cost the student a point
        log.exception("grader fault in the large call of %s", question.id)
        return list(attempts)
    return _refuse(attempts, refusal, large.without_gradient) if refusal else list(attempts)


def _collect_evidence(
    question: Question, attempts: Sequence[Attempt], needed: Sequence[QuestionResult], workers: Workers
) -> tuple[set[str], Answers | None] | None:
    """Return (names of the criteria with right gradients, the judge's answers for needed functions or None).

    The result is None if a needed question may be too slow, so that a large call would prove nothing.
    """
    passed = [attempt for attempt in attempts if attempt.passed]
    wrong = {result.id: verdicts for result in needed if (verdicts := _ordinary_verdicts(result) - {"passed"})}
    given = sorted({*wrong, *(name for attempt in passed for name in attempt.given)})
    prepared = workers.prepared
    answers, answered = prepared.pack.answers_for(question.id, given, prepared.manifest.options)
    unanswered = [verdicts for name, verdicts in wrong.items() if name not in answered]
    if any({"timeout", "memory"} & verdicts for verdicts in unanswered):
        return None  # the slow part may be the needed question, which already lost its points for it
    # Right gradients, without edge cases. A gradient with a diagnosis is the right gradient of a wrong function.
    proved = {a.criterion.name for a in passed if not a.criterion.edge and not a.found.diagnosis}
    if unanswered:
        proved = set[str]()  # the gradients may be those of another function
    return proved, answers if answered else None


def _refuse(attempts: Sequence[Attempt], refusal: tuple[str, str], without_gradient: Sequence[str]) -> list[Attempt]:
    """Return the attempts; those that passed get the verdict and the message of a refusal.

    - without_gradient: names of the criteria that need no gradient
    """
    verdict, message = refusal
    return [
        replace(attempt, verdict=verdict, found=Outcome(message), calls=(), given=())
        if attempt.passed and attempt.criterion.name not in without_gradient
        else attempt
        for attempt in attempts
    ]


def _ordinary_verdicts(result: QuestionResult) -> set[str]:
    """Return the verdicts of a needed question, without those of edge cases."""
    return {criterion.verdict for criterion in result.criteria if not criterion.edge}


def find_refusal(
    large: LargeCall,
    question: Question,
    start: Callable[[Limits], Trial],
    proved: set[str],
    answered: bool = False,
) -> tuple[str, str] | None:
    """Return (verdict, message) if the gradients of a question do not count as derived, else None.

    A timeout or an out-of-memory error counts as no answer; only the worker can report that memory ran out. If there
    is an answer, the gradient was derived, right or wrong. But a gradient that is right for small inputs and wrong for
    this input shows that the code treats large inputs in another way.

    - start: returns a Trial with a new worker and these limits
    - proved: names of the criteria whose gradients were right
    - answered: whether the judge answers for functions; then code that reads their caches is not refused
    """
    proved = proved - set(large.without_gradient)
    derived = _measure_seconds(large.derive)
    limit = math.ceil(max(SECONDS, FACTOR * derived))
    try:
        large.run_student(start(replace(question.limits, cpu_seconds=limit, wall_seconds=WALL * limit)), proved)
    except CallError as error:
        if error.verdict == "timeout":
            return "timeout", _explain_timeout(large, limit, derived)
        if error.verdict == "memory":
            return "memory", _explain_memory(large, error)
        if error.verdict == "forbidden" or (proved and not (answered and error.is_not_answered)):
            return error.verdict, f"Right for small inputs. {large.call}: {error}"
    except Wrong as wrong:
        if proved:
            return "failed", f"Right for small inputs, and not for a large one. {wrong}"
    return None


def _measure_seconds(run: Callable[[], Any]) -> float:
    """Return the processor time of the shortest of RUNS runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def _explain_timeout(large: LargeCall, limit: int, derived: float) -> str:
    passes = 2 * large.entries
    measured = passes * _measure_seconds(large.forward)
    return (
        f"{large.call}: no answer within {limit} s of processor time. The reference derives all {large.entries:,} "
        f"entries in {derived:.2g} s on this machine, and loops over single entries take a few seconds. Slopes "
        f"measured entry by entry take {passes:,} forward passes, {measured:,.0f} s or more. "
        "Here a gradient must be derived: write it as an expression in the arguments of the backward pass, and "
        "measure slopes only to check it. If you derived it, look for work that your code repeats for every entry."
    )


def _explain_memory(large: LargeCall, error: CallError) -> str:
    return (
        f"{large.call}: {error} All {large.entries:,} entries of the gradients must fit into that memory. The Jacobian "
        "of the whole input, every entry of out by every entry of x, does not fit. It is not needed, because most of "
        "it is 0. Write down what each entry of the upstream gradient adds to it."
    )
