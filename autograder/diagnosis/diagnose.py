"""Why a question's criteria failed: from the attempts of all of them to the diagnoses of the report."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.assignment.manifest import Manifest, Question
from autograder.checking.attempt import Attempt
from autograder.checking.pack import Pack
from autograder.diagnosis.replay import Record, find_explanations
from autograder.diagnosis.single_edits import edits_of
from autograder.report.model import Diagnosis

MAX_ATTRIBUTIONS = 3  # of one question; the gradients of one net mostly have the same mistake
_ANSWERED = ("passed", "failed", "error", "blocked")
log = logging.getLogger("autograder")


@dataclass(frozen=True)
class Explained:
    """What replaying an answer to wrong versions of the code has shown.

    - diagnoses: of the versions that give the student's own answers
    - own: places of the attempts that a wrong version from the catalogue explains: their mistake is the question's own
    """

    diagnoses: tuple[Diagnosis, ...] = ()
    own: frozenset[int] = frozenset()


def explain(question: Question, attempts: Sequence[Attempt], pack: Pack, manifest: Manifest) -> Explained:
    """Return which wrong versions explain the attempts: of the catalogue, else one small edit of the reference."""
    if any(attempt.verdict == "missing" for attempt in attempts):
        return Explained()  # an answer that is not written yet has no mistake
    try:
        return _replayed(question.id, attempts, pack, manifest)
    except Exception:  # a verdict needs no explanation, and must not be lost because one fails
        log.exception("grader fault in explaining %s", question.id)
        return Explained()


def diagnoses(attempts: Sequence[Attempt], explained: Explained) -> list[Diagnosis]:
    """Return the diagnoses of a question: misconceptions and small mistakes, then what the checks saw."""
    found = [*explained.diagnoses, *_seen(attempts)]
    distinct = [diagnosis for at, diagnosis in enumerate(found) if diagnosis not in found[:at]]
    named = [diagnosis for diagnosis in distinct if diagnosis.kind != "attribution"]
    attributions = [diagnosis for diagnosis in distinct if diagnosis.kind == "attribution"]
    return named + attributions[:MAX_ATTRIBUTIONS]


def _replayed(question: str, attempts: Sequence[Attempt], pack: Pack, manifest: Manifest) -> Explained:
    answered = [at for at, attempt in enumerate(attempts) if attempt.verdict in _ANSWERED]
    records = [_record(attempts[at]) for at in answered]
    versions = [version for version in pack.wrong_versions().get(question, ()) if version.can_be_replayed]
    explained = find_explanations(versions, records)
    own = frozenset(answered[place] for _, places in explained for place in places)
    is_named = any(diagnosis.kind == "misconception" for diagnosis in _seen(attempts))
    if not explained and not is_named and not all(record.passed for record in records):
        explained = find_explanations(edits_of(question, manifest.root, pack.vocabulary), records)
    return Explained(tuple(diagnosis for diagnosis, _ in explained), own)


def _record(attempt: Attempt) -> Record:
    failing = attempt.found.arrays[1] if attempt.found.arrays else None
    return Record(attempt.passed, attempt.criterion.edge, list(attempt.calls), failing)


def _seen(attempts: Sequence[Attempt]) -> list[Diagnosis]:
    """Return what the checks saw themselves; the terms of a gradient in an edge case only where no other fails."""
    ordinary = any(attempt.verdict == "failed" and not attempt.criterion.edge for attempt in attempts)
    return [
        diagnosis
        for attempt in attempts
        for diagnosis in attempt.found.diagnosis
        if not (ordinary and attempt.criterion.edge and diagnosis.kind == "attribution")
    ]
