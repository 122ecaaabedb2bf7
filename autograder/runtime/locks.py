"""A lock file lets one command at a time change a course. The lock ends with its process, even if that is killed."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

from autograder.errors import Busy
from autograder.runtime.os_errors import make_storage_error

LOCK_FILE = ".autograder.lock"
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}  # from a file system without locks
_locked_paths: set[Path] = set()  # by this process


@contextlib.contextmanager
def lock_folder(
    folder: Path | str, command: str, wait: Callable[[str], None] | None = None
) -> Generator[None, None, None]:
    """Hold a folder's lock while the block runs. A block inside another one of this process shares its lock.

    - command: the command that runs, for the message to other commands
    - wait: None raises Busy at once if another process holds the lock; a function is called with one sentence before
      this process waits for the lock

    Raises Busy, and StorageError if the lock file cannot be written.
    """
    path = Path(folder).resolve() / LOCK_FILE
    if path in _locked_paths:
        yield
        return
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise make_storage_error(path, error) from None
    try:
        _lock(handle, path, wait)
        _write_holder(handle, path, command)
        _locked_paths.add(path)
        try:
            yield
        finally:
            _locked_paths.discard(path)
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, wait: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read_holder(handle)
        if wait is None:
            raise Busy(
                f"{path.parent}: {holder} is running, and one command at a time changes a course. "
                "Nothing was changed. Run this command again later, or with --wait."
            ) from None
        wait(f"{path.parent}: waiting until {holder} is done")
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise make_storage_error(path, error) from None


def _read_holder(handle: int) -> str:
    """Return the command that holds the lock, from the lock file; its text may not be written yet."""
    try:
        found = json.loads(os.pread(handle, 1 << 12, 0))
        return f"`{found['command']}` (process {found['pid']}, since {found['since']})"
    except (ValueError, KeyError, TypeError):
        return "another command"


def _write_holder(handle: int, path: Path, command: str) -> None:
    """Write the process and the command that hold the lock into the lock file."""
    holder = {"pid": os.getpid(), "command": command, "since": datetime.now().isoformat(" ", "seconds")}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)
    except OSError as error:
        raise make_storage_error(path, error) from None
