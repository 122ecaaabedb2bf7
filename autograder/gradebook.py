"""nbgrader's gradebook: how a report gets into it, and how to tell whether it is there already."""

import tempfile
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import parse_utc

from autograder.course import autograde
from autograder.errors import KitError
from autograder.notebooks import read_notebook


def recorded(course, student, report):
    """Say whether the gradebook holds exactly the scores of this report already."""
    if not course.autograded(student).is_dir():
        return False
    try:
        with Gradebook(course.db_url) as gradebook:
            for question in report.questions:
                grade = gradebook.find_grade(question.id, question.notebook, report.assignment, student)
                if grade.auto_score is None or abs(grade.auto_score - question.points) > 1e-9:
                    return False
    except MissingEntry:
        return False
    return True


def record(course, submission):
    """Run nbgrader's autograde on a submission whose report is on file.

    nbgrader wants every released notebook, readable and by its name. What is missing or broken is filled in from
    the release, so that a hand-in of modules alone is graded too. The submission itself is not touched.
    """
    student = submission.student
    _expect_released(course)
    with tempfile.TemporaryDirectory(prefix="autograde-") as aside:
        folder = Path(aside) / student / course.manifest.name
        folder.mkdir(parents=True)
        for released in sorted((course.release / course.manifest.name).glob("*.ipynb")):
            notebook, _ = read_notebook(submission.files.get(released.name, b""))
            data = nbformat.writes(notebook, version=4).encode() if notebook else released.read_bytes()
            (folder / released.name).write_bytes(data)
        timestamp = _timestamp(course.submitted(student) / "timestamp.txt")
        if timestamp:
            (folder / "timestamp.txt").write_text(timestamp, encoding="utf-8")
        autograde(course, student, aside)


def _expect_released(course):
    """Make sure the gradebook knows the assignment; KitError where the release was never made in this course."""
    try:
        with Gradebook(course.db_url) as gradebook:
            gradebook.find_assignment(course.manifest.name)
    except MissingEntry:
        raise KitError(
            f"{course.root}: the gradebook does not know {course.manifest.name}. Run: autograder release"
        ) from None


def _timestamp(path):
    """Return the text of a timestamp that nbgrader can read, or None: a damaged one must not cost the grades."""
    if not path.is_file() or path.is_symlink():
        return None
    try:
        text = path.read_bytes()[:100].decode().strip()
        parse_utc(text)
        return text
    except (ValueError, OverflowError):
        return None
