"""The same report for two readers: whoever grades sees everything, the student no value of a hidden input.

What a student keeps: every verdict, message, hint and diagnosis, where an array is wrong, and its picture, drawn to a
scale of its own so that colours can be compared and hidden numbers cannot be read off. What the code printed is left
out: it could be the inputs.
"""

import dataclasses
import shlex

STEP = 0.05  # of the largest number in a picture


def for_student(question):
    """Return a report.QuestionResult as its student may see it."""
    return dataclasses.replace(
        question,
        output="",
        criteria=[
            dataclasses.replace(criterion, inputs=[], picture=_scaled(criterion.picture))
            for criterion in question.criteria
        ],
        diagnosis=[dataclasses.replace(found, thought="") for found in question.diagnosis],
    )


def reproduce_command(path, question, criterion, seed):
    """Return the command that judges one criterion of a submission once more.

    - path: the submission, as whoever runs the command sees it
    - seed: of the hidden inputs, or None for a student, whom a course does not tell it
    """
    words = ["autograder", "reproduce", path, question, criterion]
    return shlex.join(words if seed is None else [*words, "--seed", str(seed)])


def path_of(report):
    """Return where whoever grades finds a report's submission: in the course, or under its own name."""
    student = report.submission["student"]
    return f"submitted/{student}/{report.assignment}" if student else report.submission["name"]


def _scaled(picture):
    """Return a picture whose numbers are parts of the largest one, in coarse steps."""
    if not picture:
        return picture
    sides = ("ours", "theirs")
    finite = [abs(value) for side in sides for row in picture[side] for value in row if value is not None]
    unit = STEP * (max(finite, default=0.0) or 1.0)

    def coarse(value):
        return value if value is None else round(STEP * round(value / unit), 2)

    shown = {side: [[coarse(value) for value in row] for row in picture[side]] for side in sides}
    return picture | shown | {"caption": f"{picture['caption']}, as parts of the largest entry"}
