"""Sample submissions: the reference with one small thing changed, each in a folder with the verdict it must get.

They are what the tests grade and what the demo's class is made of. A folder holds a case.toml:

    title = "dw averaged over the batch"
    student = "chen"                       # optional: part of the demo's class, under this name
    base = "reference"                     # or "release": the stubs as they are handed out
    stubs = ["adam"]                       # functions and classes put back to their stubs
    [[change]]                             # `old` must stand in the file exactly once
    file = "cs231n/layers.py"
    old = "..."
    new = "..."
    [[cell]]                               # the same in an answer cell of a notebook
    notebook = "TensorFlow"
    id = "complex_model_answer"
    old = "..."
    new = "..."
    questions = ["adam"]                   # optional: judge only these and what they need (default: all)
    [expect]                               # verdicts; a question not named must pass, with base = "release" be missing
    affine_backward = "failed"
    [says]                                 # optional: words that the question's report must hold
    affine_backward = "dw is wrong"
    [costs]                                # optional: the criteria that fail, and no others
    affine_backward = ["dw"]

A hostile one says more, where it needs to:

    attack = "forgery"                     # or "theft", "harm": what is tried; the title says by what means
    zip = true                             # handed in as a zip, not as a folder
    [[write]]                              # a file of text; also for a case that is not hostile
    path = "cs231n/more.py"
    text = "..."
    [[place]]                              # a file that is no plain text: see handins.KINDS
    path = "cs231n/stolen.py"
    kind = "symlink"
    to = "{kit}/assignment2/cs231n/layers.py"
    [limits]                               # optional: other limits than the manifest's for the questions judged
    cpu_seconds = 1
"""

import dataclasses
import json
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from autograder.assignment.notebook_cells import source_cells
from autograder.assignment.reference import package_files, reference_texts
from autograder.assignment.regions import BEGIN, END
from autograder.checking.pack import load_pack
from autograder.errors import KitError
from autograder.handins import place, zipped
from autograder.intake.reading import read_submission
from autograder.intake.submission import Submission


@dataclass(frozen=True)
class Sample:
    """One sample submission, as its case.toml says."""

    name: str
    title: str
    student: str | None = None
    base: str = "reference"
    stubs: tuple[str, ...] = ()
    change: tuple[dict, ...] = ()
    cell: tuple[dict, ...] = ()
    write: tuple[dict, ...] = ()
    remove: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    expect: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    costs: dict[str, list[str]] = field(default_factory=dict)
    attack: str | None = None
    zip: bool = False
    place: tuple[dict, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)

    def submission(self, manifest):
        """Return the Submission that the judge is given, read from a folder or a zip where that is part of the case."""
        files = self.files(manifest)
        if not self.place and not self.zip:
            return Submission(self.name, files)
        with tempfile.TemporaryDirectory() as top:
            folder = Path(top) / self.name
            _write(files, folder)
            for entry in self.place:
                place(folder, **entry)
            return read_submission(zipped(folder) if self.zip else folder, manifest)

    def limited(self, manifest):
        """Return the manifest with the limits of this case, where it has some."""
        if not self.limits:
            return manifest
        questions = tuple(
            dataclasses.replace(question, limits=dataclasses.replace(question.limits, **self.limits))
            for question in manifest.questions
        )
        return dataclasses.replace(manifest, questions=questions)

    def files(self, manifest):
        """Return the submission's package as {path: bytes}; KitError where the reference has moved on."""
        texts = reference_texts(manifest)
        released = package_files(manifest)
        if self.base == "release":
            texts = {path: data.decode() for path, data in released.items()}
        for question in manifest.questions:
            if question.id in self.stubs and not question.cells:
                texts[question.file] = _with_stub(texts[question.file], released, question)
        for change in self.change:
            texts[change["file"]] = self._changed(texts[change["file"]], change, change["file"])
        files = {path: _without_markers(text).encode() for path, text in texts.items()}
        files |= self._notebooks(manifest)
        if self.base == "reference" and not self.questions:
            files |= load_pack(manifest).model_files()
        files = {path: data for path, data in files.items() if path not in self.remove}
        return files | {entry["path"]: entry["text"].encode() for entry in self.write}

    def _notebooks(self, manifest):
        """Return the notebooks in which questions are answered, as {path: bytes}."""
        stubs = {cell for question in manifest.questions if question.id in self.stubs for cell in question.cells}
        files = {}
        for name, cells in source_cells(manifest).items():
            notebook = json.loads((manifest.notebooks / f"{name}.ipynb").read_text(encoding="utf-8"))
            for cell in notebook["cells"]:
                grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
                known = cells.get(grade_id)
                if known:
                    released = self.base == "release" or grade_id in stubs
                    text = known.released if released else _without_markers(known.solution)
                    for change in self.cell:
                        if (change["notebook"], change["id"]) == (name, grade_id):
                            text = self._changed(text, change, grade_id)
                    cell["source"] = text
            files[f"{name}.ipynb"] = json.dumps(notebook).encode()
        return files

    def _changed(self, text, change, where):
        old, new = change["old"].strip("\n"), change["new"].strip("\n")
        if text.count(old) != 1:
            raise KitError(f"sample {self.name}: its `old` text stands {text.count(old)} times in {where}, not once")
        return text.replace(old, new)


def load_samples(folder):
    """Return the Samples in a folder of case folders, sorted by name."""
    samples = []
    for path in sorted(Path(folder).glob("*/case.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for key in ("stubs", "change", "cell", "write", "remove", "place", "questions"):
            data[key] = tuple(data.get(key, ()))
        samples.append(Sample(path.parent.name, **data))
    return samples


def write_sample(sample, manifest, folder, notebooks):
    """Write a sample as a student's hand-in.

    - notebooks: folder whose *.ipynb go along
    """
    files = sample.files(manifest)
    for path in sorted(Path(notebooks).glob("*.ipynb")):
        files.setdefault(path.name, path.read_bytes())
    _write(files, folder)


def _write(files, folder):
    for path, data in files.items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _with_stub(text, released, question):
    """Return the text with one function or class replaced by its released stub."""
    here = Submission("", {question.file: text.encode()}).code_of(question.file, question.id)
    stub = Submission("", released).code_of(question.file, question.id)
    return text.replace(here["text"], stub["text"])


def _without_markers(text):
    """Return the text as a student would hand it in, without the solution markers of the reference."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in (BEGIN, END))
