"""Blame: whether a criterion fails because of its own mistake, or because a needed question is not right."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.checking.criteria import Criterion
from autograder.report.model import QuestionResult
from autograder.runtime.text import join_words
from autograder.sandbox.worker_client import CallError

# Verdicts that a needed question may cause if it is not right.
INHERITED = {"failed", "error", "missing", "timeout", "memory", "blocked"}


def find_unmet_needs(
    criterion: Criterion, needs: Iterable[str], results: Sequence[QuestionResult], blocked: bool
) -> tuple[str, ...]:
    """Return the needed questions that are not right.

    A needed question is right if its ordinary criteria pass. An edge case also needs the edge case of the same name to
    pass, and a blocked criterion needs all edge cases to pass.

    - needs: ids of the questions that the answer needs
    - results: the results of the questions that were judged before
    - blocked: whether the check gave the verdict `blocked`
    """
    names, found = {*needs, *criterion.needs}, []
    for result in results:
        if result.id in names:
            relevant = [c for c in result.criteria if not c.edge or blocked or c.name == criterion.name]
            if any(c.verdict != "passed" for c in relevant):
                found.append(result.id)
            # If the judge answered for a function there, the judge must answer for it here too.
            found += [name for c in relevant for name in c.given]
    return tuple(dict.fromkeys(found))


def find_causes(error: CallError, question: Question, unmet: tuple[str, ...]) -> tuple[str, ...]:
    """Return the needed questions that may have caused an exception.

    - unmet: the needed questions that are not right
    """
    is_own = error.file in (None, question.source) or not question.needs
    if is_own and (error.verdict == "missing" or error.function == "<module>"):
        return ()  # the stub of this question, or a file that cannot be imported
    if error.verdict == "missing" and not unmet:
        function = error.function or ""
        return (function if function.isidentifier() else "another function",)
    return unmet


def may_be_inherited(attempt: Attempt) -> bool:
    """Return whether a needed question may be the cause of a failure; it is not if the answer itself is a stub."""
    is_stub = attempt.verdict == "missing" and not attempt.error
    return bool(attempt.unmet) and attempt.verdict in INHERITED and not is_stub


def mark_blocked(attempt: Attempt) -> Attempt:
    """Return an attempt with the verdict `blocked`, and its unmet needs as the excuse."""
    needs = join_words(attempt.unmet)
    excuse = f"This may not be a mistake of its own: it needs {needs}, not right yet. "
    return replace(attempt, verdict="blocked", excuse=excuse)


def mark_own_mistakes(attempts: Sequence[Attempt], own_mistakes: Iterable[int]) -> list[Attempt]:
    """Return the attempts; those with an excuse that fail because of their own mistake are `failed` without it.

    - own_mistakes: indices of the attempts whose answers are those of a known wrong version
    """
    indices = set(own_mistakes)
    return [
        replace(attempt, verdict="failed", excuse="") if i in indices and attempt.excuse else attempt
        for i, attempt in enumerate(attempts)
    ]


def mark_missing_as_failed(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts; if an ordinary criterion passed, an answer of None is `failed`, not `missing`."""
    if not any(attempt.passed and not attempt.criterion.edge for attempt in attempts):
        return list(attempts)
    return [
        replace(attempt, verdict="failed") if attempt.verdict == "missing" and not attempt.error else attempt
        for attempt in attempts
    ]
