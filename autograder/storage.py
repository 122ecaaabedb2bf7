"""What the disk and the gradebook refuse, said in one message: what was done, what came, what to do next."""

import errno

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from autograder.errors import StorageError

_FULL = "Free some space on that disk"
_IN_THE_WAY = "Something else lies where a file or folder belongs: move it away"
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "Make that folder writable: it is mounted read-only",
    errno.EIO: "The disk itself fails: look after it, and after your backup",
    errno.EACCES: "Give this account the right to write there",
    errno.EPERM: "Give this account the right to write there",
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY,
}
_EVERYWHERE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # the next student would fare no better
_GRADEBOOK_HINTS = {  # words of SQLite's messages
    "locked": "Another program is writing to it: close it (formgrader, a database browser, an nbgrader command)",
    "readonly": "Make it writable for this account, and the folder that it lies in",
    "unable to open": "Make it readable and writable for this account, and the folder that it lies in",
    "full": _FULL,
    "not a database": "It is damaged: put a backup in its place",
    "malformed": "It is damaged: put a backup in its place",
}
_FAULTS = (IntegrityError, ProgrammingError, DataError)  # of the program, not of the database


def storage_error(path, error, what="written"):
    """Return the StorageError for an OSError that says why `path` could not be `what`."""
    hint = _HINTS.get(error.errno, "See to that")
    said = StorageError(
        f"{path} could not be {what}: {error.strerror or error}. {hint}, then run the same command again. "
        "What was there before is as it was."
    )
    said.everywhere = error.errno in _EVERYWHERE
    return said


def gradebook_error(url, error):
    """Return the StorageError for what SQLAlchemy raised at the gradebook with this address."""
    reason = str(getattr(error, "orig", None) or error).strip()
    hints = [hint for word, hint in _GRADEBOOK_HINTS.items() if word in reason.lower()]
    hint = hints[0] if hints else "See that the database runs and that this account may write to it"
    said = StorageError(
        f"The gradebook {make_url(url).render_as_string(hide_password=True)} could not be used: {reason}. "
        f"{hint}, then run the same command again. What was recorded before is kept."
    )
    said.everywhere = True
    return said


def as_storage_error(error, url=None):
    """Return the StorageError that an exception amounts to, or None where it is another kind of trouble.

    - url: the address of the gradebook that was at work, if one was
    """
    while error:
        if isinstance(error, StorageError):
            return error
        if isinstance(error, OSError) and error.errno in _HINTS:
            return storage_error(error.filename2 or error.filename or "A file", error, "used")
        if url and isinstance(error, DatabaseError) and not isinstance(error, _FAULTS):
            return gradebook_error(url, error)
        error = error.__cause__ or error.__context__
    return None
