"""The reports of a class: one file for each student, made anew only when submission or kit has changed."""

from autograder import report
from autograder.errors import KitError
from autograder.judge import judge, kit_of
from autograder.sandbox import choose_isolation
from autograder.secret import secret_of
from autograder.storage import raise_everywhere
from autograder.submission import Submission, read_submission


def report_path(course, student):
    return course.reports / student / "report.json"


def report_for(course, student, isolation=None, force=False, complete=False, alone=True):
    """Return the up-to-date report of a student's submission: the one on file, or a new one, which is then on file.

    - isolation: from choose_isolation; None takes the report on file whatever it was judged in, else the best there is
    - force: judge anew in any case
    - alone: as for judge.judge, which may raise RetryLater; nothing is on file then
    - complete: judge anew where the grader itself failed, which may have been a passing shortage
    """
    submission = read_of(course, student)
    path = report_path(course, student)
    known = None if force else _on_file(path)
    if known and _still_true(known, submission, isolation, course.manifest) and (known.is_complete or not complete):
        return known
    isolation = isolation or choose_isolation(secrets=course.secrets)
    secret = secret_of(course.root)
    fresh = judge(submission, course.manifest, isolation, hidden=course.secrets, secret=secret, alone=alone)
    fresh.save(path)
    return fresh


def read_of(course, student):
    """Return a student's Submission; an unusable one is empty and carries the reason, so that it is graded 0."""
    folder = course.submitted(student)
    try:
        return read_submission(folder, course.manifest, student)
    except KitError as error:
        raise_everywhere(error)
        why = f"{folder} is a file, and a folder is expected." if folder.is_file() else error
        return Submission(folder.name, {}, [f"Nothing could be graded. {why}"], student)


def _on_file(path):
    """Return the report in a file, or None where there is none that is as it was written."""
    try:
        return report.load(path) if path.is_file() else None  # reading from a pipe would never end
    except Exception:  # whatever a damaged file trips
        return None


def _still_true(known, submission, isolation, manifest):
    same = known.submission["digest"] == submission.digest and known.submission["student"] == submission.student
    as_wanted = isolation is None or known.isolation["name"] == isolation.name
    return same and as_wanted and known.kit == kit_of(manifest)
