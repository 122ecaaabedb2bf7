"""Judge many submissions at the same time, each in a separate process.

A judge process imports `autograder.grading`, but no module of a course. It receives a Job and returns a Report.
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
from autograder.grading.setting import make_setting
from autograder.grading.submission import judge
from autograder.intake.submission import Submission
from autograder.report.model import Report
from autograder.runtime.signals import block_terminal_signals
from autograder.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Job:
    """A submission to be judged; the other fields are arguments of make_setting, which other processes can receive."""

    submission: Submission
    manifest: Manifest
    isolation: Isolation
    hidden: tuple[Path, ...]
    secret: tuple[int, ...]

    def run(self, alone: bool) -> Report:
        """Judge the submission in this process; `alone` and RetryLater are as in grading.judge."""
        setting = make_setting(self.manifest, self.isolation, hidden=self.hidden, secret=self.secret)
        return judge(self.submission, setting, alone=alone)


def judge_all(jobs: Iterable[Job], processes: int) -> Iterator[tuple[Job, Callable[[], Report]]]:
    """Yield each job as soon as it is judged, with a function that returns its report or raises.

    First, all jobs are judged side by side. A submission that reaches a limit there is judged again, alone, after all
    others. Until then it has no report, so that the run after a killed run judges it again.

    - processes: the number of jobs at the same time; 1 judges in this process
    """
    if processes <= 1:
        for job in jobs:
            yield job, partial(job.run, alone=True)
        return
    later = yield from _judge_side_by_side(iter(jobs), processes)
    yield from _judge_side_by_side(iter(later), 1)


Judged = Generator[tuple[Job, Callable[[], Report]], None, list[Job]]


def _judge_side_by_side(waiting: Iterator[Job], processes: int) -> Judged:
    """Judge up to `processes` jobs at the same time; return the jobs that reached a limit, to be judged later."""
    later: list[Job] = []
    for first in waiting:
        lost = yield from _judge_in_pool(chain([first], waiting), processes, later)
        for job in lost:  # judged one by one, to find the job whose judge is killed
            if (yield from _judge_in_pool(iter([job]), 1, later)):
                yield job, _raise_killed
    return later


def _judge_in_pool(waiting: Iterator[Job], processes: int, later: list[Job]) -> Judged:
    """Judge jobs until none is left or a process is killed; return the jobs that were lost with it.

    - later: list to which the jobs that reach a limit are added
    """
    running: dict[Future, Job] = {}
    lost: list[Job] = []
    is_exhausted = False
    # Few, because all of them are lost if a process is killed. A single process has one job, so that it is alone.
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
    """Yield a pool of judge processes; if the block raises, they are stopped."""
    others = set(multiprocessing.active_children())
    with block_terminal_signals():  # the pool starts a process that tracks semaphores
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
    """Set up a judge process: it uses the run's temporary folder, and ends at SIGTERM or when its parent ends."""
    tempfile.tempdir = temporary_folder
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(*_: object) -> None:
    """Raise SystemExit, so that the student's worker is stopped too; end the process if it waits for more jobs."""

    def end() -> None:
        time.sleep(1)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    sys.exit()
