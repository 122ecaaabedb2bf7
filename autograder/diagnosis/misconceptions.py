"""The catalogue of misconceptions: mistakes that people really make, and wrong code for each of them.

The catalogue has one file for each question, with the question's id as its name, such as `affine_backward.toml`:

    [lines]                      # {name: quotation} of each line of the reference that a wrong version changes
    db = "db = dout.sum(axis=0)"
    [lines.affine_forward]       # optional: lines of another function of the same file
    out = "out = rows @ w + b"

    [[misconception]]
    name = "affine_gradient_averaged"   # unique in the file
    title = "..."                # the name in a report
    thought = "..."              # the likely reasoning, for TAs
    hint = "..."                 # for the student; it does not give the answer away
    [[misconception.wrong]]      # one way to write the mistake; there may be several
    new.db = "db = dout.mean(axis=0)"   # the code in place of the line named `db`; "" removes the line
    also = ["..."]               # optional: other questions that this version makes fail
    seen_by = "check"            # optional: a check recognises this version (random masks, TensorFlow), not a replay

- If several functions share a mistake, one file contains its texts. The other files have an entry with the same name,
  and `as_in = "<question>"` in place of title, thought and hint.
- A quotation is one or more whole lines, and must occur exactly once in the function. Its indentation is ignored. New
  code is written from column 0; it gets the indentation of the quoted line.
- `cell = "<grade id>"` at the top of a file says that its lines are in that notebook cell, not in a function.

A wrong version is the reference with these changes. The judge repeats the calls that the student's code answered with
the wrong version, in its own process. If the version gives the student's wrong answers, its entry is the diagnosis. If
no version gives them, there is no diagnosis: the grader does not guess.
"""

import functools
import json
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from autograder.assignment.manifest import Manifest, Question, read_manifest
from autograder.diagnosis.wrong_version import Change, Misconception, WrongVersion, read_definitions
from autograder.errors import KitError


def load(folder: Path, root: Path) -> dict[str, list[WrongVersion]]:
    """Return every WrongVersion of the catalogue in `folder`, by question, in the order of the manifest.

    - root: the folder of the reference solution

    Raises KitError with the file, the entry, the fault and the remedy if an entry does not fit the reference.
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
        self.code = _cells(source) if self.cell else read_definitions(source)
        self.lines: dict[str, tuple[str, range]] = {}
        for name, definition, text in self._quotations(data["lines"]):
            self.lines[name] = (definition, self._find_lines(name, definition, text))
        self.entries: list[dict[str, Any]] = data["misconception"]
        for entry in self.entries:
            texts = {"as_in"} if "as_in" in entry else {"title", "thought", "hint"}
            self._check_fields(entry.get("name", "?"), entry, {"name", "wrong"} | texts)
            if [other["name"] for other in self.entries].count(entry["name"]) > 1:
                self.refuse(entry["name"], "two entries have this name; give each entry its own name")

    def refuse(self, entry: str, fault: str) -> NoReturn:
        """Raise KitError with the file, the entry and the fault."""
        raise KitError(f"{self.path}{f', {entry}' if entry else ''}: {fault}")

    def versions(self, files: Mapping[str, "_File"]) -> list[WrongVersion]:
        """Return the WrongVersions of this file; its entries may refer to `files`."""
        found, used = [], set()
        for entry in self.entries:
            misconception = self._make_misconception(entry, files)
            for wrong in entry["wrong"]:
                found.append(self._make_version(misconception, wrong))
                used |= set(wrong["new"])
        for name in self.lines:
            if name not in used:
                self.refuse("", f"no wrong version changes the line {name!r}; remove it from [lines]")
        return found

    def _make_misconception(self, entry: Mapping[str, Any], files: Mapping[str, "_File"]) -> Misconception:
        name, home = entry["name"], entry.get("as_in", self.question.id)
        same = [other for other in files[home].entries if other["name"] == name] if home in files else []
        if not same or "title" not in same[0]:
            self.refuse(name, f"{home}.toml has no entry of this name with title, thought and hint; correct as_in")
        return Misconception(name, *(same[0][key] for key in ("title", "thought", "hint")))

    def _make_version(self, misconception: Misconception, wrong: Mapping[str, Any]) -> WrongVersion:
        self._check_fields(misconception.name, wrong, {"new"}, frozenset({"also", "seen_by"}))
        for name in wrong["new"]:
            if name not in self.lines:
                self.refuse(misconception.name, f"no line {name!r}; [lines] has {', '.join(self.lines)}. Add it there")
        for other in wrong.get("also", ()):
            if other not in self.questions:
                self.refuse(misconception.name, f"also names {other!r}, which is not a question of the manifest")
        changes, definitions = self._apply(wrong["new"])
        also, seen_by = tuple(wrong.get("also", ())), wrong.get("seen_by", "")
        return WrongVersion(misconception, self.question.id, self.file, changes, definitions, also, self.cell, seen_by)

    def _apply(self, new_lines: Mapping[str, str]) -> tuple[tuple[Change, ...], dict[str, str]]:
        """Return the changes, and {definition: text} of the changed definitions.

        - new_lines: {name of a quotation: new code}
        """
        texts: dict[str, list[str]] = {}
        changes = []
        for name, code in new_lines.items():
            definition, numbers = self.lines[name]
            lines = texts.setdefault(definition, self.code[definition].splitlines(keepends=True))
            old = "".join(lines[numbers.start : numbers.stop])
            new = _indent(code, old)
            lines[numbers.start : numbers.stop] = [new, *[""] * (len(numbers) - 1)]  # the numbers below stay the same
            changes.append(Change(definition, old, new))
        return tuple(changes), {definition: "".join(lines) for definition, lines in texts.items()}

    def _quotations(self, tables: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Return (name, definition, text) of every quotation."""
        own = self.cell or self.question.id
        found = [(name, own, text) for name, text in tables.items() if isinstance(text, str)]
        for definition, table in tables.items():
            if isinstance(table, dict):
                found += [(name, definition, text) for name, text in table.items()]
        return found

    def _find_lines(self, name: str, definition: str, text: str) -> range:
        """Return the line numbers of the quotation `text` inside a definition."""
        entry = f"line {name!r}"
        if name in self.lines:
            self.refuse(entry, "two quotations have this name; give each its own name")
        if definition not in self.code:
            self.refuse(entry, f"{self.file} has no {definition!r}; expected one of {', '.join(self.code)}")
        found = _find_quotation(text, self.code[definition])
        if len(found) != 1:
            fault = f"{text!r} is {len(found)} times in {definition}; expected exactly once"
            self.refuse(entry, f"{fault}. Quote whole lines of the reference as it is now")
        for other, (other_definition, lines) in self.lines.items():
            if other_definition == definition and set(lines) & set(found[0]):
                self.refuse(entry, f"{other!r} quotes the same line of {definition}; quote it once and use that name")
        return found[0]

    def _check_fields(
        self, entry: str, table: Mapping[str, Any], required: set[str], optional: frozenset[str] = frozenset()
    ) -> None:
        missing, unknown = required - set(table), set(table) - required - optional
        if missing or unknown:
            came = [f"no field {name!r}" for name in sorted(missing)]
            came += [f"unknown field {name!r}" for name in sorted(unknown)]
            expected = ", ".join(sorted(required)) + "".join(f", perhaps {name}" for name in sorted(optional))
            self.refuse(entry, f"{'; '.join(came)}; expected {expected}")


def _find_quotation(quotation: str, code: str) -> list[range]:
    """Return the line numbers of each occurrence of a quotation in the code; indentation is ignored."""
    quoted = [line.strip() for line in quotation.strip("\n").split("\n")]
    lines = [line.strip() for line in code.splitlines()]
    starts = range(len(lines) - len(quoted) + 1)
    return [range(start, start + len(quoted)) for start in starts if lines[start : start + len(quoted)] == quoted]


def _indent(new: str, old: str) -> str:
    """Return new code as whole lines with the indentation of the old code; "" if there is no new code."""
    indentation = old[: len(old) - len(old.lstrip())]
    return textwrap.indent(new.strip("\n") + "\n", indentation) if new else ""


@functools.cache
def _cells(path: Path) -> dict[str, str]:
    """Return the text of every cell of a notebook that has a grade id, by that id."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    marked = [(cell, cell["metadata"].get("nbgrader", {}).get("grade_id")) for cell in cells]
    return {grade_id: "".join(cell["source"]) + "\n" for cell, grade_id in marked if grade_id}
