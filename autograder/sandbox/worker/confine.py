"""The limits a worker puts on itself before any of the student's code is loaded. None of them can be taken back.

Resource limits bound time, memory and files; a system call filter (seccomp.py) refuses what no answer needs. Where
there is no bubblewrap around it, the worker shuts itself in by Landlock as well (landlock.py).
"""

import contextlib
import ctypes
import resource
import signal
import sys

from .seccomp import filter_system_calls


def confine(cpu_seconds, memory_mb, file_mb=65, landlock=None):
    """Bound this process for good. Call it once, before anything of the student's is imported.

    - file_mb: of one file; more than all files may have together, so that a file of that size proves that it wrote more
    - landlock: {paths, user, reads_closed_folders} to be shut in by Landlock; OSError where that is not to be had
    """
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: memory_mb << 20,
        resource.RLIMIT_FSIZE: file_mb << 20,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_STACK: 8 << 20,  # a recursion without end crashes at the same depth on every machine
        resource.RLIMIT_NPROC: 1024,  # threads too; without a user of its own all of this user's count
    }
    for limit, value in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(limit, (value, value))
    if landlock:
        from .landlock import become, restrict  # imports a package that only this sandbox needs

        restrict(landlock["paths"])
        if landlock["user"] is not None:
            become(landlock["user"], landlock["reads_closed_folders"])
    _die_with_parent()
    if not filter_system_calls() and landlock:
        raise OSError("this kernel or processor has no system call filter, without which Landlock is not enough")


def _die_with_parent():
    """Have the kernel end this process with the judge, even if the judge is killed; a change of user would undo it."""
    if sys.platform.startswith("linux"):
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
