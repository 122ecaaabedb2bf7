"""Record a report in nbgrader's gradebook, and find out whether it is recorded."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.utils import parse_utc

from autograder.course.course import Course
from autograder.course.database import open_gradebook, prepare_gradebook
from autograder.course.nbgrader_runner import autograde
from autograder.course.report_store import get_report_path
from autograder.errors import KitError
from autograder.intake.safe_notebook import read_notebook
from autograder.intake.submission import Submission
from autograder.report.model import Report
from autograder.runtime.atomic import write_atomically


def is_recorded(course: Course, student: str, report: Report) -> bool:
    """Return whether this report is in the gradebook completely, and its scores are unchanged."""
    note = _get_note_path(course, student)
    if not course.autograded(student).is_dir() or not note.is_file():
        return False
    if note.read_bytes() != _compute_digest(course, student).encode():
        return False
    try:
        with open_gradebook(course) as gradebook:
            for question in report.questions:
                grade: Any = gradebook.find_grade(question.id, question.notebook, report.assignment, student)
                if grade.auto_score is None or abs(grade.auto_score - question.points) > 1e-9:
                    return False
    except MissingEntry:
        return False
    return True


def record(course: Course, submission: Submission) -> None:
    """Run nbgrader's autograde on a submission whose report is saved.

    nbgrader needs every released notebook, readable and under its name. Missing and broken ones come from the
    release, so that a submission without notebooks is graded too. The submission itself does not change.
    """
    student = submission.student or ""
    expect_released(course)
    _get_note_path(course, student).unlink(missing_ok=True)  # until the end the gradebook may have only a part of it
    with tempfile.TemporaryDirectory(prefix="autograde-") as staged:
        folder = Path(staged) / student / course.manifest.name
        folder.mkdir(parents=True)
        for released in sorted((course.release / course.manifest.name).glob("*.ipynb")):
            notebook, _ = read_notebook(submission.files.get(released.name, b""))
            data = (
                nbformat.writes(notebook, version=nbformat.NO_CONVERT).encode() if notebook else released.read_bytes()
            )
            (folder / released.name).write_bytes(data)
        timestamp = _read_timestamp(course.submitted(student) / "timestamp.txt")
        if timestamp:
            (folder / "timestamp.txt").write_text(timestamp, encoding="utf-8")
        autograde(course, student, staged)
    write_atomically(_get_note_path(course, student), _compute_digest(course, student).encode())


def _get_note_path(course: Course, student: str) -> Path:
    """Return the file with the digest of the recorded report, which is written last."""
    return get_report_path(course, student).with_name("recorded.sha256")


def _compute_digest(course: Course, student: str) -> str:
    return hashlib.sha256(get_report_path(course, student).read_bytes()).hexdigest()


def expect_released(course: Course) -> None:
    """Raise KitError unless the release exists and the gradebook knows it.

    Raise StorageError if the gradebook cannot be used.
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


def _read_timestamp(path: Path) -> str | None:
    """Return the text of a timestamp that nbgrader can read, or None: a damaged file must not cost the grades."""
    if not path.is_file() or path.is_symlink():
        return None
    try:
        text = path.read_bytes()[:100].decode().strip()
        parse_utc(text)
        return text
    except (ValueError, OverflowError):
        return None
