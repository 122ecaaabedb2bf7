"""One command at a time changes a course: a lock that ends with the process that holds it, however that ends."""

import contextlib
import errno
import fcntl
import json
import os
from datetime import datetime
from pathlib import Path

from autograder.errors import Busy
from autograder.runtime.os_errors import storage_error

NAME = ".autograder.lock"
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}  # of a file system that has none
_held = set()


@contextlib.contextmanager
def alone(folder, doing, wait=None):
    """Hold a folder's lock while the block runs; a block inside another one of this process holds it already.

    - doing: the command, as whoever has to wait is told
    - wait: None refuses at once where another process holds the lock, with Busy; else a function that is called with
      one sentence before the waiting begins

    Raises StorageError where the folder cannot be written to.
    """
    path = Path(folder).resolve() / NAME
    if path in _held:
        yield
        return
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise storage_error(path, error) from None
    try:
        _lock(handle, path, wait)
        _sign(handle, path, doing)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _lock(handle, path, wait):
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = _holder(handle)
        if wait is None:
            raise Busy(
                f"{path.parent}: {who} is at work here, and one command at a time changes a course. "
                "Nothing was done. Run this again when it is done, or with --wait."
            ) from None
        wait(f"{path.parent}: waiting until {who} is done")
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise storage_error(path, error) from None


def _holder(handle):
    """Return who holds the lock, from what it wrote into the file; that may be just on its way."""
    try:
        found = json.loads(os.pread(handle, 1 << 12, 0))
        return f"`{found['command']}` (process {found['pid']}, since {found['since']})"
    except (ValueError, KeyError, TypeError):
        return "another command"


def _sign(handle, path, doing):
    """Write into the lock's file who holds it."""
    who = {"pid": os.getpid(), "command": doing, "since": datetime.now().isoformat(" ", "seconds")}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(who).encode(), 0)
    except OSError as error:
        raise storage_error(path, error) from None
