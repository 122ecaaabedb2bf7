"""A sample submission: the reference, or the release, with a few changes, and the verdicts that it must get."""

import dataclasses
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.notebook_cells import Cell
from autograder.assignment.reference import make_released_package, read_reference_texts
from autograder.checking.pack import load_pack
from autograder.errors import KitError
from autograder.intake.reading import read_submission
from autograder.intake.reference_submission import make_answered_notebooks, remove_markers
from autograder.intake.submission import Submission
from autograder.samples.special_files import pack_zip, write_special


class Change(TypedDict):
    """A change to a file: `old`, which occurs in it exactly once, is replaced by `new`."""

    file: str
    old: str
    new: str


class CellChange(TypedDict):
    """A change to the answer cell of a notebook; `id` is its grade id."""

    notebook: str
    id: str
    old: str
    new: str


class TextFile(TypedDict):
    """A file of text that is added, or replaces another."""

    path: str
    text: str


class SpecialFile(TypedDict):
    """A file of one of special_files.KINDS, with the arguments of that kind."""

    path: str
    kind: str
    to: NotRequired[str]
    text: NotRequired[str]
    base: NotRequired[str]


@dataclass(frozen=True)
class Sample:
    """One sample submission. load.py describes the fields."""

    name: str
    title: str
    student: str | None = None
    base: str = "reference"
    stubs: tuple[str, ...] = ()
    change: tuple[Change, ...] = ()
    cell: tuple[CellChange, ...] = ()
    write: tuple[TextFile, ...] = ()
    remove: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    expect: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    costs: dict[str, list[str]] = field(default_factory=dict)
    attack: str | None = None
    zip: bool = False
    place: tuple[SpecialFile, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)

    def submission(self, manifest: Manifest) -> Submission:
        """Return the Submission to grade, read from a folder or a zip if the case needs one."""
        files = self.files(manifest)
        if not self.place and not self.zip:
            return Submission(self.name, files)
        with tempfile.TemporaryDirectory() as top:
            folder = Path(top) / self.name
            _write(files, folder)
            for entry in self.place:
                write_special(folder, **cast("dict[str, str]", entry))
            return read_submission(pack_zip(folder) if self.zip else folder, manifest)

    def limited(self, manifest: Manifest) -> Manifest:
        """Return the manifest with this case's own limits, if it has any."""
        if not self.limits:
            return manifest
        questions = tuple(
            dataclasses.replace(question, limits=dataclasses.replace(question.limits, **self.limits))
            for question in manifest.questions
        )
        return dataclasses.replace(manifest, questions=questions)

    def files(self, manifest: Manifest) -> dict[str, bytes]:
        """Return the submission's files as {path: bytes}; raise KitError if a change no longer fits the reference."""
        texts = read_reference_texts(manifest)
        released = make_released_package(manifest)
        if self.base == "release":
            texts = {path: data.decode() for path, data in released.items()}
        for question in manifest.questions:
            if question.id in self.stubs and not question.cells:
                texts[question.file] = _insert_stub(texts[question.file], released, question)
        for change in self.change:
            texts[change["file"]] = self._apply_change(texts[change["file"]], change, change["file"])
        files = {path: remove_markers(text).encode() for path, text in texts.items()}
        stubs = {cell for question in manifest.questions if question.id in self.stubs for cell in question.cells}
        files |= make_answered_notebooks(manifest, lambda *answer: self._answer(stubs, *answer))
        if self.base == "reference" and not self.questions:
            files |= load_pack(manifest).model_files()
        files = {path: data for path, data in files.items() if path not in self.remove}
        return files | {entry["path"]: entry["text"].encode() for entry in self.write}

    def _answer(self, stubs: set[str], notebook: str, grade_id: str, cell: Cell) -> str:
        """Return the text of a notebook's cell: its stub if the sample asks for it, else its changed solution."""
        released = self.base == "release" or grade_id in stubs
        text = cell.released if released else remove_markers(cell.solution)
        for change in self.cell:
            if (change["notebook"], change["id"]) == (notebook, grade_id):
                text = self._apply_change(text, change, grade_id)
        return text

    def _apply_change(self, text: str, change: Change | CellChange, where: str) -> str:
        old, new = change["old"].strip("\n"), change["new"].strip("\n")
        if text.count(old) != 1:
            raise KitError(
                f"sample {self.name}: {where} contains this text {text.count(old)} times, expected once:\n{old}\n"
                "The reference has changed; copy the lines to replace from it."
            )
        return text.replace(old, new)


def write_sample(sample: Sample, manifest: Manifest, folder: Path, notebooks: Path) -> None:
    """Write a sample as a student submits it.

    - notebooks: folder of the notebooks (*.ipynb) to add if the sample has none of that name
    """
    files = sample.files(manifest)
    for path in sorted(Path(notebooks).glob("*.ipynb")):
        files.setdefault(path.name, path.read_bytes())
    _write(files, folder)


def _write(files: dict[str, bytes], folder: Path) -> None:
    for path, data in files.items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _insert_stub(text: str, released: dict[str, bytes], question: Question) -> str:
    """Return the text with one function or class replaced by its released stub."""
    here = Submission("", {question.file: text.encode()}).find_code(question.file, question.id)
    stub = Submission("", released).find_code(question.file, question.id)
    if here is None or stub is None:
        raise KitError(f"{question.file} has no {question.id}; expected it in the reference and in the release")
    return text.replace(here["text"], stub["text"])
