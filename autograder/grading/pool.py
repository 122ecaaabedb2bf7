"""Judging many submissions at once, each in a process of its own.

A process that judges loads `autograder.grading` and nothing of the course: it gets a Job and returns a Report.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment.manifest import read_manifest
from autograder.errors import KitError
from autograder.grading.submission import judge
from autograder.intake.submission import Submission
from autograder.report.model import Report
from autograder.runtime.signals import shielded
from autograder.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Job:
    """A submission to be judged: with the assignment in the folder `root`, otherwise as for grading.judge."""

    submission: Submission
    root: Path
    isolation: Isolation
    hidden: tuple[Path, ...]
    secret: tuple[int, ...]

    def run(self) -> Report:
        """Judge the submission in this process."""
        manifest = read_manifest(self.root)
        return judge(self.submission, manifest, self.isolation, hidden=self.hidden, secret=self.secret)


def judge_all(jobs: Iterable[Job], processes: int) -> Iterator[tuple[Job, Callable[[], Report]]]:
    """Yield each job with a function that returns its report or raises, in the order in which they are done.

    - processes: jobs at once; 1 judges in this process
    """
    if processes <= 1:
        for job in jobs:
            yield job, job.run
        return
    waiting = iter(jobs)
    while True:
        lost, is_exhausted = yield from _judge_in_pool(waiting, processes)
        for job in lost:  # the job whose judge was killed is found where each is judged alone
            again, _ = yield from _judge_in_pool(iter([job]), 1)
            if again:
                yield job, _raise_killed
        if is_exhausted:
            return


def _judge_in_pool(waiting: Iterator[Job], processes: int):
    """Judge jobs; return those that were being judged when a process was killed, and whether no job is left."""
    running: dict[Future, Job] = {}
    lost: list[Job] = []
    is_exhausted = False
    # Processes, not threads: Python 3.11's ast module fails when two threads parse at once.
    with _pool(processes) as pool:
        while running or not (is_exhausted or lost):
            while not is_exhausted and not lost and len(running) < 2 * processes:  # few: all of these are lost at once
                job = next(waiting, None)
                if job is None:
                    is_exhausted = True
                    break
                try:
                    with shielded():
                        running[pool.submit(_run, job)] = job
                except BrokenProcessPool:
                    lost.append(job)
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                job = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(job)
                else:
                    yield job, future.result
    return lost, is_exhausted


def _run(job: Job) -> Report:
    return job.run()


def _raise_killed() -> Report:
    raise KitError("its judge was killed (out of memory?)")


@contextlib.contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of judges, which are stopped where the block ends early."""
    others = set(multiprocessing.active_children())
    with shielded():  # the process that counts semaphores starts here
        pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _prepare, (tempfile.tempdir,))
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(temporary_folder: str | None) -> None:
    """Set up a judge: temporary files in the run's own folder; it ends when told to, or when its parent ends."""
    tempfile.tempdir = temporary_folder
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(*_) -> None:
    """Unwind, so that the student's worker is stopped too; then end the process, which would wait for more jobs."""

    def end() -> None:
        time.sleep(1)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    sys.exit()
