"""otter-grader: an assignment made by `otter assign`, each submission graded by `otter run`, without Docker."""

import json
import os
import re
import subprocess
import zipfile

import nbformat

from .arena import ARENA, ROOT
from .assignment import POINTS, STUB, TESTS, notebook, solution
from .ours import plant_gradebook

TITLE = "otter-grader"
PYTHON = os.environ.get("OTTER_PYTHON", str(ROOT / "build/otter/bin/python"))
PYTHONS = (str(os.path.dirname(os.path.dirname(PYTHON))),)
_NAMED = re.compile(r"[Tt]imeout|[Tt]imed out|[Kk]ernel died|MemoryError|NotJSONError|does not appear to be JSON")


def installed_version():
    """Return the version of otter-grader in its own environment, or '' where there is none."""
    try:
        ask = "from importlib.metadata import version; print(version('otter-grader'))"
        return subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


VERSION = f"{installed_version()}, `otter run`"


def prepare(arena, tokens):
    """Write the assignment's master notebook; return the commands that make autograder and student version."""
    folder = arena / "otter"
    folder.mkdir()
    cells = [("# ASSIGNMENT CONFIG\ngenerate:\n    show_hidden: false\ninit_cell: true\nexport_cell: false\n", {})]
    for number, (name, test) in enumerate(TESTS.items()):
        cells.append((f"# BEGIN QUESTION\nname: {name}\npoints: {POINTS[name]}", {}))
        if number == 0:
            answers = f"# BEGIN SOLUTION\n{solution(tokens)}\n# END SOLUTION"
            cells += [("# BEGIN SOLUTION", {}), (answers, {}), ("# END SOLUTION", {})]
        cells += [("# BEGIN TESTS", {}), (f"# HIDDEN\n# {tokens['tests']}{test}", {}), ("# END TESTS", {})]
        cells.append(("# END QUESTION", {}))
    master = notebook(cells)
    for cell in master.cells:
        if re.match("# (ASSIGNMENT CONFIG|(BEGIN|END) [A-Z]+$)", cell.source.split("\n")[0]) and cell.source != answers:
            cell.cell_type = "raw"
            del cell["outputs"], cell["execution_count"]
    nbformat.write(master, folder / "hw.ipynb")
    plant_gradebook(arena, tokens)
    return [_otter("assign", "hw.ipynb", "dist")]


def _otter(*arguments):
    return ["sh", "-c", f'cd {ARENA}/otter && exec "$0" -m otter "$@"', PYTHON, *arguments]


def hand_in(arena, student, attack):
    """Write the student's notebook with the code in its answer cell; files beside it go along in a zip."""
    folder = arena / "submitted" / student
    folder.mkdir(parents=True)
    made = nbformat.read(arena / "otter/dist/student/hw.ipynb", as_version=4)
    answer = next(cell for cell in made.cells if cell.cell_type == "code" and cell.source.strip() == "...")
    answer.source = STUB + attack.source
    data = nbformat.writes(made).encode()
    (folder / "hw.ipynb").write_bytes(attack.notebook(data) if attack.notebook else data)
    if attack.files:
        with zipfile.ZipFile(folder / "hw.zip", "w") as archive:
            archive.write(folder / "hw.ipynb", "hw.ipynb")
            for name, text in attack.files.items():
                archive.writestr(name, text)


def commands(students, pages):
    """Return the commands that grade students."""
    run = "cd {arena}/otter && mkdir -p {arena}/records/{s} && f={arena}/submitted/{s}/hw.zip; "
    run += "[ -e $f ] || f={arena}/submitted/{s}/hw.ipynb; "
    run += 'exec "$0" -m otter run -a dist/autograder/*.zip -o {arena}/records/{s} $f'
    return [["sh", "-c", run.format(arena=ARENA, s=student), PYTHON] for student in students]


def points(arena, student):
    """Return the points a student was given, or None where there is no grade."""
    path = arena / "records" / student / "results.json"
    if not path.exists():
        return None
    return sum(test.get("score", 0) for test in json.loads(path.read_text())["tests"])


def pages(arena, student):
    """Return nothing: otter run makes no page."""
    return []


def printed(arena, student):
    """Return nothing: only the loot tells what a thief found."""
    return ""


def named(arena, student, said):
    """Return the words by which the grader names what was wrong with a submission."""
    return sorted(set(_NAMED.findall(said)))
