"""Answers that stand in notebook cells: put together as modules that the worker can import.

A question that names `cells` in the manifest gets a module of its own. A cell that students write in is taken from
the submission's notebook, one that is locked from the release; both by their grade id. Nothing else of the notebook
is used.
"""

import re

from autograder.assignment.notebook_cells import read_source_cells
from autograder.intake.reading import MAX_SOURCE
from autograder.intake.safe_notebook import read_notebook

_HEAD = "# %% "  # stands before each cell in a module, with the cell's grade id
_TOO_LARGE = f"this cell is larger than {MAX_SOURCE >> 10} KB and was not read"
_PLACE = re.compile(r"([\w./-]+\.py), line (\d+)")


def answer_modules(manifest, files):
    """Return {path: text} of the modules of all questions that are answered in cells.

    - files: {path: bytes} of a submission; {} gives the modules as they are released
    """
    released, modules, read = read_source_cells(manifest), {}, {}
    for question in manifest.questions:
        if question.cells:
            name = question.notebook
            if name not in read:
                read[name] = _own_cells(files.get(f"{name}.ipynb"))
            parts = [(cell, _text_of(released[name][cell], read[name].get(cell))) for cell in question.cells]
            modules[question.source] = "".join(f"{_HEAD}{cell}\n{text.rstrip()}\n\n\n" for cell, text in parts)
    return modules


def answer_cell(modules, question):
    """Return {file, line, text} of the cell that answers a question, the last one that it names."""
    text = modules[question.source].rpartition(f"{_HEAD}{question.cells[-1]}\n")[2]
    return {"file": f"{question.notebook}.ipynb, cell {question.cells[-1]}", "line": 1, "text": text.rstrip()}


def in_the_notebook(message, modules):
    """Return a message with every place in one of these modules told as notebook, cell and line of the cell."""

    def told(match):
        path, line = match[1], int(match[2])
        if path not in modules:
            return match[0]
        before = modules[path].split("\n")[:line]
        heads = [number for number, text in enumerate(before) if text.startswith(_HEAD)]
        if not heads:
            return match[0]
        cell = before[heads[-1]].removeprefix(_HEAD)
        return f"{path.split('/')[-2]}.ipynb, cell {cell}, line {line - heads[-1] - 1}"

    return _PLACE.sub(told, message)


def _own_cells(data):
    """Return {grade id: source} of a submitted notebook's code cells; {} where it is absent or unreadable."""
    notebook, _ = read_notebook(data) if data else (None, "")
    own = {}
    for cell in notebook.cells if notebook else ():
        mark = cell.metadata.get("nbgrader")
        if cell.cell_type == "code" and isinstance(mark, dict) and isinstance(mark.get("grade_id"), str):
            small = len(cell.source) <= MAX_SOURCE
            own.setdefault(mark["grade_id"], cell.source if small else f"raise MemoryError({_TOO_LARGE!r})")
    return own


def _text_of(released, own):
    """Return a cell as a module can hold it: the lines that only a notebook understands are commented out."""
    text = released.released if released.locked or own is None else own
    return re.sub(r"^(?=[%!?])", "# ", text.replace("\r\n", "\n").replace("\r", "\n"), flags=re.M)
