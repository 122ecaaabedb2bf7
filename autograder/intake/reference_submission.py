"""The reference as a submission with every answer right."""

import json
from collections.abc import Callable, Mapping

from autograder.assignment.manifest import Manifest
from autograder.assignment.notebook_cells import Cell, read_source_cells
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.regions import BEGIN, END
from autograder.intake.submission import Submission


def make_reference_submission(manifest: Manifest, more: Mapping[str, bytes] | None = None) -> Submission:
    """Return the reference's package and answered notebooks as a Submission.

    - more: {path: bytes} of further files, such as saved models
    """
    files = {path: remove_markers(text).encode() for path, text in read_reference_texts(manifest).items()}
    files |= make_answered_notebooks(manifest, lambda notebook, grade_id, cell: remove_markers(cell.solution))
    return Submission("reference", files | dict(more or {}))


def make_answered_notebooks(manifest: Manifest, answer: Callable[[str, str, Cell], str]) -> dict[str, bytes]:
    """Return {path: bytes} of the notebooks that contain answers.

    - answer: called with (notebook, grade id, Cell) of each graded code cell; returns the new text of the cell
    """
    files: dict[str, bytes] = {}
    for name, cells in read_source_cells(manifest).items():
        notebook = json.loads((manifest.notebooks / f"{name}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in cells:
                cell["source"] = answer(name, grade_id, cells[grade_id])
        files[f"{name}.ipynb"] = json.dumps(notebook).encode()
    return files


def remove_markers(text: str) -> str:
    """Return a text of the reference without the lines that mark its solutions."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in (BEGIN, END))
