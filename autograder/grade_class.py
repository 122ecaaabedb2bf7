"""Grade a class: judge every submission, record every grade, write every page."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from autograder.checking.pack import load_pack
from autograder.course.course import Course
from autograder.course.database import find_gradebook_error
from autograder.course.gradebook import expect_released, is_recorded, record
from autograder.course.report_store import find_valid_report, get_report_path, read_student_submission
from autograder.errors import KitError
from autograder.grading.pool import Job, judge_all
from autograder.intake.collect import finish_interrupted_collect
from autograder.intake.lms_names import find_id_problem
from autograder.intake.submission import Submission
from autograder.release.publish import recover
from autograder.report.html import write_class_pages
from autograder.report.model import Report
from autograder.runtime import secret as grading_secret
from autograder.runtime.atomic import expect_writable, remove_partial_files
from autograder.runtime.locks import lock_folder
from autograder.runtime.temporary import use_scratch_folder
from autograder.sandbox.isolation import Isolation, choose_isolation


@dataclass
class GradedStudent:
    """The result of grading one student: a report, or the sentence that says why there is none."""

    student: str
    report: Report | None = None
    problem: str = ""


def grade_class(
    course: Course,
    students: Sequence[str] | None = None,
    force: bool = False,
    sandbox: str | None = None,
    jobs: int | None = None,
    progress: Callable[[GradedStudent], None] | None = None,
    wait_for_others: Callable[[str], None] | None = None,
) -> list[GradedStudent]:
    """Grade the submissions of a class and return one GradedStudent for each student, sorted by id.

    Judging runs in parallel; only this process writes reports and gradebook. A student whose report and grades are up
    to date is not judged again, so a run continues an interrupted one.

    - students: ids (default: every student with a submission)
    - force: judge and record every student again
    - sandbox: the name of the only accepted sandbox (default: the strongest on this machine)
    - jobs: number of submissions that are judged at the same time (default: the number of cores); 1 uses no pool
    - progress: called with each GradedStudent
    - wait_for_others: called before waiting for another command in this course, as `wait` of `locks.lock_folder`

    Raises Busy if another command runs in this course and wait_for_others is None, and StorageError if no more grades
    can be written; the grades that were recorded before are kept.
    """
    with lock_folder(course.root, "autograder grade", wait_for_others), use_scratch_folder(course.root):
        isolation = choose_isolation(sandbox, course.secrets)
        _prepare(course)
        students = course.students() if students is None else list(students)
        graded_students = [
            GradedStudent(student, problem=problem) for student in students if (problem := find_id_problem(student))
        ]
        students = [student for student in students if not find_id_problem(student)]
        processes = min(jobs or os.cpu_count() or 1, len(students))
        with contextlib.closing(_judge_submissions(course, students, isolation, force, processes)) as all_judged:
            for submission, get_report in all_judged:
                graded_students.append(_record(course, submission, get_report, force))
                if progress:
                    progress(graded_students[-1])
        graded_students.sort(key=lambda graded: graded.student)
        heat_map = load_pack(course.manifest).heat_map
        write_class_pages([graded.report for graded in graded_students if graded.report], course.reports, heat_map)
        return graded_students


def _prepare(course: Course) -> None:
    """Finish the work of killed commands, and check that reports and grades can be written."""
    finish_interrupted_collect(course)
    recover(course, course.manifest)
    grading_secret.remove_partial_secrets(course.root)
    expect_released(course)
    for folder in (course.reports, course.autograded("student").parents[1]):
        expect_writable(folder)
        remove_partial_files(folder)


def _judge_submissions(
    course: Course, students: Sequence[str], isolation: Isolation, force: bool, processes: int
) -> Generator[tuple[Submission, Callable[[], Report]], None, None]:
    """Yield each submission, read once, with a function that returns its report or raises.

    The function of a newly judged submission also writes the report to its file.
    """
    ready: deque[tuple[Submission, Callable[[], Report]]] = deque()  # submissions that need or allow no judging

    def make_jobs() -> Iterator[Job]:
        for student in students:
            try:
                submission = read_student_submission(course, student)
                known = None if force else find_valid_report(course, submission, isolation, complete=True)
                secret = grading_secret.load_secret(course.root)
            except Exception as error:  # a problem of this student; _record knows which problems concern all students
                ready.append((Submission(student, {}, student=student), partial(_raise, error)))
                continue
            if known:
                ready.append((submission, partial(_return, known)))
            else:
                yield Job(submission, course.manifest, isolation, course.secrets, secret)

    for job, get_report in judge_all(make_jobs(), processes):
        while ready:
            yield ready.popleft()
        yield job.submission, partial(_save, course, job.submission, get_report)
    yield from ready


def _save(course: Course, submission: Submission, get_report: Callable[[], Report]) -> Report:
    report = get_report()
    report.save(get_report_path(course, submission.student or ""))
    return report


def _return(report: Report) -> Report:
    return report


def _raise(error: Exception) -> Report:
    raise error


def _record(course: Course, submission: Submission, get_report: Callable[[], Report], force: bool) -> GradedStudent:
    """Record the report of get_report(); raise StorageError if the next student would meet the same problem."""
    graded = GradedStudent(submission.student or "")
    try:
        graded.report = get_report()
        if force or not is_recorded(course, graded.student, graded.report):
            record(course, submission)
    except Exception as error:  # a problem of one student must not stop the class
        storage_error = find_gradebook_error(error, course.db_url)
        if storage_error and storage_error.everywhere:
            raise storage_error from None
        known = storage_error or (error if isinstance(error, KitError) else None)
        graded.problem = str(known or f"{type(error).__name__}: {error}")
    return graded
