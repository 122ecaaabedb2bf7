"""RestoreCells: restores the released graded cells of a submitted notebook.

The properties of a cell (graded, solution, points) come from the gradebook, never from the student's file: edited
metadata is restored, copies of a graded cell lose their metadata, and deleted cells are added as released.
"""

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor


class RestoreCells(NbGraderPreprocessor):
    """Run before OverwriteCells, which restores the text of locked cells."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore the metadata of graded cells and add deleted ones; return the notebook and the resources."""
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(names["notebook"], names["assignment"])
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            solutions = {cell.name for cell in notebook.solution_cells}
            released = {cell.name: _make_released_cell(cell, points, solutions) for cell in notebook.source_cells}
        seen = set()
        for cell in nb.cells:
            claim = cell.metadata.get("nbgrader")
            name = claim.get("grade_id") if isinstance(claim, dict) else None
            if isinstance(name, str) and name in released and name not in seen:
                seen.add(name)
                cell.metadata["nbgrader"] = dict(released[name].metadata["nbgrader"])
            else:
                cell.metadata.pop("nbgrader", None)
        nb.cells += [cell for name, cell in released.items() if name not in seen]
        return nb, resources


def _make_released_cell(source: Any, points: dict[Any, Any], solutions: set[Any]) -> NotebookNode:
    """Return the released cell, from its record in the gradebook, an nbgrader.api.SourceCell."""
    make = new_code_cell if source.cell_type == "code" else new_markdown_cell
    cell = make(source.source, id="restored-" + re.sub(r"[^A-Za-z0-9_-]", "-", source.name)[:50])
    cell.metadata["nbgrader"] = {
        "grade_id": source.name,
        "grade": source.name in points,
        "solution": source.name in solutions,
        "locked": source.locked,
        "task": False,
        "cell_type": source.cell_type,
        "checksum": source.checksum,
        "schema_version": 3,
    }
    if source.name in points:
        cell.metadata["nbgrader"]["points"] = points[source.name]
    return cell
