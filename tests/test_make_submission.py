"""The student's script: the files that it takes, the open questions that it names, and the zip that it writes."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from autograder.intake import file_limits

SCRIPT = Path(__file__).resolve().parents[1] / "assignment2" / "make_submission.py"
MANIFEST = """
[assignment]
name = "hw"
package = "net"
editable = ["net/layers.py", "net/classifiers/[!_]*.py"]
provided = ["net/__init__.py", "net/solver.py", "net/classifiers/__init__.py"]
[assignment.aliases]
"net/layers.py" = "net/old.py"
"best.npz" = "former.npz"
[[question]]
id = "forward"
notebook = "One"
file = "net/layers.py"
[[question]]
id = "Net"
notebook = "One"
file = "net/classifiers/fc.py"
bonus = true
[[question]]
id = "model"
notebook = "Two"
cells = ["setup", "answer"]
file = "best.npz"
"""


def load():
    spec = importlib.util.spec_from_file_location("make_submission", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = load()


def cell(name, source, kind="code", grade=False):
    mark = {"grade_id": name, "grade": grade, "solution": True}
    return {"cell_type": kind, "metadata": {"nbgrader": mark}, "source": source}


def notebook(*cells):
    return json.dumps({"cells": list(cells), "nbformat": 4})


@pytest.fixture
def work(tmp_path):
    """An assignment with all answers, and a copy of the script next to it."""
    files = {
        "questions.toml": MANIFEST,
        "make_submission.py": SCRIPT.read_text(encoding="utf-8"),
        "net/__init__.py": "",
        "net/solver.py": "",
        "net/own.py": "",
        "net/layers.py": "def forward(x):\n    return x\n",
        "net/classifiers/__init__.py": "",
        "net/classifiers/fc.py": "class Net:\n    def loss(self):\n        return 0\n",
        "net/__pycache__/layers.py": "",
        "net/.ipynb_checkpoints/layers.py": "",
        "datasets/data.py": "",
        ".venv/lib/numpy.py": "",
        "One.ipynb": notebook(cell("inline", "Because.", "markdown", grade=True)),
        "Two.ipynb": notebook(cell("setup", "raise NotImplementedError()"), cell("answer", ["a = 1\n", "b = 2"])),
        "Mine.ipynb": notebook(),
        "best.npz": "model",
        "other.npz": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(work, *arguments, cwd=None, **environment):
    command = [sys.executable, "-I", str(work / "make_submission.py"), *map(str, arguments)]
    if environment:  # -I would pass over PYTHONIOENCODING
        command.remove("-I")
    return subprocess.run(
        command, cwd=cwd or work, env=os.environ | environment, capture_output=True, encoding="utf-8", errors="replace"
    )


def look(work):
    """Return (files, remarks, {question: what is open}) as the script sees the folder."""
    manifest = make.read_manifest(work)
    files, remarks = make.graded_files(work, manifest)
    found = make.open_questions(files, manifest)
    return files, remarks, {name: state for _, undone in found.values() for name, state in undone}


def test_just_what_is_graded_goes_in_modules_first(work):
    files, remarks, still_open = look(work)
    assert list(files) == [
        "net/classifiers/fc.py",
        "net/layers.py",
        "net/own.py",
        "best.npz",
        "One.ipynb",
        "Two.ipynb",
    ]
    assert remarks == [] and still_open == {}


@pytest.mark.parametrize(
    "text, state",
    [
        ("def forward(x):\n    # your code\n    raise NotImplementedError()\n", "still a stub: net/layers.py, line 3"),
        ("def forward(x):\n    if x:\n        raise NotImplementedError\n", "still a stub: net/layers.py, line 3"),
        ("def backward(x):\n    return x\n", "there is no forward in net/layers.py"),
        ("def forward(x:\n    return x\n", "net/layers.py does not parse"),
        ("def forward(x):\n    raise NotImplementedError('this mode')\n", ""),
        ("from net.own import forward\n", ""),
        ("from net.own import *\n", ""),
        ("forward = lambda x: x\n", ""),
        ("def forward(x):\n    raise NotImplementedError()\ndef forward(x):\n    return x\n", ""),
    ],
)  # fmt: skip
def test_a_function_is_answered_or_it_is_said_what_is_left(work, text, state):
    (work / "net" / "layers.py").write_text(text)
    assert look(work)[2].get("forward", "") == state


def test_a_stub_inside_a_method_leaves_the_class_open(work):
    (work / "net/classifiers/fc.py").write_text(
        "class Net:\n    def loss(self):\n        raise NotImplementedError()\n"
    )
    assert look(work)[2] == {"Net (bonus)": "still a stub: net/classifiers/fc.py, line 3"}


@pytest.mark.parametrize(
    "text, state",
    [
        (notebook(cell("answer", "\n  raise NotImplementedError()  # now\n")), "still a stub: Two.ipynb, cell answer"),
        (notebook(cell("setup", "")), "the cell answer is missing in Two.ipynb"),
        ("{ no json", "Two.ipynb is no valid notebook"),
        ('["cells"]', "Two.ipynb is no valid notebook"),
        (notebook(cell("answer", "# raise NotImplementedError()")), ""),
        ("\ufeff" + notebook(cell("answer", "a = 1")), ""),
    ],
)  # fmt: skip
def test_an_answer_in_a_cell(work, text, state):
    (work / "Two.ipynb").write_text(text, encoding="utf-8")
    assert look(work)[2].get("model", "") == state


@pytest.mark.parametrize("text", ["YOUR ANSWER HERE", "", " \n", "**Answer:** YOUR ANSWER HERE"])
def test_an_inline_question_without_an_answer(work, text):
    (work / "One.ipynb").write_text(notebook(cell("inline", text, "markdown", grade=True)))
    assert look(work)[2] == {"inline": "no answer yet"}


def test_what_is_missing_is_said(work):
    for name in ("net/layers.py", "Two.ipynb", "best.npz"):
        (work / name).unlink()
    _, remarks, still_open = look(work)
    assert remarks == ["net/layers.py is missing.", "Two.ipynb is missing."]
    assert still_open == {"forward": "net/layers.py is missing", "model": "Two.ipynb is missing; best.npz is missing"}


def test_older_names_stand_in(work):
    os.rename(work / "net/layers.py", work / "net/old.py")
    os.rename(work / "best.npz", work / "former.npz")
    files, remarks, still_open = look(work)
    assert {"net/old.py", "former.npz"} <= set(files) and still_open == {}
    assert remarks == ["net/layers.py is missing; the older net/old.py is graded instead."]


def test_a_module_that_does_not_parse_is_named_with_the_line(work):
    (work / "net" / "layers.py").write_text("x = 1\nprint 'hello'\n")
    (work / "net" / "own.py").write_bytes(b"x = '\0'")
    remarks = look(work)[1]
    assert remarks[0].startswith("net/layers.py, line 2: Missing parentheses") and "net/own.py" in remarks[1]


def test_a_notebook_that_is_none_is_named(work):
    (work / "Two.ipynb").write_bytes(b"\xff\xfe")
    assert look(work)[1] == ["Two.ipynb is no valid notebook (cut off?). Open it in Jupyter, save it, run this again."]


def test_its_limits_are_the_graders():
    for name in ("MAX_FILES", "MAX_FILE", "MAX_TOTAL", "MAX_SOURCE", "MAX_NAME"):
        assert getattr(make, name) == getattr(file_limits, name), name
    assert make.IGNORED_FOLDERS | {".git"} == file_limits.IGNORED_FOLDERS


def test_what_is_too_large_for_the_grader_is_said(work, monkeypatch):
    (work / "net" / "layers.py").write_text("#" * (make.MAX_SOURCE + 1))
    (work / "net" / f"{'n' * 120}.py").touch()
    monkeypatch.setattr(make, "MAX_TOTAL", 100)
    remarks = look(work)[1]
    assert any(
        "net/layers.py is not in the zip: it has 256 KB; the grader reads no more than 256 KB" in said
        for said in remarks
    )
    assert any("too long a name" in said for said in remarks) and any("All files together" in said for said in remarks)


@pytest.mark.timeout(120)  # it would wait for ever
def test_of_links_and_devices_nothing_is_read(work):
    for name in ("best.npz", "net/layers.py", "net/own.py", "One.ipynb"):
        (work / name).unlink()
    (work / "best.npz").symlink_to("/dev/zero")
    (work / "net" / "own.py").symlink_to("absent.py")
    os.mkfifo(work / "net" / "layers.py")
    (work / "One.ipynb").mkdir()
    done = run(work)
    assert done.returncode == 0 and done.stderr == "" and "is missing." not in done.stdout
    for name in ("best.npz", "net/own.py"):
        assert f"{name} is not in the zip: it is a link, and links are not followed. Put a copy" in done.stdout
    for name in ("net/layers.py", "One.ipynb"):
        assert f"{name} is not in the zip: it is not a regular file." in done.stdout


def test_of_a_huge_file_nothing_is_read(work):
    with open(work / "best.npz", "wb") as file:
        file.truncate(3 << 30)  # takes no room on the disk
    tracemalloc.start()
    files, remarks, _ = look(work)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert remarks == ["best.npz is not in the zip: it has 3072 MB; the grader reads no more than 32 MB."]
    assert "best.npz" not in files and peak < 1 << 20


@pytest.mark.parametrize(
    "arguments, name",
    [
        ((), "hw_submission.zip"),
        (("--student", "ann"), "ann_hw.zip"),
        (("--student", "../../ann lee"), "-..-ann lee_hw.zip"),
        (("--student", " . "), "hw_submission.zip"),
        (("--output", "elsewhere/my.zip"), "elsewhere/my.zip"),
        (("--output", "elsewhere", "--student", "ann"), "elsewhere/ann_hw.zip"),
    ],
)
def test_the_zip_goes_where_it_was_asked_for(work, arguments, name):
    (work / "elsewhere").mkdir()
    done = run(work, *arguments)
    assert done.returncode == 0 and done.stderr == "" and str(work / name) in done.stdout
    assert [path.relative_to(work).as_posix() for path in work.rglob("*.zip")] == [name]


def test_from_another_folder_the_zip_still_lies_beside_the_work(work, tmp_path_factory):
    done = run(work, cwd=tmp_path_factory.mktemp("elsewhere"))
    assert done.returncode == 0 and (work / "hw_submission.zip").is_file()


def test_the_same_files_give_the_same_zip_to_the_byte_and_nothing_else_changes(work):
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    run(work, "--output", "a.zip")
    os.utime(work / "net" / "layers.py", (1, 1))
    run(work, "--output", "b.zip")
    assert (work / "a.zip").read_bytes() == (work / "b.zip").read_bytes()
    after = {path: path.read_bytes() for path in work.rglob("*") if path.is_file() and path.suffix != ".zip"}
    assert after == before


def test_a_console_of_another_alphabet_gets_plain_signs(work, tmp_path):
    home = tmp_path / "Übung 学"
    home.mkdir()
    for name in os.listdir(work):
        if name != home.name:
            os.rename(work / name, home / name)
    for encoding in ("cp1252", "ascii", "utf-8"):
        done = run(home, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "✓" in done.stdout


class TestWhatCannotBeDone:
    def refused(self, done, *said):
        assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
        assert (
            done.stderr.count("\n") == 1
            and done.stderr.startswith("make_submission.py: ")
            and all(part in done.stderr for part in said)
        )

    def test_a_place_that_cannot_be_written_to(self, work):
        self.refused(run(work, "--output", work / "absent" / "x.zip"), "absent", "--output")
        assert not list(work.rglob("*.part"))

    @pytest.mark.parametrize("name", ["One.ipynb", "net/layers.py", "hw", "absent/"])
    def test_an_output_that_is_no_zip(self, work, name):
        before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
        self.refused(run(work, "--output", name), f"--output {name} is not a folder or .zip")
        assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before

    @pytest.mark.parametrize("name", ["x" * 300 + ".zip", "x/" * 3000 + "x.zip", "questions.toml/x.zip"])
    def test_an_output_that_cannot_be(self, work, name):
        self.refused(run(work, "--output", name), "could not be written", "--output")
        assert not list(work.rglob("*.part"))

    def test_a_folder_in_the_place_of_the_zip(self, work):
        (work / "hw_submission.zip" / "x").mkdir(parents=True)
        self.refused(run(work), "could not be written")
        assert not list(work.rglob("*.part"))

    @pytest.mark.parametrize("text", [None, "[", "", "[assignment]\nname = 'hw'\n", "question = 3\n"])
    def test_a_manifest_that_is_missing_or_broken(self, work, text):
        (work / "questions.toml").unlink()
        if text is not None:
            (work / "questions.toml").write_text(text)
        self.refused(run(work), "questions.toml cannot be read", "archive you were given")

    def test_an_old_python(self, work):
        program = "import runpy, sys; sys.modules['tomllib'] = None; runpy.run_path('make_submission.py')"
        done = subprocess.run([sys.executable, "-c", program], cwd=work, capture_output=True, text=True)
        assert done.returncode == 1 and "needs Python 3.11 or later" in done.stderr and "Traceback" not in done.stderr

    def test_a_folder_without_the_assignment(self, tmp_path):
        (tmp_path / "questions.toml").write_text(MANIFEST)
        (tmp_path / "make_submission.py").write_bytes(SCRIPT.read_bytes())
        self.refused(run(tmp_path), "no net/ and no notebook is in")
        assert not list(tmp_path.glob("*.zip"))


def test_a_zip_of_notebooks_alone_is_written_all_the_same(work):
    shutil.rmtree(work / "net")
    done = run(work)
    assert done.returncode == 0 and "net/layers.py is missing" in done.stdout
    with zipfile.ZipFile(work / "hw_submission.zip") as archive:
        assert archive.namelist() == ["best.npz", "One.ipynb", "Two.ipynb"] and archive.testzip() is None
