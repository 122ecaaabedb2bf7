"""The scratch folder of a grading run: it contains all temporary files of the run, so that none stays for long.

A killed run cannot remove its scratch folder. So the run writes the folder's name into the course before it makes the
folder, and the next run removes it.
"""

import contextlib
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

from autograder.runtime.os_errors import find_storage_error, make_storage_error

SCRATCH_NOTE = ".autograder.scratch"  # the file in a course with the name of its scratch folder
_NAME = re.compile(r"autograder-[0-9a-f]{32}")


@contextlib.contextmanager
def use_scratch_folder(root: Path | str) -> Generator[None, None, None]:
    """Make `tempfile` use a new folder while the block runs. The caller must hold the lock of the course `root`.

    Raises StorageError if the folder cannot be made.
    """
    note = Path(root) / SCRATCH_NOTE
    _remove_noted_folder(note)
    before = tempfile.tempdir
    try:
        folder = Path(tempfile.gettempdir()) / f"autograder-{secrets.token_hex(16)}"
        note.write_bytes(os.fsencode(folder))  # half of it names no folder, and none is made yet
        folder.mkdir()
        folder.chmod(0o711)  # a worker may run as another user, with its home in a folder inside
        tempfile.tempdir = str(folder)
    except OSError as error:
        name = error.filename or "The temporary folder"
        raise find_storage_error(error) or make_storage_error(name, error) from None
    try:
        yield
    finally:
        tempfile.tempdir = before
        _remove_noted_folder(note)


def _remove_noted_folder(note: Path) -> None:
    """Remove the folder that a note names, if it is a scratch folder of this user, and the note."""
    try:
        folder = Path(os.fsdecode(note.read_bytes()))
    except FileNotFoundError:
        return
    if _NAME.fullmatch(folder.name) and folder.is_dir() and folder.lstat().st_uid == os.geteuid():
        remove_tree(folder)
    note.unlink(missing_ok=True)


@contextlib.contextmanager
def make_temporary_folder(prefix: str) -> Generator[str, None, None]:
    """Yield the path of a new folder; remove it after the block, with everything that is in it."""
    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path | str) -> None:
    """Remove a folder and everything in it; `rm` can remove thousands of nested folders, shutil.rmtree cannot."""
    subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
