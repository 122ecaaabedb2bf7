"""A whole class: judge every submission, record every grade, write every page."""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from autograder import checks
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

    Judging runs in parallel; the gradebook is written by one thread. A student whose report and grades are up to date is passed
    over, so an interrupted run goes on where it stopped.

    - students: ids (default: everyone with a submission)
    - force: judge and record anew in any case
    - progress: called with each Graded as it is done
    """
    isolation = choose_isolation(require_sandbox, course.secrets)
    students = course.students() if students is None else list(students)
    done = []
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        futures = {pool.submit(report_for, course, student, isolation, force): student for student in students}
        for future in as_completed(futures):
            graded = Graded(futures[future])
            try:
                graded.report = future.result()
                if force or not recorded(course, graded.student, graded.report):
                    record(course, read_of(course, graded.student))
            except Exception as error:  # one student's trouble must not stop the class
                graded.problem = f"{type(error).__name__}: {error}"
            done.append(graded)
            if progress:
                progress(graded)
    done.sort(key=lambda graded: graded.student)
    write_class([graded.report for graded in done if graded.report], course.reports, checks.heat_map)
    return done
