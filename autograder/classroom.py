"""A whole class: judge every submission, record every grade, write every page."""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from autograder import checks, secret
from autograder.collect import tidy
from autograder.course import Course
from autograder.errors import KitError
from autograder.fairness import RetryLater
from autograder.files import expect_writable, remove_leftovers
from autograder.gradebook import expect_released, record, recorded
from autograder.html import write_class
from autograder.interrupts import shielded
from autograder.lms import why_not_an_id
from autograder.locks import alone
from autograder.release import recover
from autograder.reports import read_of, report_for
from autograder.sandbox import choose_isolation
from autograder.scratch import scratch
from autograder.storage import as_storage_error


@dataclass
class Graded:
    """How one student's grading ended: a report, or the sentence that says why there is none."""

    student: str
    report: object = None
    problem: str = ""


def grade_class(course, students=None, force=False, sandbox=None, jobs=None, progress=None, wait_for_others=None):
    """Grade the submissions of a class and return one Graded for each student, sorted by id.

    Judging runs in parallel; the gradebook is written by this process alone. A student whose report and grades are up
    to date is passed over, so an interrupted run goes on where it stopped.

    - students: ids (default: everyone with a submission)
    - force: judge and record anew in any case
    - sandbox: the name of the only isolation that will do (default: the best there is)
    - jobs: submissions judged at once (default: one for each core); 1 judges in this process
    - progress: called with each Graded as it is done
    - wait_for_others: what to do while another command is at work in this course, as for `locks.alone`

    Raises Busy where one is and is not to be waited for, and StorageError where nobody's grades could be kept: what was
    recorded before is.
    """
    with alone(course.root, "autograder grade", wait_for_others), scratch(course.root):
        isolation = choose_isolation(sandbox, course.secrets)
        _prepare(course)
        students = course.students() if students is None else list(students)
        done = [Graded(student, problem=why) for student in students if (why := why_not_an_id(student))]
        students = [student for student in students if not why_not_an_id(student)]
        jobs = min(jobs or os.cpu_count() or 1, len(students))
        with contextlib.closing(_judge_all(course, students, isolation, force, jobs)) as all_judged:
            for student, judged in all_judged:
                done.append(_graded(course, student, judged, force))
                if progress:
                    progress(done[-1])
        done.sort(key=lambda graded: graded.student)
        write_class([graded.report for graded in done if graded.report], course.reports, checks.heat_map)
        return done


def _prepare(course):
    """End what commands that were killed left half done, and see that there is room for what is to be written."""
    tidy(course)
    recover(course, course.manifest)
    secret.remove_leftovers(course.root)
    expect_released(course)
    for folder in (course.reports, course.autograded("student").parents[1]):
        expect_writable(folder)
        remove_leftovers(folder)


def _graded(course, student, judged, force):
    """Record what `judged()` returns and return the Graded; StorageError where the next one would fare no better."""
    graded = Graded(student)
    try:
        graded.report = judged()
        if force or not recorded(course, student, graded.report):
            record(course, read_of(course, student))
    except Exception as error:  # one student's trouble must not stop the class
        trouble = as_storage_error(error)
        if trouble and trouble.everywhere:
            raise trouble from None
        known = trouble or (error if isinstance(error, KitError) else None)
        graded.problem = str(known or f"{type(error).__name__}: {error}")
    return graded


def _judge_all(course, students, isolation, force, jobs):
    """Yield (student, function that returns the report or raises), in the order they are done.

    First all are judged side by side. A submission that reaches a limit there is judged again at the end, one after the
    other; until then it has no report, so a run that is killed begins it anew.
    """
    if jobs <= 1:
        for student in students:
            yield student, lambda student=student: report_for(course, student, isolation, force, complete=True)
        return
    later = yield from _judge_side_by_side(course, students, isolation, force, jobs)
    yield from _judge_side_by_side(course, later, isolation, force, 1)


def _judge_side_by_side(course, students, isolation, force, jobs):
    """Judge so many at once, each whose judge was killed on its own; return those who are to be judged later."""
    waiting, later = list(students), []
    while waiting:
        # Whose judge was killed is seen where each is judged alone.
        for student in (yield from _judge_in_pool(course, waiting, isolation, force, jobs, later)):
            if (yield from _judge_in_pool(course, [student], isolation, force, 1, later)):
                yield student, _say_killed
    return later


def _judge_in_pool(course, waiting, isolation, force, jobs, later):
    """Judge the students taken from the list `waiting`; return those who were being judged as a process was killed.

    - later: the list that gets those who reached a limit beside others
    """
    running, lost = {}, []
    # Processes, not threads: Python 3.11's ast module breaks when two threads parse at once.
    with _pool(jobs) as pool:
        while running or waiting and not lost:
            # Few, for all of these are lost at once. One where it has to be alone: also while another one is recorded.
            while waiting and not lost and len(running) < (2 * jobs if jobs > 1 else 1):
                student = waiting.pop(0)
                try:
                    with shielded():
                        future = pool.submit(_judge_one, course.root, student, isolation, force, jobs == 1)
                    running[future] = student
                except BrokenProcessPool:
                    lost.append(student)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                student = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(student)
                elif isinstance(future.exception(), RetryLater):
                    later.append(student)
                else:
                    yield student, future.result
    return lost


@contextlib.contextmanager
def _pool(jobs):
    """Give a pool of judges, which are stopped where the block is left early."""
    others = set(multiprocessing.active_children())
    with shielded():  # the process that keeps count of semaphores starts here
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _obey, (tempfile.tempdir,))
    try:
        yield pool
    except BaseException:
        for judge in set(multiprocessing.active_children()) - others:
            judge.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _obey(scratch_folder):
    """Set up a judge: its temporary files in the run's own folder, and an end when it is told or left alone."""
    tempfile.tempdir = scratch_folder
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(*_):
    """Unwind, so that the student's worker is stopped too; the pool would take that for an answer and wait for more."""

    def end():
        time.sleep(1)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    sys.exit()


def _say_killed():
    raise KitError("its judge was killed (out of memory?)")


def _judge_one(root, student, isolation, force, alone):
    return report_for(Course(root), student, isolation, force, complete=True, alone=alone)
