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
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.grading.retry import RetryLater
from autograder.grading.submission import judge
from autograder.intake.submission import Submission
from autograder.report.model import Report
from autograder.runtime.signals import block_terminal_signals
from autograder.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Job:
    """A submission to be judged; the fields are those of grading.judge."""

    submission: Submission
    manifest: Manifest
    isolation: Isolation
    hidden: tuple[Path, ...]
    secret: tuple[int, ...]

    def run(self, alone: bool) -> Report:
        """Judge the submission in this process; RetryLater where it is not `alone` and reaches a limit."""
        return judge(
            self.submission, self.manifest, self.isolation, hidden=self.hidden, secret=self.secret, alone=alone
        )


def judge_all(jobs: Iterable[Job], processes: int) -> Iterator[tuple[Job, Callable[[], Report]]]:
    """Yield each job with a function that returns its report or raises, in the order in which they are done.

    First all are judged side by side. A submission that reaches a limit there is judged again after all others, and
    alone; until then it has no report, so a run that is killed begins it anew.

    - processes: jobs at once; 1 judges in this process
    """
    if processes <= 1:
        for job in jobs:
            yield job, partial(job.run, alone=True)
        return
    later = yield from _judge_side_by_side(iter(jobs), processes)
    yield from _judge_side_by_side(iter(later), 1)


Judged = Generator[tuple[Job, Callable[[], Report]], None, list[Job]]


def _judge_side_by_side(waiting: Iterator[Job], processes: int) -> Judged:
    """Judge so many jobs at once; return those that reached a limit and are to be judged later."""
    later: list[Job] = []
    for first in waiting:
        lost = yield from _judge_in_pool(chain([first], waiting), processes, later)
        for job in lost:  # the job whose judge was killed is found where each is judged alone
            if (yield from _judge_in_pool(iter([job]), 1, later)):
                yield job, _raise_killed
    return later


def _judge_in_pool(waiting: Iterator[Job], processes: int, later: list[Job]) -> Judged:
    """Judge jobs until none is left or a process is killed; return the jobs that were being judged then.

    - later: the list that gets the jobs that reach a limit beside others
    """
    running: dict[Future, Job] = {}
    lost: list[Job] = []
    is_exhausted = False
    # Few, for all of them are lost at once. One where it has to be alone: also while another one is recorded.
    at_once = 2 * processes if processes > 1 else 1
    # Processes, not threads: Python 3.11's ast module fails when two threads parse at once.
    with _pool(processes) as pool:
        while running or not (is_exhausted or lost):
            while not is_exhausted and not lost and len(running) < at_once:
                job = next(waiting, None)
                if job is None:
                    is_exhausted = True
                    break
                try:
                    with block_terminal_signals():
                        running[pool.submit(_run, job, processes == 1)] = job
                except BrokenProcessPool:
                    lost.append(job)
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                job = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(job)
                elif isinstance(future.exception(), RetryLater):
                    later.append(job)
                else:
                    yield job, future.result
    return lost


def _run(job: Job, alone: bool) -> Report:
    return job.run(alone)


def _raise_killed() -> Report:
    raise KitError("its judge was killed (out of memory?)")


@contextlib.contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of judges, which are stopped where the block ends early."""
    others = set(multiprocessing.active_children())
    with block_terminal_signals():  # the process that counts semaphores starts here
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
