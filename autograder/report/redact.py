"""Remove from a report all values of hidden inputs, so that its student may read it.

A student keeps every verdict, message, hint and diagnosis, the location of wrong entries, and the pictures. The numbers
of a picture become shares of its largest number: colours can be compared, and hidden numbers cannot be read. The output
of the student's code is removed, because it may contain the inputs.
"""

import dataclasses
import shlex
from typing import Any

from autograder.report.model import QuestionResult, Report

STEP = 0.05  # rounding of a picture's numbers, as a share of the largest one


def redact_question(question: QuestionResult) -> QuestionResult:
    """Return the result of a question as its student may see it."""
    return dataclasses.replace(
        question,
        output="",
        criteria=[
            dataclasses.replace(criterion, inputs=[], picture=_scale(criterion.picture))
            for criterion in question.criteria
        ],
        diagnosis=[dataclasses.replace(found, thought="") for found in question.diagnosis],
    )


def make_reproduce_command(path: str, question: str, criterion: str, seed: int | None) -> str:
    """Return the command that judges one criterion of a submission again.

    - path: the submission, as the person who runs the command sees it
    - question, criterion: the id of the question and the name of the criterion
    - seed: the seed of the hidden inputs, or None in a student's report, which must not contain it
    """
    words = ["autograder", "reproduce", path, question, criterion]
    return shlex.join(words if seed is None else [*words, "--seed", str(seed)])


def find_submission_path(report: Report) -> str:
    """Return the path of a report's submission for the instructor: in the course, or its own name."""
    student = report.submission["student"]
    return f"submitted/{student}/{report.assignment}" if student else report.submission["name"]


def _scale(picture: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a picture whose numbers are shares of the largest one, in steps of STEP."""
    if not picture:
        return picture
    sides = ("ours", "theirs")
    finite = [abs(value) for side in sides for row in picture[side] for value in row if value is not None]
    unit = STEP * (max(finite, default=0.0) or 1.0)

    def round_share(value: float | None) -> float | None:
        return value if value is None else round(STEP * round(value / unit), 2)

    scaled = {side: [[round_share(value) for value in row] for row in picture[side]] for side in sides}
    return picture | scaled | {"caption": f"{picture['caption']}, as shares of the largest entry"}
