"""The real `nbgrader zip_collect`, on a zip of zips: every package arrives whole, and `autograder grade` grades it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.course.report_store import get_report_path
from autograder.intake.reading import read_submission
from autograder.report.model import load_report

ROOT = Path(__file__).resolve().parents[2]
RELU = "import numpy as np\n\n\ndef relu_forward(x):\n    return np.maximum(x, 0), x\n"
NOTEBOOK = ROOT / "release" / "assignment2" / "FullyConnectedNets.ipynb"


def make_zip(tmp_path, files):
    with zipfile.ZipFile(tmp_path / "inner.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return (tmp_path / "inner.zip").read_bytes()


@pytest.fixture
def course(tmp_path, make_course):
    """A course with an LMS's download of three students in nbgrader's archive folder."""
    course = make_course(tmp_path / "course")
    layers, notebook = "cs231n/layers.py", NOTEBOOK.read_text(encoding="utf-8")
    hand_ins = {
        "A2_jdoe_attempt_2026-11-01-10-11-12_work.zip": {layers: RELU, "cs231n/sub/own.py": "a = 1\n"},
        "A2_jdoe_attempt_2026-10-01-10-11-12_work.zip": {layers: "early = 1\n"},
        "A2_ann_attempt_2026-11-02-00-00-00_a.zip": {f"assignment2/{layers}": RELU, "assignment2/x.ipynb": notebook},
        "A2_eve_attempt_2026-11-02-00-00-00_a.zip": {"../../../escaped.py": "x = 1\n"},
    }
    archive = course.root / "downloaded" / "assignment2" / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "gradebook.zip", "w") as download:
        for name, files in hand_ins.items():
            download.writestr(name, make_zip(tmp_path, files))
    return course


@pytest.mark.uncounted
def test_zip_collect_keeps_packages_whole_and_the_class_is_graded(course, run_cli):
    command = [sys.executable, "-m", "nbgrader", "zip_collect", "assignment2"]
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1"}
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert course.students() == ["ann", "jdoe"]
    jdoe = course.submitted("jdoe")
    assert (jdoe / "cs231n" / "layers.py").read_text() == RELU and (jdoe / "cs231n" / "sub" / "own.py").is_file()
    assert (jdoe / "timestamp.txt").read_text().startswith("2026-11-01 10:11:12")
    assert (course.submitted("ann") / "x.ipynb").is_file()  # at the top, where nbgrader looks for notebooks
    assert "A2_eve_attempt" in done.stderr and "was not collected" in done.stderr
    assert not list(course.root.parent.rglob("escaped.py"))
    assert all("is not in the submission" in note for note in read_submission(jdoe, course.manifest).notes)

    code, out, _ = run_cli("grade", "--course", course.root, "--jobs", "1")
    assert code == 0 and "ann" in out and "jdoe" in out
    for student in course.students():
        verdicts = {
            question.id: question.verdict for question in load_report(get_report_path(course, student)).questions
        }
        assert verdicts["relu_forward"] == "passed" and verdicts["adam"] == "missing"


def test_grade_takes_a_folder_of_zips(tmp_path, course, run_cli):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "ann_assignment2.zip").write_bytes(make_zip(tmp_path, {"cs231n/layers.py": RELU}))
    (downloads / "broken.zip").write_bytes(b"broken")
    code, out, err = run_cli("grade", downloads, "--course", course.root, "--jobs", "1")
    assert code == 0 and err == "" and "1 collected: ann" in out and "broken.zip: is not a zip archive" in out
    assert load_report(get_report_path(course, "ann")).score > 0

    code, out, _ = run_cli("collect", downloads, "--course", course.root)
    assert code == 0 and "1 already there and unchanged: ann" in out
    code, _, err = run_cli("collect", downloads / "broken.zip", "--course", course.root)
    assert code == 3 and "neither a folder nor a zip" in err
    code, _, err = run_cli("grade", "nobody", "--course", course.root)
    assert code == 3 and "there is no submission of 'nobody' to grade" in err
