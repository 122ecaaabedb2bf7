"""Make the criteria of a report from the attempts of a question: points, messages, pictures."""

import math
from collections.abc import Mapping, Sequence

from autograder.assignment.manifest import Question
from autograder.checking.attempt import Attempt
from autograder.checking.criteria import Outcome
from autograder.checking.pack import Pack
from autograder.diagnosis.error_pattern import describe_error
from autograder.grading.call_inputs import describe_inputs
from autograder.intake.answer_cells import translate_locations
from autograder.report.model import CriterionResult
from autograder.runtime.text import join_words

MAX_MESSAGE = 2000  # characters; a message may contain text of the student


def split_points(points: float, weights: Sequence[float]) -> list[float]:
    """Split points in proportion to weights; each share has two decimals, and their sum is exact."""
    total = sum(weights)
    edges = [round(points * sum(weights[:i]) / total, 2) for i in range(len(weights) + 1)]
    return [round(high - low, 2) for low, high in zip(edges, edges[1:], strict=False)]


def make_criterion_results(
    question: Question, attempts: Sequence[Attempt], pack: Pack, modules: Mapping[str, str]
) -> list[CriterionResult]:
    """Return the CriterionResult of every attempt.

    - modules: {path: text} of the answers in notebook cells; messages name the cell, not the module
    """
    points = split_points(question.points, [attempt.criterion.weight for attempt in attempts])
    return [_make_result(question, *pair, pack, modules) for pair in zip(attempts, points, strict=True)]


def _make_result(
    question: Question, attempt: Attempt, points: float, pack: Pack, modules: Mapping[str, str]
) -> CriterionResult:
    criterion, found, passed = attempt.criterion, attempt.found, attempt.passed
    share = question.follow_through if attempt.given else 1
    message = translate_locations((attempt.excuse + found.message)[:MAX_MESSAGE], modules)
    if attempt.given:
        given = join_words([f"`{name}`" for name in attempt.given])
        message = f"Right, given a correct {given}. {message}".strip()
    return CriterionResult(
        name=criterion.name,
        text=criterion.text,
        verdict=attempt.verdict,
        points=round(points * share, 2) if passed else 0,
        max_points=points,
        message=message,
        max_rel_error=_finite(found.max_rel_error),
        worst_index=None if found.worst_index is None else [int(i) for i in found.worst_index],
        near=_is_near(found),
        picture=pack.picture_of(*found.arrays) if found.arrays else None,
        edge=criterion.edge,
        where="" if passed else _describe_location(question, found, pack),
        given=list(attempt.given),
        inputs=[] if passed else describe_inputs(attempt.calls),
    )


def _describe_location(question: Question, found: Outcome, pack: Pack) -> str:
    """Return a sentence about which part of an array is wrong and how, or ""."""
    if not found.arrays:
        return ""
    expected, actual, wrong, _, name, *_ = found.arrays
    return describe_error(expected, actual, wrong, pack.axes_of(question.id, name, expected.ndim), found.bound)


def _is_near(found: Outcome) -> bool:
    """Return whether an error is between half the bound and twice the bound, so that a person may want to look."""
    if not found.max_rel_error or not found.bound:
        return False
    return bool(0.5 <= found.max_rel_error / found.bound <= 2)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
