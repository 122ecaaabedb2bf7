"""The gradebook's database: opened with one message for every trouble, and not left half made."""

import contextlib
import os

import sqlalchemy
from nbgrader.api import Gradebook, get_alembic_version
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from autograder.errors import StorageError
from autograder.runtime.os_errors import FULL, find_storage_error

_GRADEBOOK_HINTS = {  # words of SQLite's messages
    "locked": "Another program is writing to it: close it (formgrader, a database browser, an nbgrader command)",
    "readonly": "Make it writable for this account, and the folder that it lies in",
    "unable to open": "Make it readable and writable for this account, and the folder that it lies in",
    "full": FULL,
    "not a database": "It is damaged: put a backup in its place",
    "malformed": "It is damaged: put a backup in its place",
}
_FAULTS = (IntegrityError, ProgrammingError, DataError)  # of the program, not of the database


@contextlib.contextmanager
def open_gradebook(course):
    """Give nbgrader's Gradebook of a course; StorageError where the database is locked, damaged, full or away."""
    try:
        with Gradebook(course.db_url) as gradebook:
            yield gradebook
    except Exception as error:  # nbgrader dresses SQLAlchemy's errors up as its own
        said = as_gradebook_error(error, course.db_url)
        if said is None:
            raise
        raise said from None


def prepare_gradebook(course):
    """See that the gradebook is whole and can be written to; StorageError where not.

    nbgrader makes the tables of a new one and then writes down their version; where it was killed between the two it
    would never do so, and `nbgrader db upgrade` would fail for good.
    """
    with open_gradebook(course) as gradebook:
        gradebook.db.execute(sqlalchemy.text("UPDATE course SET id = id"))
        gradebook.db.rollback()
        if _lacks_version(gradebook) and not gradebook.assignments:
            gradebook.db.execute(
                sqlalchemy.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
            stamp = sqlalchemy.text("INSERT INTO alembic_version (version_num) VALUES (:version)")
            gradebook.db.execute(stamp, {"version": get_alembic_version()})
            gradebook.db.commit()


def _lacks_version(gradebook):
    if not sqlalchemy.inspect(gradebook.engine).has_table("alembic_version"):
        return True
    return not gradebook.db.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).first()


def as_gradebook_error(error, url):
    """Return the StorageError that an exception amounts to while a gradebook was in use, or None for other trouble.

    - url: the address of the gradebook
    """
    cause = error
    while cause:
        if isinstance(cause, DatabaseError) and not isinstance(cause, _FAULTS):
            return gradebook_error(url, cause)
        cause = cause.__cause__ or cause.__context__
    return find_storage_error(error)


def gradebook_error(url, error):
    """Return the StorageError for what SQLAlchemy raised at the gradebook with this address."""
    reason = str(getattr(error, "orig", None) or error).strip()
    hints = [hint for word, hint in _GRADEBOOK_HINTS.items() if word in reason.lower()]
    hint = hints[0] if hints else "See that the database runs and that this account may write to it"
    if os.path.isdir(make_url(url).database or ""):
        hint = "It is a folder: move it away, and put the gradebook or a backup in its place"
    said = StorageError(
        f"The gradebook {make_url(url).render_as_string(hide_password=True)} could not be used: {reason}. "
        f"{hint}, then run the same command again. What was recorded before is kept."
    )
    said.everywhere = True
    return said
