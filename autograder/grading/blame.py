"""Blame: whether a criterion fails by a mistake of its own, or by a needed question that is not right."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.checking.criteria import Criterion
from autograder.report.model import QuestionResult
from autograder.runtime.text import join_words
from autograder.sandbox.worker_client import CallError

# Verdicts that may come from a needed question that is not right itself.
INHERITED = {"failed", "error", "missing", "timeout", "memory", "blocked"}


def unmet_needs(
    criterion: Criterion, needs: Iterable[str], results: Sequence[QuestionResult], blocked: bool
) -> tuple[str, ...]:
    """Return the needed questions that are not right: those whose main criteria do not all hold.

    An edge case may also fail by the same edge case of theirs, and a check that says it is `blocked` by any.

    - needs: ids of the questions that the answer builds on
    - results: of questions that were judged before
    """
    names, found = {*needs, *criterion.needs}, []
    for result in results:
        if result.id in names:
            relevant = [c for c in result.criteria if not c.edge or blocked or c.name == criterion.name]
            if any(c.verdict != "passed" for c in relevant):
                found.append(result.id)
            # A function that was given to it to be right has to be given here too.
            found += [name for c in relevant for name in c.given]
    return tuple(dict.fromkeys(found))


def blamed(error: CallError, question: Question, unmet: tuple[str, ...]) -> tuple[str, ...]:
    """Return which needed questions may have caused an exception, given those that are not right."""
    own = error.file in (None, question.source) or not question.needs
    if own and (error.verdict == "missing" or error.function == "<module>"):
        return ()  # the student's own stub, or a file that cannot even be imported
    if error.verdict == "missing" and not unmet:
        function = error.function or ""
        return (function if function.isidentifier() else "another function",)
    return unmet


def may_be_inherited(attempt: Attempt) -> bool:
    """Say whether a needed question may be to blame for a failure; an own stub that returns nothing is its own."""
    own_stub = attempt.verdict == "missing" and not attempt.error
    return bool(attempt.unmet) and attempt.verdict in INHERITED and not own_stub


def excused(attempt: Attempt) -> Attempt:
    """Return an attempt as `blocked` by its unmet needs."""
    needs = join_words(attempt.unmet)
    excuse = f"This may not be a mistake of its own: it needs {needs}, not right yet. "
    return replace(attempt, verdict="blocked", excuse=excuse)


def with_own_mistakes(attempts: Sequence[Attempt], explained: Iterable[int]) -> list[Attempt]:
    """Return the attempts, those that a wrong version of the function itself explains as `failed` and not excused.

    - explained: places of the attempts whose answers are those of a known wrong version
    """
    places = set(explained)
    return [
        replace(attempt, verdict="failed", excuse="") if at in places and attempt.excuse else attempt
        for at, attempt in enumerate(attempts)
    ]


def all_or_nothing(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts, with None as a wrong answer and not a missing one where another answer is right."""
    if not any(attempt.passed and not attempt.criterion.edge for attempt in attempts):
        return list(attempts)
    return [
        replace(attempt, verdict="failed") if attempt.verdict == "missing" and not attempt.error else attempt
        for attempt in attempts
    ]
