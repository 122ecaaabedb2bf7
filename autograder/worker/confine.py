"""The limits a worker puts on itself before any of the student's code is loaded. None of them can be taken back.

Resource limits bound time, memory and files. On Linux a seccomp filter refuses what no answer to an exercise needs:
new processes, sockets, signals to others, tracing, mounting. It holds inside bubblewrap and without it alike.
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
import sys

# System call numbers: x86_64 from its own table, aarch64 from the kernel's generic one.
_REFUSED = {
    "x86_64": {
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "rt_sigqueueinfo": 129,
        "rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_send_signal": 424, "ptrace": 101, "process_vm_readv": 310,
        "process_vm_writev": 311, "socket": 41, "socketpair": 53, "io_uring_setup": 425, "unshare": 272, "setns": 308,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "bpf": 321, "perf_event_open": 298,
        "keyctl": 250, "add_key": 248, "request_key": 249, "userfaultfd": 323, "kcmp": 312,
        "memfd_create": 319, "memfd_secret": 447, "shmget": 29,
    },
    "aarch64": {
        "execve": 221, "execveat": 281, "kill": 129, "tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "pidfd_open": 434, "pidfd_send_signal": 424, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "socket": 198, "socketpair": 199, "io_uring_setup": 425, "unshare": 97, "setns": 268, "mount": 40,
        "umount2": 39, "pivot_root": 41, "chroot": 51, "bpf": 280, "perf_event_open": 241, "keyctl": 219,
        "add_key": 217, "request_key": 218, "userfaultfd": 282, "kcmp": 272,
        "memfd_create": 279, "memfd_secret": 447, "shmget": 194,
    },
}  # fmt: skip
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_TGKILL = {"x86_64": 234, "aarch64": 131}
_CLONE3, _CLONE_THREAD, _X32 = 435, 0x00010000, 0x40000000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def confine(cpu_seconds, memory_mb, file_mb=64):
    """Bound this process for good. Call it once, before anything of the student's is imported."""
    _filter_system_calls()
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: memory_mb << 20,
        resource.RLIMIT_FSIZE: file_mb << 20,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 1024,  # threads too; without bubblewrap all of this user's count, so it cannot be small
    }
    for limit, value in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(limit, (value, value))


def _filter_system_calls():
    """Install the seccomp filter; return False where this kernel or processor has none."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in _ARCH:
        return False
    code = _program(machine)
    program = ctypes.create_string_buffer(code, len(code))

    class SockFprog(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    pointer = ctypes.byref(SockFprog(len(code) // 8, ctypes.addressof(program)))
    return libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0 and libc.prctl(set_seccomp, mode_filter, pointer, 0, 0) == 0


def _program(machine):
    """Return the BPF program as bytes: each instruction is (code, jump if true, jump if false, value)."""
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    refuse = _ERRNO | errno.EPERM
    lines = [(load, 0, 0, _ARCHITECTURE), (equal, 1, 0, _ARCH[machine]), (give, 0, 0, _KILL), (load, 0, 0, _NUMBER)]
    if machine == "x86_64":
        lines += [(at_least, 0, 1, _X32), (give, 0, 0, _KILL)]
    for number in _REFUSED[machine].values():
        lines += [(equal, 0, 1, number), (give, 0, 0, refuse)]
    # The C library falls back from clone3, whose flags a filter cannot see, to clone. Threads stay allowed.
    lines += [(equal, 0, 1, _CLONE3), (give, 0, 0, _ERRNO | errno.ENOSYS)]
    lines += [(equal, 0, 4, _CLONE[machine]), (load, 0, 0, _FIRST_ARGUMENT), (any_bit, 1, 0, _CLONE_THREAD)]
    lines += [(give, 0, 0, refuse), (give, 0, 0, _ALLOW)]
    # A process may signal itself (abort does), nobody else.
    lines += [(equal, 0, 3, _TGKILL[machine]), (load, 0, 0, _FIRST_ARGUMENT), (equal, 1, 0, os.getpid())]
    lines += [(give, 0, 0, refuse), (give, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
