"""What the operating system refuses, in one message: what was done, what came, what to do next."""

import errno
import os
import tempfile
from pathlib import Path

from autograder.errors import StorageError

FULL = "Free some space on that disk"
_BUSY = "This machine is short of that just now: end what else runs, or take fewer --jobs"
_IN_THE_WAY = "Something else lies where a file or folder belongs: move it away"
_HINTS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EMFILE: "Raise the limit (ulimit -n 1024), or take fewer --jobs",
    errno.ENFILE: _BUSY,
    errno.ENOMEM: _BUSY,
    errno.EAGAIN: _BUSY,
    errno.EROFS: "Make that folder writable: it is mounted read-only",
    errno.EIO: "The disk itself fails: look after it, and after your backup",
    errno.EACCES: "Give this account the right to write there",
    errno.EPERM: "Give this account the right to write there",
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY,
}
_SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
_EVERYWHERE = _SHORTAGES | {errno.EROFS, errno.EIO}  # the next student would fare no better


def storage_error(path, error, what="written"):
    """Return the StorageError for an OSError that says why `path` could not be `what`."""
    hint = _HINTS.get(error.errno, "See to that")
    if error.errno == errno.ENOENT and os.path.isabs(path):
        hint = f"There is no folder {Path(path).parent}, and none can be made: name another place"
    said = StorageError(
        f"{path} could not be {what}: {error.strerror or error}. {hint}, then run the same command again. "
        "What was there before is as it was."
    )
    said.everywhere = error.errno in _EVERYWHERE
    return said


def as_storage_error(error):
    """Return the StorageError that an exception amounts to, or None where it is another kind of trouble."""
    while error:
        if isinstance(error, StorageError):
            return error
        if isinstance(error, OSError) and error.errno in _HINTS:
            return storage_error(_what_of(error), error, "used")
        if isinstance(error, FileNotFoundError) and not temporary_folder():
            return StorageError(f"{error.strerror}. Free some space there, or name another folder with TMPDIR.")
        error = error.__cause__ or error.__context__
    return None


def raise_everywhere(error):
    """Raise the StorageError that an exception amounts to where whatever comes next would fare no better."""
    trouble = as_storage_error(error)
    if trouble and trouble.everywhere:
        raise trouble from None


def temporary_folder():
    """Return the folder for temporary files, or None where there is none that can be written to."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


def _what_of(error):
    """Return the file that an OSError is about; of one that could not be written to, it names none."""
    path = error.filename2 or error.filename
    folder = temporary_folder()
    if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not folder:
        return path or "A file"
    if not path:
        return f"A file, most likely in the temporary folder {folder} (TMPDIR),"
    return f"The temporary folder {folder} (TMPDIR)" if Path(os.fsdecode(path)).is_relative_to(folder) else path
