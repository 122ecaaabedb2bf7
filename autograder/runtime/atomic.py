"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from autograder.runtime.os_errors import storage_error

_ASIDE = ".aside"


def write_atomically(path, data):
    """Write bytes to a file beside `path`, then rename it over: a reader, or a crash, never sees half a file.

    Raises StorageError where it cannot be written; what was there before stays.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_ASIDE)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(aside, 0o644)
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise storage_error(path, error) from None


def write_to(path, data):
    """Write bytes to where a person said: a file is replaced whole, what is none (a pipe, a terminal) is written into.

    A link stays, and what it leads to is written. Raises StorageError as write_atomically does.
    """
    target = Path(os.path.realpath(path))
    if not os.path.exists(path) or os.path.isfile(path):
        write_atomically(target, data)
        return
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise storage_error(path, error) from None


def expect_writable(folder):
    """Make a folder and see that it takes a file; StorageError where not. Nothing is left in it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
    except OSError as error:
        raise storage_error(folder, error) from None


def remove_leftovers(folder):
    """Remove what writers that were killed left aside, anywhere in a folder that nobody writes to just now."""
    for path in Path(folder).rglob(f".*{_ASIDE}"):
        path.unlink(missing_ok=True)


def sync(folder):
    """Have everything in a folder on the disk itself before what comes next."""
    for path in [*Path(folder).rglob("*"), Path(folder)]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
