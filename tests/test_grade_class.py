"""Grading a class: nobody's trouble touches anybody else, and what is done already is not done again."""

import pytest

from autograder.course.report_store import report_path
from autograder.errors import SandboxUnavailable
from autograder.grade_class import grade_class
from autograder.report import model as report

KILL_THE_JUDGE_OF_EVE = """
import multiprocessing, os, signal
from autograder.course import report_store as reports

def read_or_die(folder, manifest, student, read=reports.read_submission):
    if student == "eve":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(folder, manifest, student)

if multiprocessing.parent_process():
    reports.read_submission = read_or_die
"""


def test_an_unusable_submission_gets_a_report_with_the_reason_and_the_others_their_grades(
    tmp_path, make_course, hand_in
):
    course = make_course(tmp_path)
    hand_in(course, "ben", "missing_half")
    course.submitted("empty").mkdir(parents=True)
    (course.submitted("odd")).mkdir(parents=True)
    (course.submitted("odd") / "homework.zip").write_bytes(b"this is no zip")
    done = {graded.student: graded for graded in grade_class(course)}
    assert [graded.problem for graded in done.values()] == ["", "", ""]
    assert done["ben"].report.score == 119
    assert done["empty"].report.score == done["odd"].report.score == 0
    assert "nothing in it is graded" in done["empty"].report.submission["notes"][0]
    assert "not a zip archive" in done["odd"].report.submission["notes"][0]
    page = (course.reports / "index.html").read_text()
    assert all(student in page for student in done)


def test_a_second_run_judges_nothing_again(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    grade_class(course)
    first = report_path(course, "eli").stat().st_mtime_ns
    grade_class(course)
    assert report_path(course, "eli").stat().st_mtime_ns == first
    grade_class(course, force=True)
    assert report_path(course, "eli").stat().st_mtime_ns != first


def test_a_changed_submission_is_judged_again(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    assert grade_class(course)[0].report.score == 0
    hand_in(course, "eli", "missing_half")
    assert grade_class(course)[0].report.score == 119


def test_a_damaged_report_on_file_is_made_anew(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    grade_class(course)
    report_path(course, "eli").write_text('{"format_version": 1')
    assert grade_class(course)[0].problem == ""
    assert report.load(report_path(course, "eli")).score == 0


def test_a_link_to_the_reference_is_not_followed(tmp_path, make_course, hand_in, manifest):
    """nbgrader copies what a link points at into autograded/; the judge reads the hand-in itself."""
    course = make_course(tmp_path)
    folder = hand_in(course, "mallory", "missing_everything")
    layers = folder / "cs231n" / "layers.py"
    layers.unlink()
    layers.symlink_to(manifest.root / "cs231n" / "layers.py")
    graded = grade_class(course)[0]
    assert graded.report.score == 0
    assert any("links are not followed" in note for note in graded.report.submission["notes"])


def test_a_required_sandbox_that_is_missing_stops_before_anything_runs(tmp_path, make_course, hand_in, monkeypatch):
    from autograder.sandbox import isolation as sandbox

    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        grade_class(course, sandbox="bubblewrap")
    assert not course.reports.exists()


def test_a_judge_that_is_killed_costs_nobody_elses_grades(tmp_path, make_course):
    """The course's configuration, which every judge reads, kills for good the one that comes to eve."""
    course = make_course(tmp_path)
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write(KILL_THE_JUDGE_OF_EVE)
    students = ["ada", "eve", "ian", "kim", "zoe"]
    for student in students:
        course.submitted(student).mkdir(parents=True)
    done = {graded.student: graded for graded in grade_class(course, jobs=2)}  # zoe waits while the others run
    assert sorted(done) == sorted(students)
    assert done.pop("eve").problem == "its judge was killed (out of memory?)"
    assert all(graded.problem == "" and graded.report.score == 0 for graded in done.values())


def test_strange_student_ids_are_graded_like_any_other_and_impossible_ones_not_at_all(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    for student in ("Ana María", "o'hara & co", "x <b>", "学生"):
        hand_in(course, student, "missing_everything")
    problems = {graded.student: graded.problem for graded in grade_class(course)}
    assert "cannot be a student's id" in problems.pop("x <b>") and set(problems.values()) == {""}
    page = (course.reports / "index.html").read_text()
    assert "hara & co" not in page and "hara &amp; co" in page and not (course.reports / "x <b>").exists()


def test_a_file_in_the_place_of_a_hand_in_is_named(tmp_path, make_course):
    course = make_course(tmp_path)
    path = course.submitted("eve")
    path.parent.mkdir(parents=True)
    path.write_text("my answers")
    graded = grade_class(course, jobs=1)[0]
    assert graded.student == "eve" and graded.problem == "" and graded.report.score == 0
    assert f"{path} is a file, and a folder is expected" in graded.report.submission["notes"][0]
