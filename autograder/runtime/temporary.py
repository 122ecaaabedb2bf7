"""The temporary folder of a grading run: all of its temporary files lie in there, so that none outlives it for long.

A run that is killed cannot remove it. So its name is noted in the course before it is made, and the next run looks.
"""

import contextlib
import os
import re
import secrets
import subprocess
import tempfile
from pathlib import Path

from autograder.runtime.os_errors import as_storage_error, storage_error

NOTE = ".autograder.scratch"
_NAME = re.compile(r"autograder-[0-9a-f]{32}")


@contextlib.contextmanager
def scratch(root):
    """Make `tempfile` use a folder of this run's own while the block runs; whoever calls holds the lock of `root`."""
    note = Path(root) / NOTE
    _remove_noted(note)
    before = tempfile.tempdir
    try:
        folder = Path(tempfile.gettempdir()) / f"autograder-{secrets.token_hex(16)}"
        note.write_bytes(os.fsencode(folder))  # half of it names no folder, and none is made yet
        folder.mkdir()
        folder.chmod(0o711)  # a worker may run as another user, and be at home in a folder inside
        tempfile.tempdir = str(folder)
    except OSError as error:
        raise as_storage_error(error) or storage_error(error.filename or "The temporary folder", error) from None
    try:
        yield
    finally:
        tempfile.tempdir = before
        _remove_noted(note)


def _remove_noted(note):
    """Remove the folder that a note names, if it is one of ours, and the note."""
    try:
        folder = Path(os.fsdecode(note.read_bytes()))
    except FileNotFoundError:
        return
    if _NAME.fullmatch(folder.name) and folder.is_dir() and folder.lstat().st_uid == os.geteuid():
        remove_tree(folder)
    note.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder(prefix):
    """Give the path of a folder that is removed after the block, whatever a stranger's code has made of it."""
    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder):
    """Remove a folder with all in it, however deep: where folders were nested by the thousand, Python's own fails."""
    subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
