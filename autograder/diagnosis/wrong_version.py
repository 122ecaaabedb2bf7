"""Wrong versions of the reference, each with the misconception that it shows."""

import ast
import functools
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from autograder.assignment.variants import make_variant
from autograder.report.model import Diagnosis


@dataclass(frozen=True)
class Misconception:
    """A mistake that people really make: its name, and the texts of a report."""

    name: str
    title: str
    thought: str
    hint: str

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis that a report contains."""
        return Diagnosis("misconception", self.title, self.hint, self.thought)


@dataclass(frozen=True)
class Change:
    """Whole lines of the reference, and the lines that replace them.

    - definition: the function, class or cell that contains the lines
    """

    definition: str
    old: str
    new: str


@dataclass(frozen=True, eq=False)
class WrongVersion:
    """A wrong version of the reference.

    - file: the file with the changes, or the notebook that contains `cell`
    - definitions: {name: text} of the changed functions or classes of the file, or of the changed cell
    - also: other questions that this version makes fail
    - seen_by: "check" if a check recognises this version, else ""
    """

    misconception: Misconception
    question: str
    file: str
    changes: tuple[Change, ...]
    definitions: dict[str, str] = field(repr=False)
    also: tuple[str, ...] = ()
    cell: str = ""
    seen_by: str = ""

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of an answer that this version gives too."""
        return self.misconception.diagnosis

    @functools.cached_property
    def module(self) -> ModuleType:
        """The changed file, as a separate module."""
        return make_variant(self.file, "\n\n".join(self.definitions.values()))

    @property
    def can_be_replayed(self) -> bool:
        """Whether replay recognises this version: it is not in a notebook cell, and no check recognises it."""
        return not self.cell and not self.seen_by

    def text(self, root: Path) -> str:
        """Return the text of the changed file; `root` is the folder of the reference."""
        path = Path(root) / self.file
        text = path.read_text(encoding="utf-8")
        for name, code in self.definitions.items():
            text = text.replace(read_definitions(path)[name], code)
        return text


@functools.cache
def read_definitions(path: Path) -> dict[str, str]:
    """Return the text of every function and class of a file, by name."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    named = (node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return {node.name: "".join(lines[node.lineno - 1 : node.end_lineno]) for node in named}
