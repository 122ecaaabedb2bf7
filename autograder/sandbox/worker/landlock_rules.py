"""Landlock: a worker permanently gives up every file except the listed ones, and every signal to other processes.

read    files in it may be read, and it may be listed
list    it may be listed, and so may the folders in it
write   a folder in which files may be made and changed, but neither removed nor put into subfolders, where the grader
        does not count them; or a device that may be written to
"""

import ctypes
import os
from collections.abc import Iterable

from landlockpy import AccessFS, Ruleset, Scope

_LIST = AccessFS.READ_DIR
_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_WRITE = _READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG
_RIGHTS = {"read": _READ, "list": _LIST, "write": _WRITE}
_FILE = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE  # the rights that a single file can have

# Readable files of the worker's folder in /proc; the others show the host's network and mounts.
_OWN_PROC_FILES = ("fd", "status", "stat", "statm", "maps", "limits", "cmdline")
_MIN_ABI = 3  # Linux 6.2: in earlier versions a readable file can be truncated

_CAPABILITIES_3, _READ_SEARCH = 0x20080522, 1 << 2  # _LINUX_CAPABILITY_VERSION_3, CAP_DAC_READ_SEARCH
_SET_DUMPABLE, _SET_KEEP_CAPABILITIES = 4, 8  # prctl


def restrict(paths: Iterable[tuple[str, str]]) -> None:
    """Give up all files except `paths`, pairs of a path and one of the words above, and a few files of /proc/self.

    Raises OSError if this kernel has no Landlock, or an old one. It binds the calling thread and its children, so
    there must be no other thread yet.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise OSError("there is more than one thread already; Landlock would bind only one of them")
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
        if ruleset.abi_version < _MIN_ABI:
            raise OSError(f"this kernel has version {ruleset.abi_version} of Landlock; version {_MIN_ABI} is needed")
        for path, word in [*paths, *((f"/proc/{os.getpid()}/{name}", "read") for name in _OWN_PROC_FILES)]:
            rights = _RIGHTS[word]
            ruleset.allow_path(path, rights if os.path.isdir(path) else rights & _FILE)
        ruleset.restrict()


def become(user: int, reads_closed_folders: bool) -> None:
    """Change from root to a user of its own, and give up root's capabilities.

    - user: its number; if the system has no such user, as in some containers, the worker stays root without them
    - reads_closed_folders: keep the right to read files against their permissions, which `restrict` bounds; needed if
      the interpreter is in root's own home
    """
    libc = ctypes.CDLL(None, use_errno=True)
    kept = _READ_SEARCH if reads_closed_folders else 0
    libc.prctl(_SET_KEEP_CAPABILITIES, 1, 0, 0, 0)
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        pass
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    # Effective, permitted and inheritable, for capabilities 0 to 31 and then 32 to 63.
    data = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "root's capabilities could not be given up")
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)  # otherwise a process that changed its user cannot read its own /proc/self
