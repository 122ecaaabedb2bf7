"""nbgrader: `nbgrader autograde` with its own preprocessors, which run the submission in a kernel."""

import re
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from .arena import ARENA
from .assignment import POINTS, STUB, TESTS, notebook, solution

TITLE = "nbgrader"
VERSION = f"{version('nbgrader')}, `nbgrader autograde`"
PYTHONS = ()
# A checksum is said to have changed for everybody, whenever there are hidden tests.
_NAMED = re.compile(
    r"Attribute '(?!checksum)\w+' for cell|[Tt]imeout|[Tt]imed out|[Kk]ernel died|MemoryError|NotJSONError"
)
CONFIG = f"""c = get_config()
c.CourseDirectory.root = "{ARENA}/course"
c.CourseDirectory.course_id = "attacks"
c.CourseDirectory.submitted_directory = "{ARENA}/submitted"
"""


def _about(name, points=0):
    grade = bool(points)
    about = {"schema_version": 3, "grade_id": name, "grade": grade, "solution": not grade, "locked": grade}
    return {"nbgrader": about | {"task": False} | ({"points": points} if grade else {})}


def prepare(arena, tokens):
    """Write the course; return the commands that make its release and its gradebook."""
    course = arena / "course"
    (course / "source/hw").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(CONFIG)
    hidden = "### BEGIN HIDDEN TESTS\n# {token}{test}### END HIDDEN TESTS"
    cells = [(f"### BEGIN SOLUTION\n{solution(tokens)}### END SOLUTION", _about("answers"))]
    for name, test in TESTS.items():
        cells.append((hidden.format(token=tokens["tests"], test=test), _about(name, POINTS[name])))
    nbformat.write(notebook(cells), course / "source/hw/hw.ipynb")
    return [
        _nbgrader("generate_assignment", "hw"),
        _nbgrader("db", "student", "add", "ada", f"--last-name={tokens['gradebook']}"),
    ]


def _nbgrader(*arguments):
    command = f'cd {ARENA}/course && exec "$0" -m nbgrader "$@"'
    return ["sh", "-c", command, sys.executable, *arguments]


def hand_in(arena, student, attack):
    """Write the released notebook with the student's code in its answer cell."""
    folder = arena / "submitted" / student / "hw"
    folder.mkdir(parents=True)
    made = nbformat.read(arena / "course/release/hw/hw.ipynb", as_version=4)
    made.cells[0].source = STUB + attack.source
    data = nbformat.writes(made).encode()
    (folder / "hw.ipynb").write_bytes(attack.notebook(data) if attack.notebook else data)
    for name, text in attack.files.items():
        (folder / name).write_text(text)


def commands(students, pages):
    """Return the command that grades all whose grade is missing, and the one that makes their pages."""
    grade = _nbgrader("autograde", "hw", "--create")
    return [grade] + ([_nbgrader("generate_feedback", "hw")] if pages else [])


def points(arena, student):
    """Return the points in the gradebook, or None where there is no autograded notebook."""
    if not (arena / "course/autograded" / student / "hw/hw.ipynb").exists():
        return None
    with Gradebook(f"sqlite:///{arena}/course/gradebook.db") as book:
        try:
            return book.find_submission("hw", student).score
        except MissingEntry:
            return None


def pages(arena, student):
    """Return the HTML pages made for a student."""
    return list(Path(arena / "course/feedback" / student).glob("*/*.html"))


def printed(arena, student):
    """Return nothing: the tests stand in what nbgrader writes, so only the loot tells what a thief found."""
    return ""


def named(arena, student, said):
    """Return the words by which the grader names what was wrong with a submission."""
    return sorted(set(_NAMED.findall(said)))
