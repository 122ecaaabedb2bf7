"""A whole class: judge every submission, record every grade, write every page."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from autograder.checking.pack import load_pack
from autograder.course.course import Course
from autograder.course.database import as_gradebook_error
from autograder.course.gradebook import expect_released, is_recorded, record
from autograder.course.report_store import known_report, read_submitted, report_path
from autograder.errors import KitError
from autograder.grading.pool import Job, judge_all
from autograder.intake.collect import tidy
from autograder.intake.lms_names import why_not_an_id
from autograder.intake.submission import Submission
from autograder.release.publish import recover
from autograder.report.html import write_class
from autograder.report.model import Report
from autograder.runtime import secret as grading_secret
from autograder.runtime.atomic import expect_writable, remove_leftovers
from autograder.runtime.locks import alone
from autograder.runtime.temporary import scratch
from autograder.sandbox.isolation import Isolation, choose_isolation


@dataclass
class Graded:
    """How one student's grading ended: a report, or the sentence that says why there is none."""

    student: str
    report: Report | None = None
    problem: str = ""


def grade_class(
    course: Course,
    students: Sequence[str] | None = None,
    force: bool = False,
    sandbox: str | None = None,
    jobs: int | None = None,
    progress: Callable[[Graded], None] | None = None,
    wait_for_others: Callable[[str], None] | None = None,
) -> list[Graded]:
    """Grade the submissions of a class and return one Graded for each student, sorted by id.

    Judging runs in parallel; this process alone writes reports and gradebook. A student whose report and grades are up
    to date is passed over, so an interrupted run goes on where it stopped.

    - students: ids (default: everyone with a submission)
    - force: judge and record anew in any case
    - sandbox: the name of the only isolation that is accepted (default: the best there is)
    - jobs: submissions judged at once (default: one for each core); 1 judges in this process
    - progress: called with each Graded as it is done
    - wait_for_others: what to do while another command is at work in this course, as for `locks.alone`

    Raises Busy where another command is at work and is not to be waited for, and StorageError where no more grades
    can be kept; the grades that were recorded before are kept.
    """
    with alone(course.root, "autograder grade", wait_for_others), scratch(course.root):
        isolation = choose_isolation(sandbox, course.secrets)
        _prepare(course)
        students = course.students() if students is None else list(students)
        done = [Graded(student, problem=why) for student in students if (why := why_not_an_id(student))]
        students = [student for student in students if not why_not_an_id(student)]
        processes = min(jobs or os.cpu_count() or 1, len(students))
        with contextlib.closing(_judged(course, students, isolation, force, processes)) as all_judged:
            for submission, judged in all_judged:
                done.append(_recorded(course, submission, judged, force))
                if progress:
                    progress(done[-1])
        done.sort(key=lambda graded: graded.student)
        heat_map = load_pack(course.manifest).heat_map
        write_class([graded.report for graded in done if graded.report], course.reports, heat_map)
        return done


def _prepare(course: Course) -> None:
    """Complete what killed commands left half done, and see that what is to be written can be written."""
    tidy(course)
    recover(course, course.manifest)
    grading_secret.remove_leftovers(course.root)
    expect_released(course)
    for folder in (course.reports, course.autograded("student").parents[1]):
        expect_writable(folder)
        remove_leftovers(folder)


def _judged(
    course: Course, students: Sequence[str], isolation: Isolation, force: bool, processes: int
) -> Iterator[tuple[Submission, Callable[[], Report]]]:
    """Yield each submission, read once, with a function that returns its report, on file from then on, or raises."""
    ready: deque[tuple[Submission, Callable[[], Report]]] = deque()  # nothing to judge, or nothing to be read

    def jobs() -> Iterator[Job]:
        for student in students:
            try:
                submission = read_submitted(course, student)
                known = None if force else known_report(course, submission, isolation, complete=True)
                secret = grading_secret.secret_of(course.root)
            except Exception as error:  # told of this student alone; _recorded knows which trouble concerns everybody
                ready.append((Submission(student, {}, student=student), partial(_raise, error)))
                continue
            if known:
                ready.append((submission, partial(_same, known)))
            else:
                yield Job(submission, course.manifest.root, isolation, course.secrets, secret)

    for job, judged in judge_all(jobs(), processes):
        while ready:
            yield ready.popleft()
        yield job.submission, partial(_saved, course, job.submission, judged)
    yield from ready


def _saved(course: Course, submission: Submission, judged: Callable[[], Report]) -> Report:
    report = judged()
    report.save(report_path(course, submission.student or ""))
    return report


def _same(report: Report) -> Report:
    return report


def _raise(error: Exception) -> Report:
    raise error


def _recorded(course: Course, submission: Submission, judged: Callable[[], Report], force: bool) -> Graded:
    """Record what `judged()` returns and return the Graded; StorageError where the next one would fail as well."""
    graded = Graded(submission.student or "")
    try:
        graded.report = judged()
        if force or not is_recorded(course, graded.student, graded.report):
            record(course, submission)
    except Exception as error:  # one student's trouble must not stop the class
        trouble = as_gradebook_error(error, course.db_url)
        if trouble and trouble.everywhere:
            raise trouble from None
        known = trouble or (error if isinstance(error, KitError) else None)
        graded.problem = str(known or f"{type(error).__name__}: {error}")
    return graded
