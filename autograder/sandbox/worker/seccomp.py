"""The system call filter: refuses system calls that no answer needs. It is the same in every sandbox on Linux.

Refused are new processes, programs, sockets, shared memory and message queues; signals to others, tracing and reading
another process; mounting; changing the permissions, owner or times of files and watching folders (Landlock does not
govern these); and setting the limits or priority of another process. A refused call fails with EPERM, as if permission
were missing.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# Numbers on x86_64 (its own table) and on aarch64 (the kernel's generic one); None where there is no such call.
_REFUSED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282),
    "socket": (41, 198), "socketpair": (53, 199), "io_uring_setup": (425, 425),
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "file_setattr": (469, 469), "fallocate": (285, 47),
    "truncate": (76, 45), "mknod": (133, None), "mknodat": (259, 33),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "syslog": (103, 116),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
}  # fmt: skip
# Allowed where the first argument is 0, which is the calling process or thread itself.
_ON_ITSELF = {"prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
# Of some calls only these values of the second argument are allowed. fcntl: copying and marking descriptors, and
# locking files that can be opened (not: sending signals, watching folders or holding leases on files). ioctl: queries
# of a terminal, and whether reads wait (not: changing the flags of a file).
_ALLOWED = {
    "fcntl": ((72, 25), (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)),
    "ioctl": ((16, 29), (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
}
# openat2 fails as if it did not exist, since a filter cannot see its flags. O_TMPFILE makes files that the grader
# cannot count.
_OPENAT2, _TMPFILE = 437, 0x400000
_OPEN, _OPENAT = {"x86_64": 2, "aarch64": None}, {"x86_64": 257, "aarch64": 56}
_PRCTL, _PARENT_DEATH_SIGNAL = {"x86_64": 157, "aarch64": 167}, 1
_MACHINES = ("x86_64", "aarch64")
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE, _TGKILL = {"x86_64": 56, "aarch64": 220}, {"x86_64": 234, "aarch64": 131}
_CLONE3, _CLONE_THREAD, _X32 = 435, 0x00010000, 0x40000000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, (16, 24, 32)  # offsets in struct seccomp_data
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x20, 0x15, 0x35, 0x45, 0x06


Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value


def filter_system_calls() -> bool:
    """Install the filter permanently; return whether this system, kernel and processor have one."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in _MACHINES:
        return False
    code = _program(machine)
    program = ctypes.create_string_buffer(code, len(code))

    class SockFprog(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    pointer = ctypes.byref(SockFprog(len(code) // 8, ctypes.addressof(program)))
    return libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0 and libc.prctl(set_seccomp, mode_filter, pointer, 0, 0) == 0


def _program(machine: str) -> bytes:
    """Return the BPF program as bytes."""
    column, refuse = _MACHINES.index(machine), _ERRNO | errno.EPERM
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _ARCH[machine]), (_GIVE, 0, 0, _KILL)]
    lines += [(_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, _KILL)]
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            lines += [(_EQUAL, 0, 1, numbers[column]), (_GIVE, 0, 0, refuse)]
    # The C library falls back from these, whose flags a filter cannot see, to clone and openat. Threads stay allowed.
    for number in (_CLONE3, _OPENAT2):
        lines += [(_EQUAL, 0, 1, number), (_GIVE, 0, 0, _ERRNO | errno.ENOSYS)]
    lines += _allow_if(_CLONE[machine], 0, [(_ANY_BIT, _CLONE_THREAD)], refuse)
    # A process may signal itself (abort does), nobody else.
    lines += _allow_if(_TGKILL[machine], 0, [(_EQUAL, os.getpid())], refuse)
    for numbers in _ON_ITSELF.values():
        lines += _allow_if(numbers[column], 0, [(_EQUAL, 0)], refuse)
    for numbers, allowed in _ALLOWED.values():
        lines += _allow_if(numbers[column], 1, [(_EQUAL, value) for value in allowed], refuse)
    # The worker ends with its judge, and cannot cancel that.
    lines += _refuse_if(_PRCTL[machine], 0, (_EQUAL, _PARENT_DEATH_SIGNAL), refuse)
    lines += _refuse_if(_OPEN[machine], 1, (_ANY_BIT, _TMPFILE), refuse) if _OPEN[machine] else []
    lines += _refuse_if(_OPENAT[machine], 2, (_ANY_BIT, _TMPFILE), refuse)
    lines += [(_GIVE, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _allow_if(number: int, argument: int, tests: list[tuple[int, int]], refuse: int) -> list[Instruction]:
    """Return the instructions that allow a system call if one of its arguments passes one of the tests."""
    jumps = [(code, len(tests) - place, 0, value) for place, (code, value) in enumerate(tests)]
    checks = [(_LOAD, 0, 0, _ARGUMENTS[argument]), *jumps, (_GIVE, 0, 0, refuse), (_GIVE, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(checks), number), *checks]


def _refuse_if(number: int, argument: int, test: tuple[int, int], refuse: int) -> list[Instruction]:
    """Return the instructions that refuse a system call if one of its arguments passes a test."""
    code, value = test
    checks = [(_LOAD, 0, 0, _ARGUMENTS[argument]), (code, 0, 1, value), (_GIVE, 0, 0, refuse), (_GIVE, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(checks), number), *checks]
