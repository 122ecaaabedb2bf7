"""Landlock: a worker gives up, for good, every file but those it was given, and every signal to others.

read    files in it may be read, and it may be listed
list    it may be listed, and so may the folders in it
write   a folder in which files may be made and changed, but neither removed nor nested, for what cannot be seen cannot
        be counted; or a device that may be written to
"""

import ctypes
import os

from landlockpy import AccessFS, Ruleset, Scope

_LIST = AccessFS.READ_DIR
_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_WRITE = _READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG
_RIGHTS = {"read": _READ, "list": _LIST, "write": _WRITE}
_FILE = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE  # what means something for a file alone

# Of its own folder in /proc; the rest shows the host's network and mounts.
_OF_ITSELF = ("fd", "status", "stat", "statm", "maps", "limits", "cmdline")
_LEAST_ABI = 3  # Linux 6.2: before, a file that may be read could be emptied

_CAPABILITIES_3, _READ_SEARCH = 0x20080522, 1 << 2  # _LINUX_CAPABILITY_VERSION_3, CAP_DAC_READ_SEARCH
_SET_DUMPABLE, _SET_KEEP_CAPABILITIES = 4, 8  # prctl


def restrict(paths):
    """Give up all files but `paths`, pairs of a path and one of the words above; a few of /proc/self may be read.

    Raises OSError where this kernel has no Landlock, or an old one. It binds the calling thread and what it starts, so
    there must be no other thread yet.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise OSError("there is more than one thread already; Landlock would bind only one of them")
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
        if ruleset.abi_version < _LEAST_ABI:
            raise OSError(f"this kernel has version {ruleset.abi_version} of Landlock; version {_LEAST_ABI} is needed")
        for path, word in [*paths, *((f"/proc/{os.getpid()}/{name}", "read") for name in _OF_ITSELF)]:
            rights = _RIGHTS[word]
            ruleset.allow_path(path, rights if os.path.isdir(path) else rights & _FILE)
        ruleset.restrict()


def become(user, reads_closed_folders):
    """Turn from root into a user of its own, and give up root's capabilities.

    - user: its number; where the system knows no such user, as in some containers, the worker stays root without them
    - reads_closed_folders: keep the right to read whatever file permissions say, which `restrict` bounds; needed where
      the interpreter lies in root's own home
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
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)  # else a process that changed its user may not read its own /proc/self
