"""The cells of the source notebooks in which questions are answered."""

import json
from dataclasses import dataclass

from autograder.assignment.manifest import Manifest
from autograder.assignment.regions import strip_regions
from autograder.errors import KitError


@dataclass(frozen=True)
class Cell:
    """A code cell of the source notebooks, with and without its solution, and whether students may not change it."""

    solution: str
    released: str
    locked: bool


def source_cells(manifest: Manifest) -> dict[str, dict[str, Cell]]:
    """Return {notebook: {grade id: Cell}} for the notebooks in which some question has cells."""
    cells = {}
    for name in sorted({question.notebook for question in manifest.questions if question.cells}):
        path = manifest.notebooks / f"{name}.ipynb"
        found = cells[name] = {}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            mark, source = cell["metadata"].get("nbgrader"), "".join(cell["source"])
            if mark and cell["cell_type"] == "code":
                released = strip_regions(source, f"{name}.ipynb, {mark['grade_id']}")
                found[mark["grade_id"]] = Cell(source, released, not mark["solution"])
        for question in manifest.of_notebook(name):
            absent = [cell for cell in question.cells if cell not in found]
            if absent:
                raise KitError(f"{path}: {question.id!r} is answered in the cell {absent[0]!r}, which is not there")
    return cells
