"""Read the cells of the source notebooks that contain answers."""

import json
from dataclasses import dataclass

from autograder.assignment.manifest import Manifest
from autograder.assignment.regions import strip_regions
from autograder.errors import KitError


@dataclass(frozen=True)
class Cell:
    """A code cell of a source notebook: with its solution, as released, and whether students must not change it."""

    solution: str
    released: str
    locked: bool


def read_source_cells(manifest: Manifest) -> dict[str, dict[str, Cell]]:
    """Return {notebook: {grade id: Cell}} for the notebooks that contain cells of a question.

    Raises KitError if a cell of a question is absent, and ReleaseError if a marker is malformed.
    """
    cells: dict[str, dict[str, Cell]] = {}
    for name in sorted({question.notebook for question in manifest.questions if question.cells}):
        path = manifest.notebooks / f"{name}.ipynb"
        found: dict[str, Cell] = {}
        cells[name] = found
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            mark, source = cell["metadata"].get("nbgrader"), "".join(cell["source"])
            if mark and cell["cell_type"] == "code":
                released = strip_regions(source, f"{name}.ipynb, {mark['grade_id']}")
                found[mark["grade_id"]] = Cell(source, released, not mark["solution"])
        for question in manifest.find_questions(name):
            absent = [cell for cell in question.cells if cell not in found]
            if absent:
                raise KitError(
                    f"{path}: question {question.id!r} names the cell {absent[0]!r}, but the notebook has no such cell"
                )
    return cells
