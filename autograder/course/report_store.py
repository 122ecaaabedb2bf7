"""The reports of a class: one file for each student, replaced only after a change of the submission or the kit."""

from pathlib import Path

from autograder.course.course import Course
from autograder.errors import KitError
from autograder.grading import judge, make_setting
from autograder.grading.kit import describe_kit
from autograder.intake.reading import read_submission
from autograder.intake.submission import Submission
from autograder.report import model
from autograder.report.model import Report
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.secret import load_secret
from autograder.sandbox.isolation import Isolation, choose_isolation


def get_report_path(course: Course, student: str) -> Path:
    """Return the file of a student's report."""
    return course.reports / student / "report.json"


def find_valid_report(
    course: Course, submission: Submission, isolation: Isolation | None, complete: bool
) -> Report | None:
    """Return the saved report if it is still valid for a submission, else None.

    - isolation: the required isolation of the report; None for any
    - complete: whether to reject a report in which the grader itself failed
    """
    known = _load_report_file(get_report_path(course, submission.student or ""))
    if known and _is_valid(known, submission, isolation, course) and (known.is_complete or not complete):
        return known
    return None


def load_or_make_report(course: Course, student: str) -> Report:
    """Return the report of a student's submission: the saved one if valid, else a new one, which is then saved."""
    submission = read_student_submission(course, student)
    known = find_valid_report(course, submission, None, complete=False)
    if known:
        return known
    isolation = choose_isolation(secrets=course.secrets)
    setting = make_setting(course.manifest, isolation, hidden=course.secrets, secret=load_secret(course.root))
    report = judge(submission, setting)
    report.save(get_report_path(course, student))
    return report


def read_student_submission(course: Course, student: str) -> Submission:
    """Return a student's Submission; an unusable one is empty, with the reason, so that its grade is 0."""
    folder = course.submitted(student)
    try:
        return read_submission(folder, course.manifest, student)
    except KitError as error:
        raise_if_everywhere(error)
        reason = f"{folder} is a file; expected a folder." if folder.is_file() else error
        return Submission(folder.name, {}, [f"Nothing could be graded. {reason}"], student)


def _load_report_file(path: Path) -> Report | None:
    """Return the report in a file, or None if there is no undamaged report."""
    try:
        return model.load_report(path) if path.is_file() else None  # reading from a pipe would never end
    except Exception:  # a damaged file may raise anything
        return None


def _is_valid(known: Report, submission: Submission, isolation: Isolation | None, course: Course) -> bool:
    same = known.submission["digest"] == submission.digest and known.submission["student"] == submission.student
    as_wanted = isolation is None or known.isolation["name"] == isolation.name
    return same and as_wanted and known.kit == describe_kit(course.manifest)
