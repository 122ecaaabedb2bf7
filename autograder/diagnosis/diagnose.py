"""The diagnoses of a question: why its criteria failed, from the attempts at all of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.assignment.manifest import Manifest, Question
from autograder.checking.attempt import Attempt
from autograder.checking.pack import Pack
from autograder.diagnosis.replay import Record, find_explanations
from autograder.diagnosis.single_edits import find_edits
from autograder.report.model import Diagnosis

MAX_ATTRIBUTIONS = 3  # for one question, because most gradients of one net have the same mistake
_ANSWERED = ("passed", "failed", "error", "blocked")
log = logging.getLogger("autograder")


@dataclass(frozen=True)
class ReplayFindings:
    """The wrong versions that explain the attempts at a question.

    - diagnoses: the diagnoses of these versions
    - own_mistakes: indices of the attempts that a version of the catalogue explains; a needed question is not their
      cause
    """

    diagnoses: tuple[Diagnosis, ...] = ()
    own_mistakes: frozenset[int] = frozenset()


def replay_wrong_versions(
    question: Question, attempts: Sequence[Attempt], pack: Pack, manifest: Manifest
) -> ReplayFindings:
    """Return the findings from replay: of the catalogue, or, if it explains nothing, of single edits."""
    if any(attempt.verdict == "missing" for attempt in attempts):
        return ReplayFindings()  # an answer that is not written yet has no mistake
    try:
        return _find_wrong_versions(question.id, attempts, pack, manifest)
    except Exception:  # the verdict is valid without a diagnosis, and must not be lost if a diagnosis fails
        log.exception("grader fault in explaining %s", question.id)
        return ReplayFindings()


def list_diagnoses(attempts: Sequence[Attempt], findings: ReplayFindings) -> list[Diagnosis]:
    """Return the diagnoses of a question: first those from replay, then those that the checks made."""
    found = [*findings.diagnoses, *_diagnoses_of_checks(attempts)]
    distinct = [diagnosis for i, diagnosis in enumerate(found) if diagnosis not in found[:i]]
    named = [diagnosis for diagnosis in distinct if diagnosis.kind != "attribution"]
    attributions = [diagnosis for diagnosis in distinct if diagnosis.kind == "attribution"]
    return named + attributions[:MAX_ATTRIBUTIONS]


def _find_wrong_versions(question: str, attempts: Sequence[Attempt], pack: Pack, manifest: Manifest) -> ReplayFindings:
    answered = [i for i, attempt in enumerate(attempts) if attempt.verdict in _ANSWERED]
    records = [_make_record(attempts[i]) for i in answered]
    versions = [version for version in pack.wrong_versions().get(question, ()) if version.can_be_replayed]
    explanations = find_explanations(versions, records)
    own_mistakes = frozenset(answered[i] for _, indices in explanations for i in indices)
    is_named = any(diagnosis.kind == "misconception" for diagnosis in _diagnoses_of_checks(attempts))
    if not explanations and not is_named and not all(record.passed for record in records):
        explanations = find_explanations(find_edits(question, manifest.root, pack.vocabulary), records)
    return ReplayFindings(tuple(diagnosis for diagnosis, _ in explanations), own_mistakes)


def _make_record(attempt: Attempt) -> Record:
    failing = attempt.found.arrays[1] if attempt.found.arrays else None
    return Record(attempt.passed, attempt.criterion.edge, attempt.calls, failing)


def _diagnoses_of_checks(attempts: Sequence[Attempt]) -> list[Diagnosis]:
    """Return the diagnoses that the checks made.

    An attribution from an edge case is left out if an ordinary criterion failed too.
    """
    has_ordinary_failure = any(attempt.verdict == "failed" and not attempt.criterion.edge for attempt in attempts)
    return [
        diagnosis
        for attempt in attempts
        for diagnosis in attempt.found.diagnosis
        if not (has_ordinary_failure and attempt.criterion.edge and diagnosis.kind == "attribution")
    ]
