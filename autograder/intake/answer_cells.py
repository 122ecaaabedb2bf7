"""Make modules, which the worker can import, from answers in notebook cells.

A question with `cells` in the manifest has a module of its own. Cells that students edit come from the submission's
notebook, locked cells from the release; both are found by their grade id. Nothing else of the notebook is used.
"""

import re
from collections.abc import Mapping
from typing import Any

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.notebook_cells import Cell, read_source_cells
from autograder.intake.file_limits import MAX_SOURCE
from autograder.intake.safe_notebook import read_notebook

_HEAD = "# %% "  # first line of each cell in a module, followed by the cell's grade id
_TOO_LARGE = f"this cell is larger than {MAX_SOURCE >> 10} KB and was not read"
_PLACE = re.compile(r"([\w./-]+\.py), line (\d+)")


def make_answer_modules(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, str]:
    """Return {path: text} of the modules of all questions with answers in cells.

    - files: {path: bytes} of a submission; {} gives the released modules
    """
    released = read_source_cells(manifest)
    modules: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {}  # {notebook: {grade id: source}} of the submission
    for question in manifest.questions:
        if question.cells:
            name = question.notebook
            if name not in own:
                own[name] = _read_own_cells(files.get(f"{name}.ipynb"))
            parts = [(cell, _make_text(released[name][cell], own[name].get(cell))) for cell in question.cells]
            modules[question.source] = "".join(f"{_HEAD}{cell}\n{text.rstrip()}\n\n\n" for cell, text in parts)
    return modules


def find_answer_cell(modules: Mapping[str, str], question: Question) -> dict[str, Any]:
    """Return {file, line, text} of the cell with a question's answer: the last cell that the question names."""
    text = modules[question.source].rpartition(f"{_HEAD}{question.cells[-1]}\n")[2]
    return {"file": f"{question.notebook}.ipynb, cell {question.cells[-1]}", "line": 1, "text": text.rstrip()}


def translate_locations(message: str, modules: Mapping[str, str]) -> str:
    """Return a message with the notebook, cell and line of the cell in the place of every line of these modules."""

    def translate(match: re.Match[str]) -> str:
        path, line = match[1], int(match[2])
        if path not in modules:
            return match[0]
        before = modules[path].split("\n")[:line]
        heads = [number for number, text in enumerate(before) if text.startswith(_HEAD)]
        if not heads:
            return match[0]
        cell = before[heads[-1]].removeprefix(_HEAD)
        return f"{path.split('/')[-2]}.ipynb, cell {cell}, line {line - heads[-1] - 1}"

    return _PLACE.sub(translate, message)


def _read_own_cells(data: bytes | None) -> dict[str, str]:
    """Return {grade id: source} of the code cells of a student's notebook; {} if it is absent or unreadable."""
    notebook, _ = read_notebook(data) if data else (None, "")
    own: dict[str, str] = {}
    for cell in notebook.cells if notebook else ():
        mark = cell.metadata.get("nbgrader")
        if cell.cell_type == "code" and isinstance(mark, dict) and isinstance(mark.get("grade_id"), str):
            is_small = len(cell.source) <= MAX_SOURCE
            own.setdefault(mark["grade_id"], cell.source if is_small else f"raise MemoryError({_TOO_LARGE!r})")
    return own


def _make_text(cell: Cell, own: str | None) -> str:
    """Return the text of a cell for a module, with a `#` before each line that only notebooks understand."""
    text = cell.released if cell.locked or own is None else own
    return re.sub(r"^(?=[%!?])", "# ", text.replace("\r\n", "\n").replace("\r", "\n"), flags=re.M)
