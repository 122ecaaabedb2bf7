"""A whole class: judge every submission, record every grade, write every page."""

import multiprocessing
import os
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from autograder import checks
from autograder.collect import tidy
from autograder.course import Course
from autograder.errors import KitError
from autograder.gradebook import expect_released, record, recorded
from autograder.html import write_class
from autograder.reports import read_of, report_for
from autograder.sandbox import choose_isolation


@dataclass
class Graded:
    """How one student's grading ended: a report, or the sentence that says why there is none."""

    student: str
    report: object = None
    problem: str = ""


def grade_class(course, students=None, force=False, sandbox=None, jobs=None, progress=None):
    """Grade the submissions of a class and return one Graded for each student, sorted by id.

    Judging runs in parallel; the gradebook is written by this process alone. A student whose report and grades are up
    to date is passed over, so an interrupted run goes on where it stopped.

    - students: ids (default: everyone with a submission)
    - force: judge and record anew in any case
    - sandbox: the name of the only isolation that will do (default: the best there is)
    - jobs: submissions judged at once (default: one for each core); 1 judges in this process
    - progress: called with each Graded as it is done
    """
    expect_released(course)
    isolation = choose_isolation(sandbox, course.secrets)
    tidy(course)
    students = course.students() if students is None else list(students)
    jobs = min(jobs or os.cpu_count() or 1, len(students))
    done = []
    for student, judged in _judge_all(course, students, isolation, force, jobs):
        graded = Graded(student)
        try:
            graded.report = judged()
            if force or not recorded(course, student, graded.report):
                record(course, read_of(course, student))
        except KitError as error:
            graded.problem = str(error)
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
    waiting = list(students)
    while waiting:
        # Whose judge was killed is seen where each is judged alone.
        for student in (yield from _judge_in_pool(course, waiting, isolation, force, jobs)):
            if (yield from _judge_in_pool(course, [student], isolation, force, 1)):
                yield student, _say_killed


def _judge_in_pool(course, waiting, isolation, force, jobs):
    """Judge the students taken from the list `waiting`; return those who were being judged as a process was killed."""
    running, lost = {}, []
    # Processes, not threads: Python 3.11's ast module breaks when two threads parse at once.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        while running or waiting and not lost:
            while waiting and not lost and len(running) < 2 * jobs:  # few, for all of these are lost at once
                student = waiting.pop(0)
                try:
                    running[pool.submit(_judge_one, course.root, student, isolation, force)] = student
                except BrokenProcessPool:
                    lost.append(student)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                student = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(student)
                else:
                    yield student, future.result
    return lost


def _say_killed():
    raise KitError("its judge was killed (out of memory?)")


def _judge_one(root, student, isolation, force):
    return report_for(Course(root), student, isolation, force)
