"""This kit: `autograder check`, a run for each submission, from a copy of the kit that holds the tokens."""

import json
import shutil
import sqlite3
import sys

from autograder import __version__

from .arena import ARENA, ROOT
from .assignment import POINTS

TITLE = "this kit"
VERSION = f"{__version__}, `autograder check` in bubblewrap"
PYTHONS = ()
PARTS = ("autograder", "assignment2", "source_notebooks", "release", "nbgrader_config.py")
SIGNS = ("forbidden", "timeout", "memory")


def prepare(arena, tokens):
    """Copy the kit, tokens in its reference and checks; return the commands to run before any student submits."""
    for name in PARTS:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, arena / "kit" / name)
    with (arena / "kit/assignment2/cs231n/layers.py").open("a") as file:
        file.write(f"\n# {tokens['solution']}\n")
    with (arena / "kit/autograder/checks/layers/layer.py").open("a") as file:
        file.write(f"\n# {tokens['tests']}\n")
    plant_gradebook(arena, tokens)
    return []


def plant_gradebook(arena, tokens):
    """Write a gradebook in SQLite, for a grader that keeps its own elsewhere or none."""
    base = sqlite3.connect(arena / "gradebook.db")
    base.execute("CREATE TABLE grade (id INTEGER, student TEXT, name TEXT, auto_score REAL)")
    base.execute("INSERT INTO grade VALUES (1, 'ada', ?, 8)", [tokens["gradebook"]])
    base.commit()
    base.close()


def hand_in(arena, student, attack):
    """Write the submission of a student: the package with the answers at its end, and the notebook."""
    folder = arena / "submitted" / student
    package = folder / "cs231n"
    shutil.copytree(ROOT / "release/assignment2/cs231n", package, ignore=shutil.ignore_patterns("__pycache__"))
    layers = package / "layers.py"
    layers.write_bytes(attack.encode(layers.read_text() + "\n\n" + attack.source))
    data = (ROOT / "release/assignment2/FullyConnectedNets.ipynb").read_bytes()
    (folder / "FullyConnectedNets.ipynb").write_bytes(attack.notebook(data) if attack.notebook else data)
    for name, text in attack.files.items():
        (folder / name).write_text(text)


def commands(students, pages):
    """Return the commands that grade students."""
    asked = [part for question in POINTS for part in ("--question", question)]
    made = []
    for student in students:
        record = f"{ARENA}/records/{student}"
        check = f'cd {ARENA}/kit && mkdir -p {record} && PYTHONPATH={ARENA}/kit exec "$0" -m autograder check "$@"'
        written = ["--require-sandbox", "--json", f"{record}/report.json", "--html", f"{record}/page.html"]
        made.append(["sh", "-c", check, sys.executable, f"{ARENA}/submitted/{student}", *asked, *written])
    return made


def points(arena, student):
    """Return the points a student was given, or None where there is no grade."""
    path = arena / "records" / student / "report.json"
    return json.loads(path.read_text())["score"] if path.exists() else None


def pages(arena, student):
    """Return the HTML pages made for a student."""
    return list((arena / "records" / student).glob("*.html"))


def printed(arena, student):
    """Return what the student's code printed, as far as people get to see it."""
    path = arena / "records" / student / "report.json"
    return path.read_text() if path.exists() else ""


def named(arena, student, said):
    """Return the words by which the grader names what was wrong with a submission."""
    path = arena / "records" / student / "report.json"
    if not path.exists():
        return [line for line in said.splitlines() if line.startswith("autograder:")][-1:]
    report = json.loads(path.read_text())
    verdicts = {question["verdict"] for question in report["questions"]}
    return sorted(verdicts & set(SIGNS)) + report["submission"]["notes"][:1]
