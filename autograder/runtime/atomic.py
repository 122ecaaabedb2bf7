"""Write a file completely or not at all."""

import os
import tempfile
from pathlib import Path

from autograder.runtime.os_errors import make_storage_error

_PARTIAL = ".aside"  # suffix of a file that is not complete yet


def write_atomically(path: Path | str, data: bytes) -> None:
    """Write bytes to a partial file next to `path`, then rename it: a reader or a crash never meets an incomplete file.

    Raises StorageError if the file cannot be written; the old file then stays as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PARTIAL)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(partial, 0o644)
            os.replace(partial, path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise make_storage_error(path, error) from None


def write_output(path: Path | str, data: bytes) -> None:
    """Write bytes to a path that a person named: replace a regular file, write into a pipe or a terminal.

    A symbolic link stays; its target is written. Raises StorageError if the output cannot be written.
    """
    target = Path(os.path.realpath(path))
    if not os.path.exists(path) or os.path.isfile(path):
        write_atomically(target, data)
        return
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise make_storage_error(path, error) from None


def expect_writable(folder: Path | str) -> None:
    """Make a folder and write a temporary file in it; raise StorageError if that fails. No file is left behind."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
    except OSError as error:
        raise make_storage_error(folder, error) from None


def remove_partial_files(folder: Path | str) -> None:
    """Remove the partial files of killed writers below a folder. No other process may write there meanwhile."""
    for path in Path(folder).rglob(f".*{_PARTIAL}"):
        path.unlink(missing_ok=True)


def sync_to_disk(folder: Path | str) -> None:
    """Flush a folder and everything below it to the disk; return when that is done. Raises OSError."""
    for path in [*Path(folder).rglob("*"), Path(folder)]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
