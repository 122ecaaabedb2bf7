"""The worst of several outcomes."""

from collections.abc import Iterable
from dataclasses import replace

from autograder.checking.criteria import Outcome


def combine_outcomes(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome with the largest error, with the diagnoses of all outcomes."""
    outcomes = list(outcomes)
    largest = max(outcomes, key=lambda outcome: outcome.max_rel_error or 0.0, default=Outcome())
    diagnosis = list(largest.diagnosis)
    for outcome in outcomes:
        diagnosis += [found for found in outcome.diagnosis if found not in diagnosis]
    return replace(largest, diagnosis=diagnosis)
