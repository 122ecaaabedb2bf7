"""The state that a command leaves, in a form that is equal for any two complete runs."""

import hashlib
import json
import os
import re
import sqlite3

_TIMES = re.compile(rb"judged in [0-9.]+ s|Graded [0-9T:+-]+ in [0-9.]+ s")
_RANDOM_ID = re.compile(r"[0-9a-f]{32}")
_OURS = {".autograder.lock"}  # stays there, empty


def gradebook(path):
    """Return every row of every table as sorted text; random ids are replaced by the rows that they name."""
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}
    connection.close()
    by_id = {}
    for name in sorted(tables):  # base_cell comes before grade_cells, whose rows have the same ids
        for row in tables[name]:
            by_id.setdefault(row.get("id"), row)

    def named(column, value, row):
        if isinstance(value, str) and _RANDOM_ID.fullmatch(value) and value in by_id:  # a checksum looks the same
            return None if by_id[value] is row else plain(by_id[value])
        return value

    def plain(row):
        return [(column, named(column, value, row)) for column, value in row.items()]

    return {name: sorted(repr(plain(row)) for row in rows) for name, rows in tables.items()}


def files(folder):
    """Return {path: contents} of a folder, with hidden files, without times of grading and the folder's own name."""
    return {
        path.relative_to(folder).as_posix(): _timeless(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _OURS
    }


def _timeless(path, folder):
    data = path.read_bytes().replace(os.fsencode(folder), b"COURSE")  # a report may say where nothing was found
    if path.name == "report.json":
        report = json.loads(data)
        for timed in (report, *report["questions"]):
            timed |= {"seconds": 0, "graded_at": ""}
        return json.dumps(report | {"sha256": ""})
    if path.name == "recorded.sha256":  # of the report, times and all
        return data.decode() == hashlib.sha256((path.parent / "report.json").read_bytes()).hexdigest()
    return _TIMES.sub(b"", data)


def graded(course):
    """Return the state after `autograder grade`: all files of the course, and the rows of the gradebook."""
    left = files(course.root)
    left.pop("gradebook.db")
    return left | {f"gradebook: {name}": rows for name, rows in gradebook(course.root / "gradebook.db").items()}


def released(course):
    """Return the state after `autograder release`."""
    rows = gradebook(course.root / "gradebook.db")
    return files(course.release) | {f"gradebook: {name}": rows[name] for name in rows}


def difference(found, wanted):
    """Return the names of the parts that differ between two such states."""
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
