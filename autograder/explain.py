"""Why a question's criteria failed: from the attempts of all of them to the diagnoses of the report."""

import logging

from autograder import checks
from autograder.edits import edits_of
from autograder.replay import Record, explanations

MOST_ATTRIBUTIONS = 3  # of one question; the gradients of one net mostly tell the same story
ANSWERED = ("passed", "failed", "error", "blocked")
log = logging.getLogger("autograder")


def diagnoses(question, attempts, root):
    """Return the Diagnoses of a question: a misconception, else a small mistake; then what the checks saw.

    An attempt whose answer is that of a misconception is no needed question's doing, and is told so.

    - question: its id
    - attempts: examine.Attempts of all of its criteria
    - root: the folder of the reference solution
    """
    seen = _seen(attempts)
    try:
        named = _replayed(question, attempts, root, any(diagnosis.kind == "misconception" for diagnosis in seen))
    except Exception:  # a verdict needs no explanation, and must not be lost for the lack of one
        log.exception("grader fault in explaining %s", question)
        named = []
    found = named + seen
    unlike = [diagnosis for at, diagnosis in enumerate(found) if diagnosis not in found[:at]]
    told = [diagnosis for diagnosis in unlike if diagnosis.kind != "attribution"]
    return told + [diagnosis for diagnosis in unlike if diagnosis.kind == "attribution"][:MOST_ATTRIBUTIONS]


def _replayed(question, attempts, root, is_named):
    """Return the Diagnoses of the wrong versions whose answers these are.

    - is_named: whether a check has named the mistake, so that its kind needs not be told
    """
    if any(attempt.verdict == "missing" for attempt in attempts):
        return []  # what is not written yet has no mistake
    answered = [attempt for attempt in attempts if attempt.verdict in ANSWERED]
    records = [
        Record(attempt.verdict == "passed", attempt.criterion.edge, attempt.calls, _failing_array(attempt.found))
        for attempt in answered
    ]
    catalogue = [version for version in checks.MISCONCEPTIONS.get(question, ()) if version.can_be_replayed]
    explained = explanations(catalogue, records)
    for _, places in explained:
        for at in places:
            answered[at].is_its_own()
    if not explained and not is_named and not all(record.passed for record in records):
        explained = explanations(edits_of(question, root), records)
    return [diagnosis for diagnosis, _ in explained]


def _seen(attempts):
    """Return what the checks saw themselves; how a gradient splits in an edge case only where no other tells."""
    aside = any(attempt.verdict == "failed" and not attempt.criterion.edge for attempt in attempts)
    return [
        diagnosis
        for attempt in attempts
        for diagnosis in attempt.found.diagnosis
        if not (aside and attempt.criterion.edge and diagnosis.kind == "attribution")
    ]


def _failing_array(found):
    return found.arrays[1] if found.arrays else None
