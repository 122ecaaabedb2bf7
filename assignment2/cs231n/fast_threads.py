"""Threads for the fast layers: how many, how a batch is cut into parts for them, and how they share it on NumPy.

Python lets only one thread at a time run Python code. NumPy's loops are none: while they run, other threads may run as
well. (The compiled layers have threads of their own, which need no Python at all: see `crew.pxi`.)

How a batch is cut depends on its shape alone, and never on how many threads there are or which of them is faster. Sums
over a batch are therefore always added up in the same order, and come out the same to the last bit.
"""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor

WORTH_A_THREAD = 2**20  # multiplications: to wake a thread takes as long as about so many
MOST_PARTS = 16


def available():
    """How many threads to use: OMP_NUM_THREADS, which other libraries obey as well, or one for each processor."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    # A process may be confined to fewer processors than there are; not every system can say so.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


THREADS = available()  # may be set to another number


def cut(N, multiplications, most=MOST_PARTS):
    """Cut N images into parts of about equal size: a list of (number of the part, first image, image behind the last).

    multiplications: for all images together
    most: parts
    """
    count = max(1, min(N, most, MOST_PARTS, multiplications // WORTH_A_THREAD))
    return [(part, part * N // count, (part + 1) * N // count) for part in range(count)]


def share(work, parts):
    """Call `work(todo)` in several threads at once; each takes parts from its todo until none are left.

    Raises what `work` raises in any thread.
    """
    left = list(reversed(parts))

    def todo():
        while True:
            try:
                yield left.pop()  # which no two threads can do at the same moment
            except IndexError:
                return

    def help_out(promise):
        if promise.set_running_or_notify_cancel():
            try:
                promise.set_result(work(todo()))
            except BaseException as error:  # for whoever waits
                promise.set_exception(error)

    promises = [Future() for _ in range(min(THREADS, len(parts)) - 1)]
    for promise in promises:
        try:
            _pool().submit(help_out, promise)
        except RuntimeError:  # no more threads can be started here: the others do it all
            break
    work(todo())
    for promise in promises:
        if not promise.cancel():  # what nobody has begun by now is not needed any more
            promise.result()


_threads = None
_lock = threading.Lock()


def _pool():
    """The threads of this process, started when they are first needed."""
    global _threads
    with _lock:
        if _threads is None:
            _threads = ThreadPoolExecutor(max_workers=256, thread_name_prefix="fast_layers")
        return _threads


def _forget():
    """After a fork the new process has none of the threads, and nobody who would give the lock back."""
    global _threads, _lock
    _threads, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
