"""A whole class: judge every submission, record every grade, write every page."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from autograder import checks
from autograder.course import Course
from autograder.gradebook import record, recorded
from autograder.html import write_class
from autograder.reports import read_of, report_for
from autograder.sandbox import choose_isolation


@dataclass
class Graded:
    """How one student's grading ended: a report, or the sentence that says why there is none."""

    student: str
    report: object = None
    problem: str = ""


def grade_class(course, students=None, force=False, require_sandbox=False, jobs=None, progress=None):
    """Grade the submissions of a class and return one Graded for each student, sorted by id.

    Judging runs in parallel; the gradebook is written by this process alone. A student whose report and grades are up
    to date is passed over, so an interrupted run goes on where it stopped.

    - students: ids (default: everyone with a submission)
    - force: judge and record anew in any case
    - jobs: submissions judged at once (default: one for each core); 1 judges in this process
    - progress: called with each Graded as it is done
    """
    isolation = choose_isolation(require_sandbox, course.secrets)
    students = course.students() if students is None else list(students)
    jobs = min(jobs or os.cpu_count() or 1, len(students))
    done = []
    for student, judged in _judge_all(course, students, isolation, force, jobs):
        graded = Graded(student)
        try:
            graded.report = judged()
            if force or not recorded(course, student, graded.report):
                record(course, read_of(course, student))
        except Exception as error:  # one student's trouble must not stop the class
            graded.problem = f"{type(error).__name__}: {error}"
        done.append(graded)
        if progress:
            progress(graded)
    done.sort(key=lambda graded: graded.student)
    write_class([graded.report for graded in done if graded.report], course.reports, checks.heat_map)
    return done


def _judge_all(course, students, isolation, force, jobs):
    """Yield (student, function that returns the report or raises), in the order they are done."""
    if jobs <= 1:
        for student in students:
            yield student, lambda student=student: report_for(course, student, isolation, force)
        return
    # Processes, not threads: Python 3.11's ast module breaks when two threads parse at once.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(_judge_one, course.root, student, isolation, force): student for student in students}
        for future in as_completed(futures):
            yield futures[future], future.result


def _judge_one(root, student, isolation, force):
    return report_for(Course(root), student, isolation, force)
