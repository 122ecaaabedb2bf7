"""One question of one submission: attempts, second tries, blame, diagnosis, verdicts, points.

If the needed questions of a criterion are not right, the criterion is tried again, and the judge answers for those
functions. If it then holds, it is right in itself and earns its follow-through share. If it still fails, the mistake
is its own. It is `blocked` only if the judge cannot answer: the student's own functions share a cache.

Every stage takes frozen values and returns new ones.
"""

import importlib.util
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from autograder.assignment.limits import Limits
from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.checking.criteria import Criterion, Outcome, Trial, Wrong
from autograder.diagnosis.diagnose import list_diagnoses, replay_wrong_versions
from autograder.grading import blame
from autograder.grading.large_inputs import refused_as_measured
from autograder.grading.points import criterion_results
from autograder.grading.prepared import Prepared
from autograder.report.model import QuestionResult
from autograder.report.verdicts import find_worst_verdict
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.text import join_words
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.worker_client import CallError

STUB = "not done yet: the stub is still there"
log = logging.getLogger("autograder")


@dataclass(frozen=True)
class Examined:
    """A question's result, and the attempts that it was made from."""

    result: QuestionResult
    attempts: tuple[Attempt, ...]


def is_available(module: str) -> bool:
    """Say whether this machine has a module that a question requires."""
    return importlib.util.find_spec(module) is not None


def examine(
    question: Question,
    prepared: Prepared,
    done: Sequence[QuestionResult],
    while_running: Callable[[Trial], None] | None = None,
) -> Examined:
    """Judge one question.

    - done: results of the questions judged so far, the needed ones among them
    - while_running: called with the Trial after the last call, before the worker is stopped
    """
    started = time.monotonic()
    with ExitStack() as stack:
        workers = _Workers(question, prepared, stack)
        results = [result for result in done if result.id in prepared.all_needs(question)]
        attempts = _tried(question, workers, results)
        attempts = refused_as_measured(question, attempts, results, workers)
        attempts = blame.all_or_nothing(attempts)
        replayed = replay_wrong_versions(question, attempts, prepared.pack, prepared.manifest)
        diagnoses = list_diagnoses(attempts, replayed)
        attempts = blame.with_own_mistakes(attempts, replayed.own_mistakes)
        if while_running:
            while_running(workers.first)
        output = workers.first.worker.printed
    criteria = criterion_results(question, attempts, prepared.pack, prepared.modules)
    result = QuestionResult(
        question.id,
        question.title,
        question.notebook,
        round(sum(criterion.points for criterion in criteria), 2),
        question.points,
        find_worst_verdict(criterion.verdict for criterion in criteria),
        criteria=criteria,
        diagnosis=diagnoses,
        needs=prepared.all_needs(question),
        hint=question.hint,
        bonus=question.bonus,
        code=prepared.code(question)[0],
        output=output,
        seconds=round(time.monotonic() - started, 3),
    )
    return Examined(result, tuple(attempts))


class _Workers:
    """The workers of one question: the first one, and one for each set of functions that the judge answers for."""

    def __init__(self, question: Question, prepared: Prepared, stack: ExitStack) -> None:
        self._question, self.prepared, self._stack = question, prepared, stack
        self._answering: dict[frozenset[str], Trial] = {}
        self.first = self.start()

    def start(self, answers: Answers | None = None, limits: Limits | None = None) -> Trial:
        """Return a Trial with a worker of its own; no process starts before the first call."""
        question = replace(self._question, limits=limits or self._question.limits)
        worker = self._stack.enter_context(self.prepared.worker(question, answers))
        return self.prepared.trial(self._question, worker)

    def answering(self, unmet: Sequence[str]) -> tuple[tuple[str, ...], Trial]:
        """Return those of the unmet questions that the judge can answer for, and a Trial in which it does."""
        answers, names = self.prepared.pack.answers_for(self._question.id, unmet, self.prepared.manifest.options)
        answered = tuple(need for need in unmet if need in names)
        key = frozenset(answered)
        if key not in self._answering:
            self._answering[key] = self.start(answers)
        return answered, self._answering[key]


def _tried(question: Question, workers: _Workers, results: Sequence[QuestionResult]) -> list[Attempt]:
    """Try every criterion, twice where the first try may have failed by a needed question."""
    prepared = workers.prepared
    code, is_stub = prepared.code(question)
    is_absent = is_stub or (code is None and bool(question.source))
    refusal, needs = _refusal(question, is_stub), prepared.needs(question)
    attempts = []
    for criterion in prepared.pack.criteria[question.id]:
        attempt = _attempt(criterion, workers.first, refusal)
        unmet = blame.unmet_needs(criterion, needs, results, attempt.verdict == "blocked")
        attempt = replace(attempt, unmet=blame.blamed(attempt.error, question, unmet) if attempt.error else unmet)
        if blame.may_be_inherited(attempt):
            attempt = _second_try(attempt, unmet, workers, refusal)
        if attempt.verdict == "blocked" and is_absent:
            attempt = replace(attempt, verdict="missing", found=Outcome(STUB), excuse="")
        attempts.append(attempt)
    return attempts


def _attempt(criterion: Criterion, trial: Trial, refusal: Wrong | None) -> Attempt:
    """Run one check, unless the question is refused."""
    trial.worker.calls.clear()
    found, verdict, failure = Outcome(), "passed", None
    try:
        if refusal:
            raise refusal
        if trial.worker.seconds_left <= 0:
            raise CallError("timeout", "not tried: the question's time was used up before")
        found = criterion.check(trial) or Outcome()
    except Wrong as wrong:
        found, verdict = wrong.outcome, wrong.verdict
    except CallError as error:
        found, verdict, failure = Outcome(str(error)), error.verdict, error
    except Exception as error:  # a fault of the grader: it must not cost the student a point, nor stop the class
        raise_if_everywhere(error)  # a shortage would look like a fault in everybody's answers
        log.exception("grader fault in %s, %s", trial.question and trial.question.id, criterion.name)
        text = f"the grader itself failed here ({type(error).__name__}); a human will look"
        found, verdict = Outcome(text), "grader_fault"
    return Attempt(criterion, found, verdict, tuple(trial.worker.calls), error=failure)


def _second_try(first: Attempt, unmet: tuple[str, ...], workers: _Workers, refusal: Wrong | None) -> Attempt:
    """Try again with the judge answering for the unmet needs; return `first` as blocked where it cannot answer.

    - unmet: needs that may be answered for; `first.unmet` may name a function that only the worker's account of an
      exception names
    """
    answered, trial = workers.answering([need for need in first.unmet if need in unmet])
    if len(answered) == len(first.unmet):
        second = _attempt(first.criterion, trial, refusal)
        not_answered = second.error is not None and second.error.is_not_answered
        if second.verdict not in ("blocked", "grader_fault") and not not_answered:
            return replace(second, given=answered) if second.passed else second
    return blame.excused(first)


def _refusal(question: Question, is_stub: bool) -> Wrong | None:
    """Return a Wrong for every criterion of a question that needs no worker to be judged, or None."""
    lacking = [name for name in question.requires if not is_available(name)]
    if lacking:
        return Wrong(f"{join_words(lacking)} is not installed on the machine that graded this", "skipped")
    # A module made of cells holds nothing else; in a module of the package something else may define the function.
    return Wrong(STUB, "missing") if is_stub and question.cells else None
