"""Reproduce one criterion: judge it again, and return every array of its check."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.checking.attempt import Attempt
from autograder.errors import KitError
from autograder.grading.question import JudgedQuestion
from autograder.grading.setting import Setting
from autograder.grading.submission import judge
from autograder.intake.submission import Submission
from autograder.report.model import CriterionResult, QuestionResult
from autograder.runtime.atomic import write_output


@dataclass(frozen=True)
class Reproduced:
    """A criterion that was judged again: its question's result, its own result, and the Attempt with all arrays."""

    question: QuestionResult
    criterion: CriterionResult
    attempt: Attempt

    def arrays(self) -> dict[str, np.ndarray]:
        """Return {name: array}: every argument of every call, and, if known, "expected", "yours" and "wrong"."""
        arrays: dict[str, np.ndarray] = {}
        if self.attempt.found.arrays:
            expected, actual, wrong, *_ = self.attempt.found.arrays
            arrays |= {"expected": expected, "yours": actual, "wrong": wrong}
        for number, call in enumerate(self.attempt.calls):
            name = call.target.rpartition(":")[2] if isinstance(call.target, str) else call.target[-1]
            for key, value in [*enumerate(call.args), *call.kwargs.items()]:
                if isinstance(value, np.ndarray):
                    arrays[f"call{number}_{name}_{key}"] = value
        return arrays

    def save(self, path: Path) -> None:
        """Write all arrays to an .npz file; raises the errors of runtime.atomic.write_output."""
        data = io.BytesIO()
        np.savez(data, **self.arrays())  # pyright: ignore[reportArgumentType]  # numpy's types reject every **dict: allow_pickle
        write_output(path, data.getvalue())


def reproduce(submission: Submission, setting: Setting, question: str, criterion: str) -> Reproduced:
    """Judge one criterion of a submission again; raise KitError if there is no such criterion.

    - setting: with the seed of the report, and the secret of its course
    """
    criteria = setting.pack.criteria
    if question not in criteria:
        raise KitError(f"{question}: no such question. There are: {', '.join(criteria)}")
    names = [known.name for known in criteria[question]]
    if criterion not in names:
        raise KitError(f"{criterion!r}: no such criterion of {question}. There are: {', '.join(map(repr, names))}")
    all_judged: list[JudgedQuestion] = []
    judge(submission, setting, [question], watch=all_judged.append)
    judged = next(each for each in all_judged if each.result.id == question)
    return Reproduced(
        judged.result,
        next(found for found in judged.result.criteria if found.name == criterion),
        next(attempt for attempt in judged.attempts if attempt.criterion.name == criterion),
    )
