"""Whether a gradient was derived: one call with an input so large that slopes measured entry by entry come too late.

A slope measured for every entry costs two forward passes an entry; a derivation costs a few, however it is written:
loops over single entries take some 100 to 1000 times as long as the reference. The limit lies between the two, in
processor time of the worker, so that a busy machine changes nothing, and follows what the reference takes on this
machine now, so that a slow one does not either. See docs/decisions/0013-measured-gradients.md.
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
from autograder.grading.prepared import Prepared
from autograder.report.model import QuestionResult
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.worker_client import CallError

SECONDS = 10  # of processor time, at least
FACTOR = 3000  # times what the reference takes
WALL = 10  # seconds of wall-clock time for each of them
RUNS = 3  # of the reference, of which the shortest counts
log = logging.getLogger("autograder")


class Workers(Protocol):
    """The workers of one question."""

    prepared: Prepared
    first: Trial

    def start(self, answers: Answers | None = None, limits: Limits | None = None) -> Trial: ...


def refused_as_measured(
    question: Question, attempts: Sequence[Attempt], results: Sequence[QuestionResult], workers: Workers
) -> list[Attempt]:
    """Return the attempts; where gradients must be derived, those that passed by a measured one have passed no more.

    - results: of the needed questions
    """
    pack = workers.prepared.pack
    passed = [attempt for attempt in attempts if attempt.passed]
    if question.measured_gradients != "refuse" or question.id not in pack.large_calls or not passed:
        return list(attempts)
    # Right gradients, edge cases left out. A diagnosis names the wrong function that a gradient is right for.
    proved = {a.criterion.name for a in passed if not a.criterion.edge and not a.found.diagnosis}
    wrong = {result.id: _main_verdicts(result) - {"passed"} for result in results}
    wrong = {name: verdicts for name, verdicts in wrong.items() if verdicts}
    given = sorted({*wrong, *(name for attempt in passed for name in attempt.given)})
    answers, answered = pack.answers_for(question.id, given, workers.prepared.manifest.options)
    unanswered = [verdicts for name, verdicts in wrong.items() if name not in answered]
    if any({"timeout", "memory"} & verdicts for verdicts in unanswered):
        return list(attempts)  # the needed question may be what is slow, and it has lost its points for that
    proved = set() if unanswered else proved  # its gradients may be those of another function

    def start(limits: Limits) -> Trial:
        return workers.start(answers if answered else None, limits)

    try:
        large = pack.large_calls[question.id](workers.first)
        refused = refusal(large, question, start, proved, bool(answered))
    except Exception:  # a fault of the grader must not cost the student a point
        log.exception("grader fault in the large call of %s", question.id)
        return list(attempts)
    if not refused:
        return list(attempts)
    verdict, message = refused
    return [
        replace(attempt, verdict=verdict, found=Outcome(message), calls=(), given=())
        if attempt.passed and attempt.criterion.name not in large.spared
        else attempt
        for attempt in attempts
    ]


def _main_verdicts(result: QuestionResult) -> set[str]:
    """Return the verdicts of a needed question, without those of edge cases."""
    return {criterion.verdict for criterion in result.criteria if not criterion.edge}


def refusal(
    large: LargeCall,
    question: Question,
    start: Callable[[Limits], Trial],
    proved: set[str],
    answered: bool = False,
) -> tuple[str, str] | None:
    """Return why the gradients of a question do not count as derived, as (verdict, message), or None.

    A timeout or an out-of-memory error counts as no answer: only the worker may say that memory ran out. A gradient
    that does come was derived, right or wrong. But one that is right for small inputs and wrong here treats large
    inputs in another way.

    - large: LargeCall
    - start: Limits -> Trial with a worker of its own
    - proved: names of the criteria whose gradients were right
    - answered: whether the judge answers for functions; code that looks into their caches is then let be
    """
    proved = proved - set(large.spared)
    derived = _seconds(large.derive)
    limit = math.ceil(max(SECONDS, FACTOR * derived))
    try:
        large.ask(start(replace(question.limits, cpu_seconds=limit, wall_seconds=WALL * limit)), proved)
    except CallError as error:
        if error.verdict == "timeout":
            return "timeout", _too_late(large, limit, derived)
        if error.verdict == "memory":
            return "memory", _too_large(large, error)
        if error.verdict == "forbidden" or (proved and not (answered and error.is_not_answered)):
            return error.verdict, f"Right for small inputs. {large.says}: {error}"
    except Wrong as wrong:
        if proved:
            return "failed", f"Right for small inputs, and not for a large one. {wrong}"
    return None


def _seconds(run: Callable[[], Any]) -> float:
    """Return the processor time of the shortest of a few runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def _too_late(large: LargeCall, limit: int, derived: float) -> str:
    passes = 2 * large.entries
    return (
        f"{large.says}: no answer within {limit} s of processor time. The reference derives all {large.entries:,} "
        f"entries in {derived:.2g} s on this machine, and loops over single entries take a few seconds. Slopes "
        f"measured entry by entry take {passes:,} forward passes, {passes * _seconds(large.forward):,.0f} s or more. "
        "Here a gradient must be derived: write it as an expression in the arguments of the backward pass, and "
        "measure slopes only to check it. If you derived it, look for work that your code repeats for every entry."
    )


def _too_large(large: LargeCall, error: CallError) -> str:
    return (
        f"{large.says}: {error} All {large.entries:,} entries of the gradients must fit into that memory. The Jacobian "
        "of the whole input, every entry of out by every entry of x, does not fit. It is not needed, because most of "
        "it is 0. Write down what each entry of the upstream gradient adds to it."
    )
