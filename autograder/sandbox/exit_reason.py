"""The reason why a worker stopped. It depends on the fault of the student's code, not on the limit that was first.

Several limits catch the same fault. The speed and the load of the machine decide which limit is reached first:

    fault                     limits that catch it
    writes too much           size of one file, size of the file system, the grader's count of bytes and of files;
                              and, while it goes on, processor time, the clock and memory
    takes too much memory     memory of the control group, address space, memory of the machine, size of the answers
    never ends                processor time, the clock, the time that the grader has to answer for other functions
    breaks its process        signals of a crash, a refused system call, exit()

So the grader counts bytes, time and memory after the end. The first line of this table that the counts prove is the
reason, and each line has one verdict and one message. All functions here take and return frozen values.
"""

import errno
import signal
from dataclasses import dataclass, replace

from autograder.assignment.limits import Limits
from autograder.sandbox.call import Limit
from autograder.sandbox.worker import frames

MAX_HOME_MB, MAX_HOME_FILES = 64, 1000  # that a worker may have written at one time
# Arrays of one answer, and of all answers to one question, which the grader keeps until it is done.
MAX_ANSWER_MB, MAX_ANSWERS_MB = frames.MAX_BODY >> 20, frames.MAX_BODY >> 19
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)


@dataclass(frozen=True)
class HomeUsage:
    """The size of the folders that a worker may write to, counted by the grader."""

    size: int  # bytes
    files: int

    @property
    def is_too_much(self) -> bool:
        """Whether it is more than a worker may write."""
        return self.size > MAX_HOME_MB << 20 or self.files > MAX_HOME_FILES


@dataclass(frozen=True)
class Ending:
    """The measurements of the grader after a worker stopped.

    - status: exit status, or minus the number of a signal; None if the grader had to kill it
    - cpu_seconds: processor time used; None if the system does not report it
    - timed_out: the wall-clock time was over, or the grader's time to answer for other functions
    - out_of_memory: the kernel killed a process of the control group because the group had no memory left
    - home: None if it cannot be counted
    """

    status: int | None = None
    cpu_seconds: float | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    home: HomeUsage | None = None

    @property
    def signal(self) -> int:
        """The number of the signal that ended it, or 0. bwrap reports signal n of its child as exit status 128 + n."""
        status = self.status or 0
        return -status if status < 0 else status - 128 if status > 128 else 0


@dataclass(frozen=True)
class Reason:
    """A verdict with its message; `limit` is "time" or "memory" if a retry with a higher limit may help."""

    verdict: str
    message: str
    limit: Limit | None = None


def find_exit_reason(name: str, ending: Ending, limits: Limits, memory_mb: int) -> Reason:
    """Return why a worker stopped while it ran the function `name`.

    - memory_mb: the memory limit that holds on this machine
    """
    number = ending.signal
    if number == signal.SIGXFSZ or (ending.home and ending.home.is_too_much):
        return make_disk_reason(name)
    if ending.out_of_memory:
        return make_memory_reason(name, limits, memory_mb)
    if ending.timed_out or _used_up_processor(ending, limits):
        return make_time_reason(name, limits)
    if number == signal.SIGKILL:  # neither the grader nor a limit of the worker did it: the machine was out of memory
        return make_memory_reason(name, limits, memory_mb)
    if number == signal.SIGSYS:
        return Reason("forbidden", f"{name} made a system call that no answer needs")
    if number in _CRASHES:
        what = f"the process crashed while {name} ran (signal {number})"
        return Reason("error", f"{what}: endless recursion or broken memory?")
    status = "" if ending.status is None else f" (exit status {ending.status})"
    return Reason("error", f"the process ended while {name} ran{status}. Take out exit(), quit() and os._exit().")


@dataclass(frozen=True)
class RaisedException:
    """An exception as the worker reports it: type, message, and the number of an OSError. Never trusted."""

    kind: str
    message: str
    number: int | None = None


def find_exception_reason(
    name: str, raised: RaisedException, limits: Limits, memory_mb: int, has_own_disk: bool
) -> Reason | None:
    """Return the reason if an exception of the student's code comes from a limit, or None.

    - has_own_disk: a full disk is one of the worker's own, not one of the machine
    """
    if raised.number in (errno.EFBIG, errno.EDQUOT) or (raised.number == errno.ENOSPC and has_own_disk):
        return make_disk_reason(name)
    # A thread needs memory for its stack.
    if raised.kind == "MemoryError" or raised.message == "can't start new thread":
        return make_memory_reason(name, limits, memory_mb)
    if raised.kind == "FrameError":  # the answer is too large for any limits, so a retry would not help
        return replace(make_memory_reason(name, limits, memory_mb), limit=None)
    return None


def is_forbidden(raised: RaisedException) -> bool:
    """Return whether an exception comes from an action that a sandbox refuses; each sandbox raises its own."""
    return raised.kind == "PermissionError" or raised.number in (errno.EPERM, errno.EACCES, errno.EROFS)


def make_disk_reason(name: str) -> Reason:
    """Return the Reason for a worker that wrote more than it may."""
    return Reason("forbidden", f"{name} wrote more to disk than any answer needs. Take out what it saves.")


def make_time_reason(name: str, limits: Limits) -> Reason:
    """Return the Reason for a worker that reached a time limit."""
    has = f"{limits.cpu_seconds} s of processor time and {limits.wall_seconds} s on the clock"
    compared = limits.describe_reference_cost(limits.cpu_seconds, limits.cpu_factor, "s")
    advice = "Look for a loop that does not end, or for something that waits."
    return Reason("timeout", f"{name} did not come back: this question has {has}{compared}. {advice}", "time")


def make_memory_reason(name: str, limits: Limits, memory_mb: int) -> Reason:
    """Return the Reason for a worker that reached the memory limit, `memory_mb`."""
    compared = limits.describe_reference_cost(memory_mb, limits.memory_factor, "MB")
    has = f"This question has {memory_mb} MB of memory{compared}."
    answers = f"One answer may have {MAX_ANSWER_MB} MB, all answers together {MAX_ANSWERS_MB} MB."
    advice = "Look for an array far larger than x, or a list that grows with every call."
    return Reason("memory", f"{name} took more memory than there is. {has} {answers} {advice}", "memory")


def _used_up_processor(ending: Ending, limits: Limits) -> bool:
    """Return whether the limit of processor time ended a worker.

    The kernel sends SIGKILL at the limit, but so may other processes. It counts in ticks of its clock, and its final
    report is exact; so half of the limit is proof enough.
    """
    if ending.signal not in (signal.SIGKILL, signal.SIGXCPU):
        return False
    return ending.cpu_seconds is None or ending.cpu_seconds >= limits.cpu_seconds / 2
