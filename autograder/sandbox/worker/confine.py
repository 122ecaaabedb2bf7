"""The limits that a worker sets for itself before it loads any of the student's code. None can be removed.

Resource limits bound time, memory and files; a filter (seccomp.py) refuses system calls that no answer needs. Without
bubblewrap, the worker confines itself by Landlock as well (landlock_rules.py).
"""

import contextlib
import ctypes
import resource
import signal
import sys
from typing import Any

from .seccomp import install_filter, make_filter


def confine(cpu_seconds: int, memory_mb: int, file_mb: int = 65, landlock: dict[str, Any] | None = None) -> None:
    """Limit this process permanently. Call it once, before any of the student's code is imported.

    - file_mb: limit of one file; it is larger than the limit of all files, so a file of that size proves a violation
    - landlock: {paths, user, reads_closed_folders}, the rules of Landlock; OSError if this machine has no Landlock
    """
    system_call_filter = make_filter()  # first, because it reads a file
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
        from .landlock_rules import become, restrict  # imports a package that only this sandbox needs

        restrict(landlock["paths"])
        if landlock["user"] is not None:
            become(landlock["user"], landlock["reads_closed_folders"])
    _die_with_parent()
    is_filtered = system_call_filter is not None and install_filter(system_call_filter)
    if not is_filtered and landlock:
        raise OSError("this kernel or processor has no system call filter, without which Landlock is not enough")


def _die_with_parent() -> None:
    """Let the kernel end this process with the judge, even a killed judge; a later change of user would cancel it."""
    if sys.platform.startswith("linux"):
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
