"""Course directories for tests: small ones that are graded in seconds, and one with all notebooks."""

import json
import re
import shutil

from autograder.course.course import Course
from tests.kit import ROOT


def configuration(kit=None):
    """Return nbgrader_config.py of a course directory on a kit; without one, the course's own folder is the kit."""
    place = f"Path({str(kit)!r})" if kit else "Path(__file__).parent"
    return f"""import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from autograder.course import configure
configure(get_config(), root=Path(__file__).parent, kit={place})
"""


def make_small_course(folder, notebooks, questions=()):
    """Write a small kit that is a course directory, without a release; return the Course."""
    folder.mkdir(parents=True, exist_ok=True)
    write_small_kit(folder, notebooks, questions)
    (folder / "nbgrader_config.py").write_text(configuration(), encoding="utf-8")
    return Course(folder)


def copy_sources(folder):
    """Copy all that a release is made from into `folder`."""
    for name in ("assignment2", "source_notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    shutil.copy(ROOT / "get_datasets.sh", folder)


def write_small_kit(folder, notebooks, questions=()):
    """Write the sources of the kit with a few notebooks into `folder`.

    - notebooks: a name, as in "Dropout", or several
    - questions: ids of the questions that are kept, with the cells that nbgrader knows and the first cell of each
      notebook; () keeps all questions and cells
    """
    notebooks = {notebooks} if isinstance(notebooks, str) else set(notebooks)
    copy_sources(folder)
    manifest = folder / "assignment2" / "questions.toml"
    head, *tables = re.split(r"(?m)^(?=\[\[question\]\])", manifest.read_text(encoding="utf-8"))
    names = {re.search(r'(?m)^id = "(\w+)"', table)[1]: table for table in tables}
    inside = {
        name: table for name, table in names.items() if re.search(r'(?m)^notebook = "(\w+)"', table)[1] in notebooks
    }
    kept = {name: table for name, table in inside.items() if name in (questions or inside)}
    manifest.write_text(head + "".join(kept.values()), encoding="utf-8")
    for path in (folder / "source_notebooks" / "assignment2").glob("*.ipynb"):
        if path.stem not in notebooks:
            path.unlink()
        elif questions:
            _remove_cells(path, {None, *inside} - kept.keys())


def _remove_cells(path, names):
    """Remove the cells of a notebook that nbgrader knows by these names, but not the first; None: by no name."""
    text = json.loads(path.read_text(encoding="utf-8"))
    first, *others = text["cells"]
    others = [cell for cell in others if cell["metadata"].get("nbgrader", {}).get("grade_id") not in names]
    text["cells"] = [first, *others]
    path.write_text(json.dumps(text), encoding="utf-8")
