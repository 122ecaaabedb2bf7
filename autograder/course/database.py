"""The gradebook's database: opened with one message for every trouble, and not left half made."""

import contextlib

import sqlalchemy
from nbgrader.api import Gradebook, get_alembic_version

from autograder.runtime.os_errors import as_storage_error


@contextlib.contextmanager
def open_gradebook(course):
    """Give nbgrader's Gradebook of a course; StorageError where the database is locked, damaged, full or away."""
    try:
        with Gradebook(course.db_url) as gradebook:
            yield gradebook
    except Exception as error:  # nbgrader dresses SQLAlchemy's errors up as its own
        said = as_storage_error(error, course.db_url)
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
