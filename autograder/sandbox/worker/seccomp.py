"""The system call filter: refuses system calls that no answer needs. It is the same in every sandbox on Linux.

Refused are new processes, programs, sockets, shared memory and message queues; signals to others, tracing and reading
another process; mounting; changing the permissions, owner or times of files and watching folders (Landlock does not
govern these); and setting the limits or priority of another process. A refused call fails with EPERM, as if permission
were missing.

This module names the calls; syscalls.tbl contains their numbers on each processor. `python -m
autograder.sandbox.syscall_table` makes that table from the headers of the kernel.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping

MACHINES = ("x86_64", "aarch64")  # the processors with a filter: the columns of the table
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "syscalls.tbl")

REFUSED = (
    "fork", "vfork", "execve", "execveat",
    "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal", "pidfd_getfd",
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "process_madvise", "process_mrelease",
    "migrate_pages", "move_pages", "perf_event_open", "bpf", "userfaultfd",
    "socket", "socketpair", "io_uring_setup", "memfd_create", "memfd_secret",
    "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semtimedop", "semctl",
    "msgget", "msgsnd", "msgrcv", "msgctl",
    "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
    "mount_setattr", "quotactl", "quotactl_fd", "keyctl", "add_key", "request_key",
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    "utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr", "fallocate",
    "truncate", "mknod", "mknodat", "name_to_handle_at", "open_by_handle_at",
    "fanotify_init", "inotify_init", "inotify_init1", "syslog",
    "setpriority", "ioprio_set", "sched_setparam", "sched_setscheduler", "sched_setattr",
)  # fmt: skip
# Allowed if the first argument is 0, which is the calling process or thread itself.
ON_ITSELF = ("prlimit64", "sched_setaffinity")
# Of some calls only these values of the second argument are allowed. fcntl: copying and marking descriptors, and
# locking files that can be opened (not: sending signals, watching folders or holding leases on files). ioctl: queries
# of a terminal, and whether reads wait (not: changing the flags of a file).
ALLOWED_VALUES = {
    "fcntl": (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032),
    "ioctl": (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
}
# A filter cannot see the flags of these calls. Without them, the C library uses clone and openat.
ABSENT = ("clone3", "openat2")
# Each of these has a rule of its own in `make_program`.
OTHERS = ("clone", "tgkill", "prctl", "open", "openat")
NAMES = (*REFUSED, *ON_ITSELF, *ALLOWED_VALUES, *ABSENT, *OTHERS)  # the names of all calls in the table

PARENT_DEATH_SIGNAL = 1  # an option of prctl
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_TMPFILE, _CLONE_THREAD, _X32 = 0x400000, 0x00010000, 0x40000000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, (16, 24, 32)  # offsets in struct seccomp_data
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x20, 0x15, 0x35, 0x45, 0x06


Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value
Row = tuple[int | None, ...]  # the number of one call on each of MACHINES, or None if there is no such call
Numbers = Mapping[str, int | None]  # system call -> its number on one processor, or None if there is no such call


def read_numbers(machine: str) -> dict[str, int | None]:
    """Return the numbers of all NAMES on a processor of MACHINES; raise KeyError if the table lacks one of them."""
    with open(TABLE, encoding="ascii") as file:
        rows = parse_table(file.read())
    column = MACHINES.index(machine)
    return {name: rows[name][column] for name in NAMES}


def parse_table(text: str) -> dict[str, Row]:
    """Return {system call: Row} of a table."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: tuple(None if number == "-" else int(number) for number in numbers) for name, *numbers in rows}


def make_filter() -> bytes | None:
    """Return the filter for this process, or None if this system or processor has none. It reads the table."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in MACHINES:
        return None
    return make_program(machine, read_numbers(machine))


def install_filter(code: bytes) -> bool:
    """Install a filter permanently; return whether this kernel has filters."""
    program = ctypes.create_string_buffer(code, len(code))

    class SockFprog(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    pointer = ctypes.byref(SockFprog(len(code) // 8, ctypes.addressof(program)))
    return libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0 and libc.prctl(set_seccomp, mode_filter, pointer, 0, 0) == 0


def make_program(machine: str, numbers: Numbers) -> bytes:
    """Return the BPF program as bytes."""
    refuse = _ERRNO | errno.EPERM
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _ARCH[machine]), (_GIVE, 0, 0, _KILL)]
    lines += [(_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, _KILL)]
    for name in REFUSED:
        lines += _give(numbers[name], refuse)
    for name in ABSENT:
        lines += _give(numbers[name], _ERRNO | errno.ENOSYS)
    lines += _allow_if(numbers["clone"], 0, [(_ANY_BIT, _CLONE_THREAD)], refuse)  # threads stay allowed
    # A process may signal itself (abort does), but no other process.
    lines += _allow_if(numbers["tgkill"], 0, [(_EQUAL, os.getpid())], refuse)
    for name in ON_ITSELF:
        lines += _allow_if(numbers[name], 0, [(_EQUAL, 0)], refuse)
    for name, allowed in ALLOWED_VALUES.items():
        lines += _allow_if(numbers[name], 1, [(_EQUAL, value) for value in allowed], refuse)
    # The worker ends with its judge, and cannot cancel that.
    lines += _refuse_if(numbers["prctl"], 0, (_EQUAL, PARENT_DEATH_SIGNAL), refuse)
    # O_TMPFILE makes files that the grader cannot count.
    lines += _refuse_if(numbers["open"], 1, (_ANY_BIT, _TMPFILE), refuse)
    lines += _refuse_if(numbers["openat"], 2, (_ANY_BIT, _TMPFILE), refuse)
    lines += [(_GIVE, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _give(number: int | None, result: int) -> list[Instruction]:
    """Return the instructions that end a system call with a result; none if there is no such call."""
    return [] if number is None else [(_EQUAL, 0, 1, number), (_GIVE, 0, 0, result)]


def _allow_if(number: int | None, argument: int, tests: list[tuple[int, int]], refuse: int) -> list[Instruction]:
    """Return the instructions that allow a system call if one of its arguments passes one of the tests."""
    jumps = [(code, len(tests) - place, 0, value) for place, (code, value) in enumerate(tests)]
    checks = [(_LOAD, 0, 0, _ARGUMENTS[argument]), *jumps, (_GIVE, 0, 0, refuse), (_GIVE, 0, 0, _ALLOW)]
    return [] if number is None else [(_EQUAL, 0, len(checks), number), *checks]


def _refuse_if(number: int | None, argument: int, test: tuple[int, int], refuse: int) -> list[Instruction]:
    """Return the instructions that refuse a system call if one of its arguments passes a test."""
    code, value = test
    checks = [(_LOAD, 0, 0, _ARGUMENTS[argument]), (code, 0, 1, value), (_GIVE, 0, 0, refuse), (_GIVE, 0, 0, _ALLOW)]
    return [] if number is None else [(_EQUAL, 0, len(checks), number), *checks]
