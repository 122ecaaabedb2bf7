"""Judge one question of one submission: attempts, second tries, blame, diagnosis, verdicts, points.

If a criterion fails and its needed questions are not right, there is a second try: the judge answers for the needed
functions. If the criterion then holds, it earns its follow-through share. If it still fails, the mistake is its own.
It is `blocked` only if the judge cannot answer, because the student's functions share a cache.

Every stage takes frozen values and returns new values.
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
from autograder.grading.large_inputs import refuse_measured_gradients
from autograder.grading.points import make_criterion_results
from autograder.grading.prepared import PreparedSubmission
from autograder.report.model import Diagnosis, QuestionResult
from autograder.report.verdicts import find_worst_verdict
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.text import join_words
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.worker_client import CallError

STUB = "not done yet: the stub is still there"
log = logging.getLogger("autograder")


@dataclass(frozen=True)
class JudgedQuestion:
    """A question's result, and the attempts behind it."""

    result: QuestionResult
    attempts: tuple[Attempt, ...]


def is_available(module: str) -> bool:
    """Return whether a module that a question requires is installed on this machine."""
    return importlib.util.find_spec(module) is not None


def judge_question(
    question: Question,
    prepared: PreparedSubmission,
    results: Sequence[QuestionResult],
    while_running: Callable[[Trial], None] | None = None,
) -> JudgedQuestion:
    """Judge one question.

    - results: the results of the questions that were judged before, including all needed questions
    - while_running: called with the Trial after the last call, before the worker is stopped
    """
    started = time.monotonic()
    with ExitStack() as stack:
        workers = _Workers(question, prepared, stack)
        needs = prepared.find_all_needs(question)
        needed = [result for result in results if result.id in needs]
        attempts = _try_criteria(question, workers, needed)
        attempts = refuse_measured_gradients(question, attempts, needed, workers)
        attempts = blame.mark_missing_as_failed(attempts)
        replayed = replay_wrong_versions(question, attempts, prepared.pack, prepared.manifest)
        diagnoses = list_diagnoses(attempts, replayed)
        attempts = blame.mark_own_mistakes(attempts, replayed.own_mistakes)
        if while_running:
            while_running(workers.first)
        output = workers.first.worker.printed
    result = _make_result(question, prepared, needs, attempts, diagnoses)
    result = replace(result, output=output, seconds=round(time.monotonic() - started, 3))
    return JudgedQuestion(result, tuple(attempts))


def _make_result(
    question: Question,
    prepared: PreparedSubmission,
    needs: list[str],
    attempts: Sequence[Attempt],
    diagnoses: list[Diagnosis],
) -> QuestionResult:
    criteria = make_criterion_results(question, attempts, prepared.pack, prepared.modules)
    return QuestionResult(
        question.id,
        question.title,
        question.notebook,
        round(sum(criterion.points for criterion in criteria), 2),
        question.points,
        find_worst_verdict(criterion.verdict for criterion in criteria),
        criteria=criteria,
        diagnosis=diagnoses,
        needs=needs,
        hint=question.hint,
        bonus=question.bonus,
        code=prepared.find_code(question)[0],
    )


class _Workers:
    """The workers of one question: the first worker, and one for each set of functions for which the judge answers."""

    def __init__(self, question: Question, prepared: PreparedSubmission, stack: ExitStack) -> None:
        self._question, self.prepared, self._stack = question, prepared, stack
        self._answering: dict[frozenset[str], Trial] = {}
        self.first = self.start()

    def start(self, answers: Answers | None = None, limits: Limits | None = None) -> Trial:
        """Return a Trial with a new worker; no process starts before the first call."""
        question = replace(self._question, limits=limits or self._question.limits)
        worker = self._stack.enter_context(self.prepared.make_worker(question, answers))
        return self.prepared.make_trial(self._question, worker)

    def get_answering(self, unmet: Sequence[str]) -> tuple[tuple[str, ...], Trial]:
        """Return the unmet questions for which the judge can answer, and a Trial in which it answers for them."""
        answers, names = self.prepared.pack.answers_for(self._question.id, unmet, self.prepared.manifest.options)
        answered = tuple(need for need in unmet if need in names)
        key = frozenset(answered)
        if key not in self._answering:
            self._answering[key] = self.start(answers)
        return answered, self._answering[key]


def _try_criteria(question: Question, workers: _Workers, needed: Sequence[QuestionResult]) -> list[Attempt]:
    """Try every criterion, with a second try if a needed question may be the cause of a failure.

    - needed: the results of the needed questions
    """
    prepared = workers.prepared
    code, is_stub = prepared.find_code(question)
    is_absent = is_stub or (code is None and bool(question.source))
    refusal, needs = _find_refusal(question, is_stub), prepared.find_needs(question)
    attempts = []
    for criterion in prepared.pack.criteria[question.id]:
        attempt = _try_criterion(criterion, workers.first, refusal)
        unmet = blame.find_unmet_needs(criterion, needs, needed, attempt.verdict == "blocked")
        attempt = replace(attempt, unmet=blame.find_causes(attempt.error, question, unmet) if attempt.error else unmet)
        if blame.may_be_inherited(attempt):
            attempt = _try_again(attempt, unmet, workers, refusal)
        if attempt.verdict == "blocked" and is_absent:
            attempt = replace(attempt, verdict="missing", found=Outcome(STUB), excuse="")
        attempts.append(attempt)
    return attempts


def _try_criterion(criterion: Criterion, trial: Trial, refusal: Wrong | None) -> Attempt:
    """Run the check of one criterion, unless there is a refusal.

    - refusal: the outcome of every criterion of the question, or None
    """
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
    except Exception as error:  # a fault of the grader must cost no point, and must not stop the class
        raise_if_everywhere(error)  # otherwise a lack of memory or disk would become a fault in every answer
        log.exception("grader fault in %s, %s", trial.question and trial.question.id, criterion.name)
        text = f"the grader itself failed here ({type(error).__name__}); a human will look"
        found, verdict = Outcome(text), "grader_fault"
    return Attempt(criterion, found, verdict, tuple(trial.worker.calls), error=failure)


def _try_again(first: Attempt, unmet: tuple[str, ...], workers: _Workers, refusal: Wrong | None) -> Attempt:
    """Try again while the judge answers for the unmet needs; if it cannot answer, return `first` as blocked.

    - unmet: needs for which the judge may answer. The names in `first.unmet` may come from the worker, which reports
      where an exception was raised; the judge does not answer for a function because of such a report
    """
    answered, trial = workers.get_answering([need for need in first.unmet if need in unmet])
    if len(answered) == len(first.unmet):
        second = _try_criterion(first.criterion, trial, refusal)
        not_answered = second.error is not None and second.error.is_not_answered
        if second.verdict not in ("blocked", "grader_fault") and not not_answered:
            return replace(second, given=answered) if second.passed else second
    return blame.mark_blocked(first)


def _find_refusal(question: Question, is_stub: bool) -> Wrong | None:
    """Return the outcome of every criterion of a question if it can be known without a worker, else None."""
    lacking = [name for name in question.requires if not is_available(name)]
    if lacking:
        return Wrong(f"{join_words(lacking)} is not installed on the machine that graded this", "skipped")
    # A module from cells contains nothing else; in a module of the package, other code may define the function.
    return Wrong(STUB, "missing") if is_stub and question.cells else None
