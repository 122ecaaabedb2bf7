"""The gradebook's database: a new one, and one that a killed command has begun."""

import contextlib
import sqlite3

from autograder.course.database import prepare_gradebook


def test_a_gradebook_that_has_a_version_and_no_tables_is_completed(tmp_path, make_course):
    """As a release leaves it that is killed between recording the version and making the tables."""
    course = make_course(tmp_path)
    path = course.root / "gradebook.db"
    with contextlib.closing(sqlite3.connect(path)) as released:
        (version,) = released.execute("SELECT version_num FROM alembic_version").fetchone()
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as half, half:
        half.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        half.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    prepare_gradebook(course)
    with contextlib.closing(sqlite3.connect(path)) as made:
        assert made.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]
        assert made.execute("SELECT count(*) FROM submitted_assignment").fetchone() == (0,)
