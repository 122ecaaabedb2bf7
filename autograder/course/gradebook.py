"""nbgrader's gradebook: how a report gets into it, and how to tell whether it is there already."""

import hashlib
import tempfile
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.utils import parse_utc

from autograder.course.database import open_gradebook, prepare_gradebook
from autograder.course.nbgrader_runner import autograde
from autograder.course.report_store import report_path
from autograder.errors import KitError
from autograder.intake.safe_notebook import read_notebook
from autograder.runtime.atomic import write_atomically


def recorded(course, student, report):
    """Say whether this very report went into the gradebook, to the end, and its scores are still there."""
    note = _note(course, student)
    if not course.autograded(student).is_dir() or not note.is_file():
        return False
    if note.read_bytes() != _digest(course, student).encode():
        return False
    try:
        with open_gradebook(course) as gradebook:
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
    expect_released(course)
    _note(course, student).unlink(missing_ok=True)  # from here to the end what is there may be half of it
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
    write_atomically(_note(course, student), _digest(course, student).encode())


def _note(course, student):
    """The file that says which report was recorded; written last, so that an interrupted run does it again."""
    return report_path(course, student).with_name("recorded.sha256")


def _digest(course, student):
    return hashlib.sha256(report_path(course, student).read_bytes()).hexdigest()


def expect_released(course):
    """Make sure the release is there and the gradebook knows it; KitError where it was never made in this course.

    Raises StorageError where the gradebook cannot be used.
    """
    prepare_gradebook(course)
    try:
        with open_gradebook(course) as gradebook:
            gradebook.find_assignment(course.manifest.name)
        if not (course.release / course.manifest.name).is_dir():
            raise MissingEntry
    except MissingEntry:
        raise KitError(
            f"{course.root}: there is no release of {course.manifest.name}, or the gradebook does not know it. "
            "Run: autograder release"
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
