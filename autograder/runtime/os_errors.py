"""Convert an error of the operating system to one message: the action, the reason, the next step."""

import errno
import os
import tempfile
from pathlib import Path

from autograder.errors import StorageError

FULL = "Free some space on that disk"
_SHORTAGE = "The machine has too few resources for this now: end other programs, or use fewer --jobs"
_PERMISSION = "Give this account the permission to write there"
_OCCUPIED = "Another file or folder has this name: move it away"
_HINTS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EMFILE: "Raise the limit (ulimit -n 1024), or use fewer --jobs",
    errno.ENFILE: _SHORTAGE,
    errno.ENOMEM: _SHORTAGE,
    errno.EAGAIN: _SHORTAGE,
    errno.EROFS: "Make that folder writable: it is mounted read-only",
    errno.EIO: "The disk has a fault: check the disk and your backup",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EEXIST: _OCCUPIED,
    errno.ENOTDIR: _OCCUPIED,
    errno.EISDIR: _OCCUPIED,
    errno.ENOTEMPTY: _OCCUPIED,
}
_SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
_EVERYWHERE = _SHORTAGES | {errno.EROFS, errno.EIO}  # the next student would meet the same error


def make_storage_error(path: Path | str, error: OSError, action: str = "written") -> StorageError:
    """Return the StorageError for an OSError; its message says why `path` could not be used.

    - action: a participle, as in "could not be written"
    """
    hint = _HINTS.get(error.errno or 0, "Remove this cause")
    if error.errno == errno.ENOENT and os.path.isabs(path):
        hint = f"There is no folder {Path(path).parent}, and it cannot be created: choose another folder"
    storage_error = StorageError(
        f"{path} could not be {action}: {error.strerror or error}. {hint}, then run the same command again. "
        "The old content is unchanged."
    )
    storage_error.everywhere = error.errno in _EVERYWHERE
    return storage_error


def find_storage_error(error: BaseException | None) -> StorageError | None:
    """Return the StorageError for an exception or one of its causes, or None for an exception of another kind."""
    while error:
        if isinstance(error, StorageError):
            return error
        if isinstance(error, OSError) and error.errno in _HINTS:
            return make_storage_error(_name_file(error), error, "used")
        if isinstance(error, FileNotFoundError) and not find_temporary_folder():
            return StorageError(f"{error.strerror}. Free some space there, or set TMPDIR to another folder.")
        error = error.__cause__ or error.__context__
    return None


def raise_if_everywhere(error: BaseException) -> None:
    """Raise the StorageError for an exception if the next student would meet the same error; else do nothing."""
    storage_error = find_storage_error(error)
    if storage_error and storage_error.everywhere:
        raise storage_error from None


def find_temporary_folder() -> Path | None:
    """Return the folder for temporary files, or None if no such folder is writable."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


def _name_file(error: OSError) -> str:
    """Return the words that name the file of an OSError in a message.

    An error about a full disk may have no file name; the file is then probably in the temporary folder.
    """
    name: str | bytes | int | None = error.filename2 or error.filename
    path = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
    folder = find_temporary_folder()
    if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not folder:
        return path or "A file"
    if not path:
        return f"A file, probably in the temporary folder {folder} (TMPDIR),"
    return f"The temporary folder {folder} (TMPDIR)" if Path(path).is_relative_to(folder) else path
