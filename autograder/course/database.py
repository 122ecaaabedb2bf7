"""The gradebook's database: one message for every failure, and no half-made tables."""

import contextlib
import os
from collections.abc import Iterator

import sqlalchemy
from alembic.script import ScriptDirectory
from nbgrader.api import Gradebook
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from autograder.course.course import Course
from autograder.errors import StorageError
from autograder.runtime.os_errors import FULL, find_storage_error

_GRADEBOOK_HINTS = {  # words of SQLite's messages
    "locked": "Another program is writing to it: close it (formgrader, a database browser, an nbgrader command)",
    "readonly": "Make it and its folder writable for this account",
    "unable to open": "Make it and its folder readable and writable for this account",
    "full": FULL,
    "not a database": "It is damaged: put a backup in its place",
    "malformed": "It is damaged: put a backup in its place",
}
_FAULTS = (IntegrityError, ProgrammingError, DataError)  # errors that show a fault of the program, not of the database


@contextlib.contextmanager
def open_gradebook(course: Course) -> Iterator[Gradebook]:
    """Yield nbgrader's Gradebook of a course; raise StorageError if it is locked, damaged, full or missing."""
    with _raise_storage_errors(course), Gradebook(course.db_url) as gradebook:
        yield gradebook


@contextlib.contextmanager
def _raise_storage_errors(course: Course) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # nbgrader wraps SQLAlchemy's errors in its own
        storage_error = find_gradebook_error(error, course.db_url)
        if storage_error is None:
            raise
        raise storage_error from None


def prepare_gradebook(course: Course) -> None:
    """Make sure that the gradebook is complete and writable; raise StorageError if it is not.

    nbgrader makes the tables of a new gradebook and then records their version. If it is killed between the two, it
    never records the version, and `nbgrader db upgrade` fails from then on. Here the version comes first. This also
    saves the two seconds that nbgrader takes to start `alembic` for it.
    """
    with _raise_storage_errors(course):
        _record_version(course.db_url)
    with open_gradebook(course) as gradebook:
        gradebook.db.execute(sqlalchemy.text("UPDATE course SET id = id"))
        gradebook.db.rollback()


def get_tables_version() -> str | None:
    """Return the version of the tables that nbgrader makes, as `alembic heads` prints it."""
    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


def _record_version(url: str) -> None:
    """Record the version of the tables in a gradebook that has no version and no assignment."""
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            if _has_rows(connection, "alembic_version") or _has_rows(connection, "assignment"):
                return
            table = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"
            connection.execute(sqlalchemy.text(table))
            stamp = sqlalchemy.text("INSERT INTO alembic_version (version_num) VALUES (:version)")
            connection.execute(stamp, {"version": get_tables_version()})
    finally:
        engine.dispose()


def _has_rows(connection: sqlalchemy.Connection, table: str) -> bool:
    if not sqlalchemy.inspect(connection).has_table(table):
        return False
    return connection.execute(sqlalchemy.text(f"SELECT 1 FROM {table}")).first() is not None


def find_gradebook_error(error: BaseException, url: str) -> StorageError | None:
    """Return the StorageError for an exception during the use of a gradebook, or None if it has another cause.

    - url: the address of the gradebook
    """
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, DatabaseError) and not isinstance(cause, _FAULTS):
            return make_gradebook_error(url, cause)
        cause = cause.__cause__ or cause.__context__
    return find_storage_error(error)


def make_gradebook_error(url: str, error: BaseException) -> StorageError:
    """Return the StorageError for an exception of SQLAlchemy about the gradebook with this address."""
    reason = str(getattr(error, "orig", None) or error).strip()
    hints = [hint for word, hint in _GRADEBOOK_HINTS.items() if word in reason.lower()]
    hint = hints[0] if hints else "Check that the database runs and that this account may write to it"
    if os.path.isdir(make_url(url).database or ""):
        hint = "It is a folder: move it away, and put the gradebook or a backup in its place"
    storage_error = StorageError(
        f"The gradebook {make_url(url).render_as_string(hide_password=True)} cannot be used: {reason}. "
        f"{hint}, then run the same command again. What was recorded before is kept."
    )
    storage_error.everywhere = True
    return storage_error
