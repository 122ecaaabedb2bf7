"""The commands: one clear message for bad input, the documented exit code, and no other change."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.kit import ALL_CASES, ROOT


def package(folder, text="import numpy as np\n"):
    (folder / "cs231n").mkdir(parents=True)
    (folder / "cs231n" / "layers.py").write_text(text)
    return folder


def unusable(folder):
    """Yield (path, what the message says) of everything `check` refuses."""
    (folder / "empty").mkdir()
    (folder / "fake.zip").write_bytes(b"not a zip at all")
    (folder / "report.pdf").write_bytes(b"%PDF-1.4")
    (folder / "only.ipynb").write_text("{}")
    with zipfile.ZipFile(folder / "void.zip", "w") as archive:
        archive.writestr("essay.docx", "x")
    return {
        "absent": (folder / "absent", "there is no such file or folder"),
        "empty folder": (folder / "empty", "nothing in it is graded"),
        "no zip": (folder / "fake.zip", "not a zip archive"),
        "another file": (folder / "report.pdf", "not a zip archive"),
        "a lone notebook": (folder / "only.ipynb", "not a zip archive"),
        "a zip of something else": (folder / "void.zip", "nothing in it is graded"),
    }


@pytest.mark.parametrize(
    "kind", ["absent", "empty folder", "no zip", "another file", "a lone notebook", "a zip of something else"]
)
def test_check_refuses_what_it_cannot_use_with_one_message_and_exit_code_3(tmp_path, run_cli, kind):
    path, said = unusable(tmp_path)[kind]
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run_cli("check", path, "--json", tmp_path / "out.json")
    assert code == 3
    assert err.startswith("autograder: ") and said in err and str(path) in err
    assert "Traceback" not in err and out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_check_names_the_line_of_a_syntax_error_and_grades_the_rest(tmp_path, run_cli):
    package(tmp_path / "sub", "def affine_forward(x, w, b:\n    return x\n")
    (tmp_path / "sub" / "FullyConnectedNets.ipynb").write_text("{ no json")
    code, out, err = run_cli("check", tmp_path / "sub", "--json", tmp_path / "out.json", "--question", "affine_forward")
    assert code == 0 and err == ""
    assert "cs231n/layers.py, line 1" in out and "0 of 3 points" in out
    assert "FullyConnectedNets.ipynb could not be read: it is not JSON" in " ".join(out.split())
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["score"] == 0 and report["questions"][0]["verdict"] == "error"


def test_check_grades_the_package_alone_and_writes_both_reports(tmp_path, run_cli):
    """Without notebooks and models: their questions are missing, and all other questions are right."""
    models = {"best_fc_model", "best_conv_model", "best_tf_model", "complex_model", "loss_and_gradients"}
    chosen = () if ALL_CASES else ("softmax_loss", "batchnorm_backward_alt", "max_pool_forward_naive", "adam", *models)
    options = [option for name in chosen for option in ("--question", name)]
    options += ["--json", tmp_path / "r.json", "--html", tmp_path / "r.html"]
    code, out, _ = run_cli("check", ROOT / "assignment2", *options)
    report = json.loads((tmp_path / "r.json").read_text())
    lost = {question["id"]: question["verdict"] for question in report["questions"] if question["verdict"] != "passed"}
    assert len(report["questions"]) > len(lost)
    assert code == 0 and lost == dict.fromkeys(models, "missing") and f"{report['score']:g} of" in out
    assert "<!doctype html>" in (tmp_path / "r.html").read_text().lower()


def test_check_grades_a_zip(tmp_path, run_cli):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.write(ROOT / "assignment2" / "cs231n" / "layers.py", "My Work/assignment2/cs231n/layers.py")
    code, out, _ = run_cli("check", tmp_path / "mine.zip", "--question", "relu_backward")
    assert code == 0 and "5 of 5 points" in out


def test_an_unknown_question_lists_the_known_ones(tmp_path, run_cli):
    code, _, err = run_cli("check", package(tmp_path / "s"), "--question", "afine_forward")
    assert code == 3 and "no such question" in err and "affine_forward" in err


def test_outside_a_course_grade_says_where_to_go(tmp_path, run_cli):
    code, _, err = run_cli("grade", "--course", tmp_path)
    assert code == 3 and "is not a course directory" in err and "--course" in err


def test_grade_without_submissions_says_where_they_belong(tmp_path, run_cli, make_course):
    course = make_course(tmp_path)
    code, _, err = run_cli("grade", "--course", tmp_path)
    assert code == 3 and f"There is no folder {course.root / 'submitted'}. Run: autograder collect" in err
    (course.root / "submitted").mkdir()
    code, _, err = run_cli("grade", "--course", tmp_path)
    assert code == 3 and "submitted/<student>/assignment2" in err


def test_grade_names_a_student_without_submission(tmp_path, run_cli, make_course, hand_in):
    hand_in(make_course(tmp_path), "eli", "missing_everything")
    code, _, err = run_cli("grade", "nobody", "--course", tmp_path)
    assert code == 3 and "nobody" in err


def test_a_required_sandbox_that_is_missing_is_exit_code_5(tmp_path, run_cli, monkeypatch):
    from autograder.sandbox import isolation as sandbox

    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")
    code, _, err = run_cli("check", package(tmp_path / "s"), "--require-sandbox")
    assert code == 5 and "apt install bubblewrap" in err


def test_weaker_isolation_is_said_on_the_terminal_and_in_the_report(tmp_path, run_cli, monkeypatch):
    from autograder.sandbox import isolation as sandbox

    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")
    code, out, _ = run_cli(
        "check", package(tmp_path / "s"), "--question", "relu_forward", "--json", tmp_path / "r.json"
    )
    assert code == 0 and "WEAKER ISOLATION" in out
    assert json.loads((tmp_path / "r.json").read_text())["isolation"]["strong"] is False


def test_wrong_usage_is_exit_code_2(run_cli):
    assert run_cli("check")[0] == 2
    assert run_cli("no-such-command")[0] == 2


def test_terminal_escapes_from_a_student_do_not_reach_the_terminal(tmp_path, run_cli):
    text = "def relu_forward(x):\n    raise ValueError('\\x1b[2J\\x1b]0;owned\\x07[red]x[/red]')\n"
    _, out, _ = run_cli("check", package(tmp_path / "s", text), "--question", "relu_forward")
    assert "\x1b" not in out and "\x07" not in out and "ValueError" in out


def test_a_stale_release_is_exit_code_4(tmp_path, run_cli, make_course):
    course = make_course(tmp_path)
    config = tmp_path / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nget_config().CourseDirectory.release_directory = 'release'\n")
    code, _, err = run_cli("release", "--check", "--course", course.root)
    assert code == 4 and "assignment2.zip is missing" in err and "autograder release" in err


def test_the_doctor_finds_this_machine_fit(run_cli):
    code, out, _ = run_cli("doctor")
    assert code == 0 and "sandbox" in out and "✓ numpy" in out


def test_the_exit_codes_are_documented_where_they_are_looked_for():
    from autograder import errors

    guide = (ROOT / "docs" / "instructor.md").read_text()
    for code in (0, 1, errors.USAGE, errors.INPUT, errors.RELEASE, errors.SANDBOX):
        assert f"| {code} |" in guide
    assert f"| {errors.BROKEN_PIPE} |" in guide


def test_an_empty_path_is_refused(run_cli):
    for command in (("check", ""), ("collect", " "), ("reproduce", "", "relu_forward", "values")):
        code, _, err = run_cli(*command)
        assert code == 2 and "the path is empty" in err


def test_where_nobody_reads_the_output_the_report_is_written_all_the_same(tmp_path):
    command = [sys.executable, "-m", "autograder", "check", package(tmp_path / "s"), "--json", tmp_path / "r.json"]
    nobody, output = os.pipe()
    os.close(nobody)
    run = subprocess.run([*command, "--question", "relu_forward"], cwd=ROOT, stdout=output, stderr=subprocess.PIPE)
    os.close(output)
    assert (run.returncode, run.stderr) == (141, b"")
    assert json.loads((tmp_path / "r.json").read_text())["score"] == 0


def test_a_terminal_that_lacks_a_character_shows_another_in_its_place(run_cli, monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    code, _, err = run_cli("doctor")
    assert code == 0 and err == "" and b"? numpy" in shown.getvalue()


def test_a_strange_umask_and_no_path_change_no_grade(tmp_path, run_cli, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "s" / "cs231n").mkdir(parents=True)
    shutil.copy(ROOT / "assignment2" / "cs231n" / "layers.py", tmp_path / "s" / "cs231n")
    before = os.umask(0o777)
    try:
        code, out, _ = run_cli("check", tmp_path / "s", "--question", "relu_forward")
    finally:
        os.umask(before)
    assert code == 0 and "2 of 2 points" in out
    assert "/usr/bin" in os.environ["PATH"].split(os.pathsep)
