"""The catalogue of misconceptions: mistakes that people really make, and how the grader recognises each of them.

The catalogue has one file a question, named for it, as in `affine_backward.toml`:

    [lines]                      # every line of the reference that a wrong version changes, quoted once, under a name
    db = "db = dout.sum(axis=0)"
    [lines.affine_forward]       # optional: lines of another function of the same file
    out = "out = rows @ w + b"

    [[misconception]]
    name = "affine_gradient_averaged"   # unique in the file
    title = "..."                # what the report calls it
    thought = "..."              # the likely reasoning, for TAs
    hint = "..."                 # for the student; it does not give the answer away
    [[misconception.wrong]]      # one way to write the mistake; there may be several
    new.db = "db = dout.mean(axis=0)"   # the code in place of the line named `db`; "" removes the line
    also = ["..."]               # optional: other questions that this version makes fail
    seen_by = "check"            # optional: a check recognises it (random masks, TensorFlow), not a replay

- A mistake that several functions share has its texts in one file. In the others, `as_in = "<question>"` stands in
  place of title, thought and hint, under the same name.
- A quotation is one or more whole lines, and must occur exactly once in the function. Indentation is ignored: new code
  is written from column 0 and indented as the quoted line is.
- `cell = "<grade id>"` at the top of a file says that its lines are in that notebook cell, not in a function.

A wrong version is the reference with these changes, and the grader runs it: it repeats the calls that the student's
code answered, in the judge's process. A version that gives the student's own answers, where these are wrong, names the
mistake. Nothing is guessed: an answer that fits no version has no name.
"""

import ast
import functools
import json
import textwrap
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from autograder.assignment.manifest import Manifest, Question, read_manifest
from autograder.assignment.variants import make_variant
from autograder.errors import KitError
from autograder.report.model import Diagnosis


@dataclass(frozen=True)
class Misconception:
    """One entry of the catalogue: its id, and the texts of a report."""

    name: str
    title: str
    thought: str
    hint: str

    @property
    def diagnosis(self) -> Diagnosis:
        return Diagnosis("misconception", self.title, self.hint, self.thought)


@dataclass(frozen=True)
class Change:
    """Whole lines of a function, class or cell of the reference, and the lines that replace them."""

    where: str
    old: str
    new: str


@dataclass(frozen=True, eq=False)
class WrongVersion:
    """One wrong version of the reference.

    - file: the file that is changed, or the notebook that holds `cell`
    - definitions: the changed functions or classes of the file, or the changed cell: {name: text}
    - also: other questions that fail because of it
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
        return self.misconception.diagnosis

    @functools.cached_property
    def module(self) -> ModuleType:
        """The file with the changes in it, as a module of its own."""
        return make_variant(self.file, "\n\n".join(self.definitions.values()))

    @property
    def can_be_replayed(self) -> bool:
        return not self.cell and not self.seen_by

    def text(self, root: Path) -> str:
        """Return the whole file with the changes in it; `root` is the folder of the reference."""
        path = Path(root) / self.file
        text = path.read_text(encoding="utf-8")
        for name, code in self.definitions.items():
            text = text.replace(_definitions(path)[name], code)
        return text


def load(folder: Path, root: Path) -> dict[str, list[WrongVersion]]:
    """Return every WrongVersion of the catalogue in `folder`, by question, in the order of the manifest.

    - root: the folder of the reference solution

    Raises KitError with the file, the entry, the fault and the remedy where an entry does not fit the reference.
    """
    manifest = read_manifest(root)
    files = {path.stem: _File(path, manifest) for path in sorted(Path(folder).glob("*.toml"))}
    ids = [question.id for question in manifest.questions]
    return {id_: files[id_].versions(files) for id_ in sorted(files, key=ids.index)}


class _File:
    """One file of the catalogue."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # not TOML, or not UTF-8
            self.refuse("", f"not valid TOML: {error}")
        self._check_fields("", data, {"lines", "misconception"}, frozenset({"cell"}))
        self.questions = {question.id: question for question in manifest.questions}
        self.question: Question = self.questions.get(path.stem) or self.refuse(
            "", f"no question {path.stem!r} in the manifest; name the file after the question whose mistakes it holds"
        )
        self.cell: str = data.get("cell", "")
        self.file = self.question.notebook if self.cell else self.question.file
        source = manifest.notebooks / f"{self.file}.ipynb" if self.cell else manifest.root / self.file
        self.code = _cells(source) if self.cell else _definitions(source)
        self.lines: dict[str, tuple[str, range]] = {}
        for name, where, text in self._quotations(data["lines"]):
            self.lines[name] = (where, self._place(name, where, text))
        self.entries: list[dict] = data["misconception"]
        for entry in self.entries:
            texts = {"as_in"} if "as_in" in entry else {"title", "thought", "hint"}
            self._check_fields(entry.get("name", "?"), entry, {"name", "wrong"} | texts)
            if [other["name"] for other in self.entries].count(entry["name"]) > 1:
                self.refuse(entry["name"], "two entries have this name; give each entry its own name")

    def refuse(self, entry: str, fault: str) -> NoReturn:
        raise KitError(f"{self.path}{f', {entry}' if entry else ''}: {fault}")

    def versions(self, files: dict[str, "_File"]) -> list[WrongVersion]:
        """Return the WrongVersions of this file; `files` are those that its entries may refer to."""
        found, used = [], set()
        for entry in self.entries:
            misconception = self._misconception(entry, files)
            for wrong in entry["wrong"]:
                found.append(self._version(misconception, wrong))
                used |= set(wrong["new"])
        for name in self.lines:
            if name not in used:
                self.refuse("", f"no wrong version changes the line {name!r}; remove it from [lines]")
        return found

    def _misconception(self, entry: dict, files: dict[str, "_File"]) -> Misconception:
        name, home = entry["name"], entry.get("as_in", self.question.id)
        same = [other for other in files[home].entries if other["name"] == name] if home in files else []
        if not same or "title" not in same[0]:
            self.refuse(name, f"{home}.toml has no entry of this name with title, thought and hint; correct as_in")
        return Misconception(name, *(same[0][key] for key in ("title", "thought", "hint")))

    def _version(self, misconception: Misconception, wrong: dict) -> WrongVersion:
        self._check_fields(misconception.name, wrong, {"new"}, frozenset({"also", "seen_by"}))
        for name in wrong["new"]:
            if name not in self.lines:
                self.refuse(misconception.name, f"no line {name!r}; [lines] has {', '.join(self.lines)}. Add it there")
        for other in wrong.get("also", ()):
            if other not in self.questions:
                self.refuse(misconception.name, f"also names {other!r}, which is no question of the manifest")
        code: dict[str, list[str]] = {}
        changes = []
        for name, new in wrong["new"].items():
            where, at = self.lines[name]
            lines = code.setdefault(where, self.code[where].splitlines(keepends=True))
            old = "".join(lines[at.start : at.stop])
            new = _indented(new, old)
            lines[at.start : at.stop] = [new, *[""] * (len(at) - 1)]
            changes.append(Change(where, old, new))
        definitions = {where: "".join(lines) for where, lines in code.items()}
        also, seen_by = tuple(wrong.get("also", ())), wrong.get("seen_by", "")
        return WrongVersion(
            misconception, self.question.id, self.file, tuple(changes), definitions, also, self.cell, seen_by
        )

    def _quotations(self, tables: dict) -> list[tuple[str, str, str]]:
        """Return (name, function or cell, text) of every quotation."""
        own = self.cell or self.question.id
        found = [(name, own, text) for name, text in tables.items() if isinstance(text, str)]
        for where, table in tables.items():
            if isinstance(table, dict):
                found += [(name, where, text) for name, text in table.items()]
        return found

    def _place(self, name: str, where: str, text: str) -> range:
        """Return the numbers of the lines that are quoted."""
        entry = f"line {name!r}"
        if name in self.lines:
            self.refuse(entry, "two quotations have this name; give each its own name")
        if where not in self.code:
            self.refuse(entry, f"{self.file} has no {where!r}; expected one of {', '.join(self.code)}")
        places = _places(text, self.code[where])
        if len(places) != 1:
            fault = f"{text!r} is {len(places)} times in {where}; expected exactly once"
            self.refuse(entry, f"{fault}. Quote whole lines of the reference as it is now")
        for other, (function, lines) in self.lines.items():
            if function == where and set(lines) & set(places[0]):
                self.refuse(entry, f"{other!r} quotes the same line of {where}; quote it once and use that name")
        return places[0]

    def _check_fields(
        self, entry: str, table: dict, required: set[str], optional: frozenset[str] = frozenset()
    ) -> None:
        missing, unknown = required - set(table), set(table) - required - optional
        if missing or unknown:
            came = [f"no field {name!r}" for name in sorted(missing)]
            came += [f"unknown field {name!r}" for name in sorted(unknown)]
            expected = ", ".join(sorted(required)) + "".join(f", perhaps {name}" for name in sorted(optional))
            self.refuse(entry, f"{'; '.join(came)}; expected {expected}")


def _places(quotation: str, code: str) -> list[range]:
    """Return the numbers of the lines of the code at each place where they are those of the quotation."""
    wanted = [line.strip() for line in quotation.strip("\n").split("\n")]
    lines = [line.strip() for line in code.splitlines()]
    starts = range(len(lines) - len(wanted) + 1)
    return [range(at, at + len(wanted)) for at in starts if lines[at : at + len(wanted)] == wanted]


def _indented(new: str, old: str) -> str:
    """Return new code as whole lines, indented as the old code is; "" where there is none."""
    indentation = old[: len(old) - len(old.lstrip())]
    return textwrap.indent(new.strip("\n") + "\n", indentation) if new else ""


@functools.cache
def _definitions(path: Path) -> dict[str, str]:
    """Return the text of every function and class of a file, by name."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    named = (node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return {node.name: "".join(lines[node.lineno - 1 : node.end_lineno]) for node in named}


@functools.cache
def _cells(path: Path) -> dict[str, str]:
    """Return the text of every cell of a notebook that has a grade id, by that id."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    marked = [(cell, cell["metadata"].get("nbgrader", {}).get("grade_id")) for cell in cells]
    return {grade_id: "".join(cell["source"]) + "\n" for cell, grade_id in marked if grade_id}
