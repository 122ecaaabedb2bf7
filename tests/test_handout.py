"""The released assignment on a student's machine: from the first `make` to a zip that the grader reads."""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader.preprocessors import ClearSolutions

from autograder.assignment.reference import make_released_package, read_reference_texts
from autograder.assignment.regions import BEGIN, END
from autograder.intake.lms_names import find_owner
from autograder.intake.reading import read_submission
from autograder.release.build import read_handout_files

ROOT = Path(__file__).resolve().parents[1]


def model_bytes():
    buffer = io.BytesIO()
    np.savez(buffer, W1=np.zeros((3, 2)))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def notebooks(manifest):
    """{file name: (as it is solved, as it is handed out)}."""
    found = {}
    for name in dict.fromkeys(question.notebook for question in manifest.questions):
        solved = nbformat.read(manifest.notebooks / f"{name}.ipynb", as_version=4)
        text = nbformat.writes(solved)
        released, _ = ClearSolutions().preprocess(solved, {})
        found[f"{name}.ipynb"] = text.encode(), nbformat.writes(released).encode()
    return found


def write(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def released(tmp_path, manifest, notebooks):
    """The assignment as a student unpacks it."""
    files = make_released_package(manifest) | read_handout_files(manifest)
    return write(tmp_path / "assignment2", files | {name: data for name, (_, data) in notebooks.items()})


@pytest.fixture
def finished(released, manifest, notebooks):
    """The assignment with all answers, and with the files that work on it leaves behind."""
    texts = read_reference_texts(manifest)
    files = {
        path: "\n".join(line for line in text.split("\n") if line.strip() not in (BEGIN, END)).encode()
        for path, text in texts.items()
    }
    files |= {name: data for name, (data, _) in notebooks.items()}
    files |= {question.file: model_bytes() for question in manifest.questions if question.file.endswith(".npz")}
    litter = ("datasets/x.npz", "my_notes.py", ".venv/lib/x.py", "cs231n/__pycache__/layers.py", "checkpoints/a.npz")
    return write(released, files | {name: b"" for name in litter})


def hand_in(folder, *arguments):
    """Run the script with Python alone; return its output."""
    command = [sys.executable, "-I", "make_submission.py", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def still_open(printed):
    """Return {question: what the summary says of it}."""
    lines = re.findall(r"^ {6}(\S+)(?: \(bonus\))? {2,}(.+)$", printed, re.M)
    return dict(lines)


def graded_names(manifest):
    own = {question.file for question in manifest.questions if question.file}
    own |= {pattern for pattern in manifest.editable if "*" not in pattern}
    return own | {f"{question.notebook}.ipynb" for question in manifest.questions}


def test_as_it_is_handed_out_every_question_is_named_as_open(released, manifest, notebooks):
    said = still_open(hand_in(released))
    assert {question.id for question in manifest.questions} <= said.keys()
    assert all(said[q.id].startswith("still a stub") for q in manifest.questions if q.file.endswith(".py") or q.cells)
    inline = said.keys() - {question.id for question in manifest.questions}
    assert inline and all(name.startswith("inline_") and said[name] == "no answer yet" for name in inline)
    submission = read_submission(released / "assignment2_submission.zip", manifest)
    models = {question.file for question in manifest.questions if question.file.endswith(".npz")}
    assert set(submission.files) == graded_names(manifest) - models and submission.notes == []


def test_a_finished_assignment_is_handed_in_whole_and_without_anything_else(finished, manifest):
    printed = hand_in(finished, "--student", "ann")
    assert still_open(printed) == {} and "Please look at this" not in printed
    path = finished / "ann_assignment2.zip"
    submission = read_submission(path, manifest)
    assert set(submission.files) == graded_names(manifest) and submission.notes == []
    for name, data in submission.files.items():
        assert data == (finished / name).read_bytes(), name
    assert find_owner(path.name, manifest.name).student == "ann"


def test_what_a_student_added_goes_along_and_what_was_provided_does_not(finished, manifest):
    write(finished, {"cs231n/helpers.py": b"a = 1\n", "cs231n/solver.py": b"changed = 1\n"})
    hand_in(finished)
    files = read_submission(finished / "assignment2_submission.zip", manifest).files
    assert set(files) == graded_names(manifest) | {"cs231n/helpers.py"}


def test_missing_and_broken_parts_are_named_and_the_rest_is_handed_in(finished, manifest):
    (finished / "Dropout.ipynb").unlink()
    (finished / "best_fc_model.npz").unlink()
    (finished / "cs231n" / "classifiers" / "cnn.py").unlink()
    (finished / "cs231n" / "optimizers.py").write_text("import numpy as np\n\ndef adam(w, dw:\n")
    (finished / "FullyConnectedNets.ipynb").write_text('{"cells": [')
    printed = hand_in(finished)
    for said in (
        "Dropout.ipynb is missing",
        "best_fc_model.npz is missing",
        "cs231n/classifiers/cnn.py is missing",
        "cs231n/optimizers.py, line 3:",
        "FullyConnectedNets.ipynb is no valid notebook",
    ):
        assert said in printed
    assert still_open(printed).keys() == {"best_fc_model", "sgd_momentum", "rmsprop", "adam", "ThreeLayerConvNet"}
    submission = read_submission(finished / "assignment2_submission.zip", manifest)
    gone = {"Dropout.ipynb", "best_fc_model.npz", "cs231n/classifiers/cnn.py"}
    assert set(submission.files) == graded_names(manifest) - gone
    assert any("cs231n/optimizers.py, line 3" in note for note in submission.notes)


class TestMake:
    def make(self, folder, *arguments):
        if not shutil.which("make"):
            pytest.skip("make is not installed")
        command = ["make", *arguments, f"PYTHON={sys.executable}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_alone_lists_the_targets(self, released):
        listed = re.findall(r"^  make (\w+)", self.make(released), re.M)
        assert listed == ["help", "setup", "lab", "data", "fast", "submission", "clean"]

    def test_submission_writes_the_zip(self, released):
        assert "ann_assignment2.zip" in self.make(released, "submission", "ARGS=--student ann")
        assert (released / "ann_assignment2.zip").is_file()

    def test_takes_the_environment_in_the_folder_before_any_other_python(self, released):
        (released / ".venv" / "bin").mkdir(parents=True)
        (released / ".venv" / "bin" / "python").symlink_to(sys.executable)
        assert ".venv/bin/python setup.py" in self.make(released, "--dry-run", "fast")
        assert ".venv/bin/python -m jupyterlab" in self.make(released, "--dry-run", "lab")

    def test_clean_removes_nothing_a_student_made(self, finished):
        before = {path for path in finished.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        binaries = {"cs231n/im2col_cython.so": b"", "cs231n/_fast/cython_backend.so": b""}
        write(finished, {"build/x.c": b"", **binaries, "cs231n/.ipynb_checkpoints/layers.py": b""})
        self.make(finished, "clean")
        assert {path for path in finished.rglob("*") if path.is_file()} == before


class TestReadme:
    text = (ROOT / "assignment2" / "README.md").read_text(encoding="utf-8")

    def test_names_every_notebook_and_every_file_that_students_write_or_save(self, manifest):
        for name in graded_names(manifest):
            assert f"`{name}`" in self.text, name

    def test_names_no_file_that_is_not_handed_out(self, manifest):
        known = set(make_released_package(manifest)) | set(read_handout_files(manifest)) | graded_names(manifest)
        named = set(re.findall(r"`([\w./-]+\.(?:py|pyx|ipynb|txt|toml|sh|npz))`", self.text))
        assert {name for name in named if name not in known and f"cs231n/{name}" not in known} == set()

    def test_explains_every_target_of_make(self):
        makefile = (ROOT / "assignment2" / "Makefile").read_text(encoding="utf-8")
        for target in re.findall(r"^([a-z]+):.*## ", makefile, re.M):
            assert target == "help" or f"make {target}" in self.text, target

    def test_says_what_p_is(self):
        assert "probability of **keeping**" in self.text
