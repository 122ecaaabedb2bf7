"""A right solution gets every point for every packing, name, indentation and encoding."""

import re
import zipfile
from types import SimpleNamespace

import pytest

from autograder.assignment.reference import read_reference_texts
from autograder.course.report_store import read_student_submission
from autograder.grading import judge, make_setting
from autograder.intake.reading import read_submission
from autograder.intake.submission import Submission

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}'


@pytest.fixture(scope="module")
def package(manifest):
    """The reference's package as a student hands it in: {path: bytes}."""
    return {path: text.encode() for path, text in read_reference_texts(manifest).items() if path.endswith(".py")}


@pytest.fixture
def folder(tmp_path):
    """A function that writes files into a new folder and returns it."""

    def write(files):
        top = tmp_path / "hand-in"
        top.mkdir()
        for path, data in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(data)
        return top

    return write


@pytest.fixture
def archive(tmp_path):
    """A function that writes files into a new zip and returns its path."""

    def write(files):
        path = tmp_path / "hand in.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, data in files.items():
                opened.writestr(name, data)
        return path

    return write


def below(top, files):
    return {top + path: data for path, data in files.items()}


TOPS = [
    "",
    "assignment2/",
    "assignment2/assignment2/",
    "作业二 (最终版)/assignment2/",
    "My homework, final version/",
    "cs231n-master/assignment2/",
    "CS231n/assignment2/",
    "cs231n/assignment2/",
    "spring_cs231n/assignment2/",
]


@pytest.mark.parametrize("top", TOPS)
def test_a_folder_is_read_with_the_package_at_any_place(top, package, folder, manifest):
    assert read_submission(folder(below(top, package)), manifest).files == package


@pytest.mark.parametrize("top", TOPS)
def test_a_zip_is_read_with_the_package_at_any_place(top, package, archive, manifest):
    assert read_submission(archive(below(top, package)), manifest).files == package


@pytest.mark.parametrize("other", ["assignment1/cs231n/classifiers/softmax.py", "assignment1/cs231n/layers.py"])
def test_of_a_whole_course_this_assignment_is_graded(other, package, folder, manifest):
    top = folder(below("assignment2/", package) | {other: b"x = 1\n"})
    assert read_submission(top, manifest).files == package


def test_files_that_a_mac_adds_to_a_zip_change_nothing(package, archive, manifest, isolation):
    """Packed in the Finder, in a folder with a Chinese name, without any notebook: graded all the same."""
    mac = {"__MACOSX/作业/cs231n/._layers.py": b"\0\5\26\7", "作业/.DS_Store": b"\0", "作业/cs231n/._layers.py": b"\0"}
    submission = read_submission(archive(mac | below("作业/", package)), manifest)
    assert submission.files == package and submission.notes == []
    assert_full_marks(judge(submission, make_setting(manifest, isolation), ["relu_backward", "rmsprop"]))


def test_a_zip_in_the_submitted_folder_is_opened(package, archive, manifest):
    path = archive(below("my work/assignment2/", package))
    course = SimpleNamespace(submitted=lambda student: path.parent, manifest=manifest)
    assert read_student_submission(course, "ada").files == package


def test_a_broken_zip_beside_the_notebooks_does_not_cost_the_notebooks(tmp_path, manifest):
    (tmp_path / "FullyConnectedNets.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "code.zip").write_bytes(b"no zip")
    found = read_submission(tmp_path, manifest)
    assert list(found.files) == ["FullyConnectedNets.ipynb"]
    assert any("not a zip archive" in note for note in found.notes)


def test_a_zip_beside_the_notebooks_is_opened(package, archive, manifest):
    path = archive(package)
    (path.parent / "FullyConnectedNets.ipynb").write_bytes(NOTEBOOK)
    course = SimpleNamespace(submitted=lambda student: path.parent, manifest=manifest)
    assert package.items() <= read_student_submission(course, "ada").files.items()


def narrow(text):
    """Two spaces where there were four."""
    return re.sub(r"^ +", lambda found: found[0][: len(found[0]) // 2], text, flags=re.MULTILINE)


def tabbed(text):
    """A tab where there were four spaces."""
    return re.sub(r"^(?: {4})+", lambda found: "\t" * (len(found[0]) // 4), text, flags=re.MULTILINE)


STYLES = {
    "two spaces, Windows line ends": lambda text: narrow(text).replace("\n", "\r\n").encode(),
    "tabs, Latin-1": lambda text: ("# -*- coding: latin-1 -*-\n# né à Köln\n" + tabbed(text)).encode(
        "latin-1", "replace"
    ),
    "byte order mark, no last line end, form feeds": lambda text: (
        b"\xef\xbb\xbf" + text.replace("\n\n\ndef ", "\n\n\f\ndef ").rstrip("\n").encode()
    ),
    "old Macintosh line ends": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("style", STYLES)
def test_indentation_line_ends_and_encoding_are_a_matter_of_taste(style, manifest, isolation):
    texts = read_reference_texts(manifest)
    written = {
        path: STYLES[style](text) if manifest.is_editable(path) else text.encode() for path, text in texts.items()
    }
    submission = Submission(style, written)
    questions = ["TwoLayerNet" if style == "tabs, Latin-1" else "relu_backward", "adam"]
    report = judge(submission, make_setting(manifest, isolation), questions)
    assert_full_marks(report)
    assert "TwoLayerNet" in submission.find_code("cs231n/classifiers/fc_net.py", "TwoLayerNet")["text"]
    assert all(question.code and question.id in question.code["text"] for question in report.questions)


def test_code_of_another_file_or_kind_is_graded_without_being_shown(manifest, isolation, package):
    """A function that is no `def` of its file runs as any other; the report has no text to show beside it."""
    layers = (
        package["cs231n/layers.py"]
        + b"\n\naffine_forward = (lambda given: lambda x, w, b: given(x, w, b))(affine_forward)\n"
    )
    moved = {"cs231n/own.py": layers, "cs231n/layers.py": b"from cs231n.own import *\n"}
    report = judge(Submission("own", package | moved), make_setting(manifest, isolation), ["affine_backward"])
    assert_full_marks(report)
    assert [question.code for question in report.questions] == [None, None]


def test_the_former_name_of_a_file_is_shown_as_the_student_knows_it(manifest, isolation, package):
    files = dict(package)
    files["cs231n/optim.py"] = files.pop("cs231n/optimizers.py")
    report = judge(Submission("old", files), make_setting(manifest, isolation), ["sgd_momentum"])
    assert_full_marks(report)
    assert report.question("sgd_momentum").code["file"] == "cs231n/optim.py"


def assert_full_marks(report):
    lost = {
        f"{question.id}, {criterion.name}": criterion.message
        for question in report.questions
        for criterion in question.criteria
        if criterion.verdict != "passed"
    }
    assert not lost
    assert report.score == report.max_score
