"""nbgrader's gradebook: the judge's scores get in, whichever command is used, and a human's grades stay."""

import json
import os
import shutil
import subprocess
import sys
from unittest import mock

import nbformat
import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from autograder.course.course import Course
from autograder.course.gradebook import is_recorded
from autograder.course.report_store import load_or_make_report
from autograder.grade_class import grade_class
from autograder.release.publish import publish
from autograder.report.terminal import print_class
from tests.courses import make_small_course
from tests.forked_worker import forked_workers

NOTEBOOK = "FullyConnectedNets"
CHENS = ("affine_forward", "affine_backward", "batchnorm_forward", "layernorm_forward", "layernorm_backward")
HALF = 2  # points of missing_half in the small kit: adam is missing

# Replaces the code of every later cell: from plain nbgrader this takes full marks.
REWRITE = """
import ast
class Pass(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.parse("pass")
get_ipython().ast_transformers.append(Pass())
"""


def nbgrader(course, *arguments):
    """Run nbgrader's own command line in a course, with nothing on PATH but the system."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course.root, env=environment, capture_output=True, text=True
    )


def scores(course, student):
    with Gradebook(course.db_url) as gradebook:
        notebooks = gradebook.find_submission("assignment2", student).notebooks
        return {grade.name: grade.auto_score for notebook in notebooks for grade in notebook.grades}


def edit_notebook(folder, edit):
    path = folder / f"{NOTEBOOK}.ipynb"
    notebook = json.loads(path.read_text())
    edit(notebook)
    path.write_text(json.dumps(notebook))


def rewrite_test_cells(notebook):
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "a", "source": REWRITE}
    notebook["cells"].insert(0, code)


@pytest.fixture(scope="module")
def autograded(tmp_path_factory, hand_in):
    """A course with two notebooks in which nbgrader itself has graded chen, and mallory, who attacks the test cells.

    Tests only read it. Beside it is "copy", the same course before grading.
    """
    course = make_small_course(tmp_path_factory.mktemp("nbgrader") / "course", (NOTEBOOK, "BatchNormalization"), CHENS)
    publish(course, course.manifest)
    hand_in(course, "chen", "failed_dw_averaged")
    edit_notebook(hand_in(course, "mallory", "missing_everything"), rewrite_test_cells)
    shutil.copytree(course.root, course.root.with_name("copy"))
    run = nbgrader(course, "autograde", "assignment2")
    assert run.returncode == 0, run.stderr
    return course


@pytest.mark.xdist_group("autograded")
def test_nbgrader_autograde_records_the_judges_scores_and_shows_its_report(autograded):
    report = load_or_make_report(autograded, "chen")
    wrong = report.question("affine_backward")
    assert 0 < wrong.points < wrong.max_points
    found = scores(autograded, "chen")
    assert {question.id: question.points for question in report.questions}.items() <= found.items()
    graded = nbformat.read(autograded.autograded("chen") / f"{NOTEBOOK}.ipynb", as_version=4)
    cell = next(c for c in graded.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "affine_backward")
    assert "dw is wrong" in cell.outputs[0].data["text/html"]
    assert float(cell.outputs[1].data["text/plain"]) == wrong.points


@pytest.mark.xdist_group("autograded")
def test_bonus_points_come_on_top(autograded):
    graded = load_or_make_report(autograded, "chen")
    bonus = {question.id: question.points for question in graded.questions if question.bonus}
    assert len(bonus) == 2 and all(bonus.values())
    assert bonus.items() <= scores(autograded, "chen").items()
    with Gradebook(autograded.db_url) as gradebook:
        submission = gradebook.find_submission("assignment2", "chen")
        inline = sum(g.max_score for n in submission.notebooks for g in n.grades if g.name.startswith("inline"))
        assert submission.max_score == graded.max_score + inline
        assert submission.score == pytest.approx(graded.score)


@pytest.mark.xdist_group("autograded")
def test_grade_class_records_the_same_as_nbgrader_autograde(autograded):
    copy = Course(autograded.root.with_name("copy"))
    assert [graded.problem for graded in grade_class(copy, ["chen"], jobs=1)] == [""]
    assert scores(copy, "chen") == scores(autograded, "chen")


@pytest.mark.xdist_group("autograded")
def test_a_notebook_that_rewrites_the_test_cells_gains_nothing(autograded):
    found = scores(autograded, "mallory")
    assert len(found) > len(CHENS) and not any(found.values())


def forge_outputs(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": {"text/plain": "1"}}
            ]


def turn_into_solutions(notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader"):
            cell["metadata"]["nbgrader"] |= {"solution": True, "grade": False, "locked": False, "points": 1000}


def delete_test_cells(notebook):
    notebook["cells"] = [cell for cell in notebook["cells"] if not cell["metadata"].get("nbgrader")]


def duplicate_cells(notebook):
    notebook["cells"] += [dict(cell, id=f"copy-{n}") for n, cell in enumerate(notebook["cells"])]


def break_metadata(notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader"):
            cell["metadata"]["nbgrader"] = {"grade_id": ["a", "list"], "points": "many", "grade": "yes"}


def other_kernel(notebook):
    notebook["metadata"]["kernelspec"] = {"name": "no_such_kernel", "display_name": "x", "language": "klingon"}


TAMPERINGS = [forge_outputs, turn_into_solutions, delete_test_cells, duplicate_cells, break_metadata, other_kernel]
UNUSABLE = {
    "none": None,
    "no_json": b"{not json",
    "a_list": b"[]",
    "no_text": b"\xff\xfe\x00",
    "no_cells": b'{"cells": 3}',
}


@pytest.fixture(scope="module")
def tampered(tmp_path_factory, make_course, hand_in):
    """{student: graded} and {student: scores} of a course in which nobody's notebook is as it was released."""
    course = make_course(tmp_path_factory.mktemp("tampered"))
    for tamper in TAMPERINGS:
        edit_notebook(hand_in(course, tamper.__name__, "missing_half"), tamper)
    for student, data in UNUSABLE.items():
        path = hand_in(course, student, "missing_half") / f"{NOTEBOOK}.ipynb"
        path.unlink() if data is None else path.write_bytes(data)
    with forked_workers() as forked, mock.patch("autograder.grade_class.choose_isolation", return_value=forked):
        done = {graded.student: graded for graded in grade_class(course, jobs=1)}
    return done, {student: scores(course, student) for student in done}


def test_a_tampered_notebook_changes_no_score(tampered):
    done, found = tampered
    assert {name: graded.problem for name, graded in done.items() if graded.problem} == {}
    assert {name: sum(score or 0 for score in found[name].values()) for name in done} == dict.fromkeys(done, HALF)
    recorded = {name: {q.id: q.points for q in graded.report.questions} for name, graded in done.items()}
    assert [name for name in done if not recorded[name].items() <= found[name].items()] == []


@pytest.mark.uncounted
def test_a_manual_grade_survives_every_regrade(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    folder = hand_in(course, "ada", "passed_reference")

    def answer(notebook):
        for cell in notebook["cells"]:
            if cell["source"] and "YOUR ANSWER HERE" in "".join(cell["source"]):
                cell["source"] = "Because the slope is 0 there."

    edit_notebook(folder, answer)
    grade_class(course, jobs=1)
    with Gradebook(course.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(NOTEBOOK, "assignment2", "ada")
        inline = next(grade for grade in submission.grades if grade.name.startswith("inline_1"))
        assert inline.needs_manual_grade
        inline.manual_score, inline.needs_manual_grade = 1.5, False
        override = next(grade for grade in submission.grades if grade.name == "adam")
        override.manual_score = 2.0
        gradebook.db.commit()
    grade_class(course, force=True, jobs=1)
    assert nbgrader(course, "autograde", "assignment2", "--force").returncode == 0
    with Gradebook(course.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(NOTEBOOK, "assignment2", "ada")
        kept = {grade.name: grade.manual_score for grade in submission.grades if grade.manual_score is not None}
        assert sorted(kept.values()) == [1.5, 2.0] and kept["adam"] == 2.0


def test_a_skipped_question_asks_for_a_human_and_tells_the_instructor(tmp_path, hand_in, monkeypatch, capsys):
    monkeypatch.setattr("autograder.grading.question.is_available", lambda module: False)
    course = make_small_course(tmp_path, "TensorFlow")
    publish(course, course.manifest)
    hand_in(course, "eli", "missing_everything")
    done = grade_class(course, jobs=1)
    verdicts = {question.id: question.verdict for question in done[0].report.questions}
    assert verdicts == dict.fromkeys(("complex_model", "loss_and_gradients", "best_tf_model"), "skipped")
    print_class(Console(width=200), done, course)
    assert "tensorflow is not installed on the machine that graded this; `autograder doctor`" in capsys.readouterr().out
    with Gradebook(course.db_url) as gradebook:
        grades = [gradebook.find_grade(name, "TensorFlow", "assignment2", "eli") for name in verdicts]
        assert all(grade.needs_manual_grade for grade in grades)


def test_a_grader_fault_asks_for_a_human(tmp_path, make_course, hand_in, monkeypatch):
    from autograder.checking.criteria import Criterion
    from tests.kit import PACK

    def broken(trial):
        raise ZeroDivisionError

    course = make_course(tmp_path)
    hand_in(course, "ada", "passed_reference")
    monkeypatch.setitem(PACK.criteria, "adam", [Criterion("broken", 1, broken, "A check with a bug.")])
    grade_class(course, jobs=1)
    with Gradebook(course.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(NOTEBOOK, "assignment2", "ada")
        needs = {grade.name for grade in submission.grades if grade.needs_manual_grade}
    assert "adam" in needs and "relu_forward" not in needs


def test_a_report_of_another_sandbox_is_recorded_as_it_is(tmp_path, make_course, hand_in, bubblewrap, landlock):
    course = make_course(tmp_path)
    hand_in(course, "ada", "missing_everything")
    graded = grade_class(course, sandbox="landlock", jobs=1)[0]
    assert graded.problem == "" and graded.report.isolation["name"] == "landlock"
    assert load_or_make_report(course, "ada").isolation["name"] == "landlock"


def test_what_is_recorded_already_is_known(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    report = load_or_make_report(course, "eli")
    assert not is_recorded(course, "eli", report)
    grade_class(course, jobs=1)
    assert is_recorded(course, "eli", report)
    report.questions[0].points = 1.0
    assert not is_recorded(course, "eli", report)


@pytest.mark.uncounted
def test_a_new_inline_answer_reaches_the_gradebook_though_no_score_has_changed(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    folder = hand_in(course, "eli", "missing_everything")
    grade_class(course, jobs=1)

    def answer(notebook):
        cell = next(c for c in notebook["cells"] if "YOUR ANSWER HERE" in "".join(c["source"]))
        cell["source"] = "An answer that came late."

    edit_notebook(folder, answer)
    grade_class(course, jobs=1)
    assert "An answer that came late." in (course.autograded("eli") / f"{NOTEBOOK}.ipynb").read_text()


def test_a_run_that_died_before_the_end_of_recording_is_done_again(tmp_path, make_course, hand_in, monkeypatch):
    from autograder.course import gradebook

    course = make_course(tmp_path)
    hand_in(course, "ben", "missing_half")

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(gradebook, "write_atomically", dies)
        with pytest.raises(KeyboardInterrupt):
            grade_class(course, jobs=1)
    (course.autograded("ben") / f"{NOTEBOOK}.ipynb").chmod(0o644)
    (course.autograded("ben") / f"{NOTEBOOK}.ipynb").write_text("half a note")
    assert [graded.problem for graded in grade_class(course, jobs=1)] == [""]
    assert "dw" in (course.autograded("ben") / f"{NOTEBOOK}.ipynb").read_text()


@pytest.mark.uncounted
def test_a_late_hand_in_is_known_by_its_timestamp_and_a_damaged_one_costs_no_grades(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    stamps = {"late": b"2026-03-01 10:00:00 UTC", "no date": b"not a date", "no text": b"\xff\xfe"}
    stamps["no year"] = b"9999999999999-01-01"
    for student, stamp in stamps.items():
        (hand_in(course, student, "missing_half") / "timestamp.txt").write_bytes(stamp)
    assert [graded.problem for graded in grade_class(course, jobs=1)] == [""] * len(stamps)
    for student in stamps:
        assert sum(score or 0 for score in scores(course, student).values()) == HALF
    with Gradebook(course.db_url) as gradebook:
        times = {student: gradebook.find_submission("assignment2", student).timestamp for student in stamps}
    assert times.pop("late").year == 2026 and set(times.values()) == {None}
