"""nbgrader's gradebook: how a report gets into it, and how to tell whether it is there already."""

import tempfile
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from autograder.course import autograde
from autograder.errors import KitError


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

    nbgrader wants every released notebook, readable and by its name. What is missing or broken is filled in from the release, so
    that a hand-in of modules alone is graded too. The submission itself is not touched.
    """
    student = submission.student
    _expect_released(course)
    with tempfile.TemporaryDirectory(prefix="autograde-") as aside:
        folder = Path(aside) / student / course.manifest.name
        folder.mkdir(parents=True)
        for released in sorted((course.release / course.manifest.name).glob("*.ipynb")):
            data = _usable(submission.files.get(released.name)) or released.read_bytes()
            (folder / released.name).write_bytes(data)
        timestamp = course.submitted(student) / "timestamp.txt"
        if timestamp.is_file() and not timestamp.is_symlink():
            (folder / "timestamp.txt").write_bytes(timestamp.read_bytes()[:100])
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


def _usable(data):
    """Return the bytes of a notebook that nbgrader can read, in today's format, or None."""
    if data is None:
        return None
    try:
        notebook = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        nbformat.validate(notebook)
        return nbformat.writes(notebook, version=4).encode()
    except Exception:  # strangers' files: whatever nbformat raises, the notebook is not usable
        return None
