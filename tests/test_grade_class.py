"""Grading a class: a problem of one student affects no other student, and finished work is not repeated."""

import shutil

import pytest

from autograder import grade_class as classroom
from autograder.course.course import Course
from autograder.course.report_store import get_report_path
from autograder.errors import SandboxUnavailable
from autograder.grade_class import grade_class
from autograder.grading import pool
from autograder.report import model as report
from tests.grading.jobs import JobThatKillsForEve, LoggedJob
from tests.kills.course import make_class

pytestmark = pytest.mark.uncounted

HALF = 2  # points of missing_half in the small kit: adam is missing


@pytest.fixture(scope="module")
def with_a_memory_limit_reached(tmp_path_factory):
    """A course in which ben reaches the memory limit; ann, cleo, dan and eve reach no limit."""
    course = make_class(tmp_path_factory.mktemp("limits") / "course")
    for student in ("cleo", "eve"):
        shutil.copytree(course.submitted("ben"), course.submitted(student))
    layers = course.submitted("ben") / "cs231n" / "layers.py"
    text = layers.read_text(encoding="utf-8")
    head, name, body = text.partition("def dropout_forward(")
    line = body.index('"""', body.index('"""') + 3) + 3
    layers.write_text(f"{head}{name}{body[:line]}\n    bytes(1 << 45)\n{body[line:]}", encoding="utf-8")
    return course.root


class TestWhoReachesALimit:
    STUDENTS = ["ann", "ben", "cleo", "dan", "eve"]

    @pytest.fixture
    def limited(self, with_a_memory_limit_reached, tmp_path, monkeypatch):
        monkeypatch.setattr(classroom, "Job", LoggedJob)
        monkeypatch.setenv("JUDGED_LOG", str(tmp_path / "judged.log"))
        shutil.copytree(with_a_memory_limit_reached, tmp_path / "course")
        return Course(tmp_path / "course")

    @staticmethod
    def log_of(course):
        return (course.root.parent / "judged.log").read_text().splitlines()

    def test_is_judged_again_at_the_end_and_alone_and_has_no_report_until_then(self, limited, monkeypatch):
        """The first run is killed before it judges anyone alone; the second run goes on from there."""
        side_by_side = pool._judge_side_by_side

        def killed_before_the_end(waiting, processes):
            if processes == 1:
                raise KeyboardInterrupt
            return side_by_side(waiting, processes)

        with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
            killed.setattr(pool, "_judge_side_by_side", killed_before_the_end)
            grade_class(limited, jobs=2)
        on_file = {name: get_report_path(limited, name).exists() for name in self.STUDENTS}
        assert on_file == {"ann": True, "ben": False, "cleo": True, "dan": True, "eve": False}
        assert not limited.autograded("ben").exists()
        assert all(line.endswith("beside others") for line in self.log_of(limited))

        before, order = len(self.log_of(limited)), []
        done = grade_class(limited, jobs=2, progress=lambda graded: order.append(graded.student))
        assert [(graded.student, graded.problem) for graded in done] == [(name, "") for name in self.STUDENTS]
        assert sorted(order[:3]) == ["ann", "cleo", "dan"] and sorted(order[3:]) == ["ben", "eve"]
        found = {graded.student: graded.report.question("dropout_forward") for graded in done}
        assert {name: question.verdict for name, question in found.items()} == {
            "ann": "missing", "ben": "memory", "cleo": "passed", "dan": "missing", "eve": "passed"
        }  # fmt: skip
        assert [name for name, question in found.items() if question.limits] == ["ben"]
        assert found["ben"].limits["reference"]["cpu_seconds"] > 0
        assert limited.autograded("ben").exists() and (limited.reports / "ben" / "recorded.sha256").exists()

        log = self.log_of(limited)[before:]
        assert {line.split()[1] for line in log} == {"ben", "eve"}
        first = log.index(next(line for line in log if line.endswith("alone")))
        assert not [line for line in log[first:] if "beside others" in line], "others were still being judged"
        assert sorted(zip(log[first::2], log[first + 1 :: 2])) == [
            (f"begins {name} alone", f"ends {name} alone") for name in ("ben", "eve")
        ]


def test_an_unusable_submission_gets_a_report_with_the_reason_and_the_others_their_grades(
    tmp_path, make_course, hand_in
):
    course = make_course(tmp_path)
    hand_in(course, "ben", "missing_half")
    course.submitted("empty").mkdir(parents=True)
    (course.submitted("odd")).mkdir(parents=True)
    (course.submitted("odd") / "homework.zip").write_bytes(b"this is no zip")
    done = {graded.student: graded for graded in grade_class(course, jobs=1)}
    assert [graded.problem for graded in done.values()] == ["", "", ""]
    assert done["ben"].report.score == HALF
    assert done["empty"].report.score == done["odd"].report.score == 0
    assert "nothing in it is graded" in done["empty"].report.submission["notes"][0]
    assert "not a zip archive" in done["odd"].report.submission["notes"][0]
    page = (course.reports / "index.html").read_text()
    assert all(student in page for student in done)


def test_a_second_run_judges_only_what_is_damaged_or_changed_or_everything_if_it_is_forced(
    tmp_path, make_course, hand_in
):
    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")

    def grade(**options):
        (graded,) = grade_class(course, jobs=1, **options)
        assert graded.problem == ""
        return graded.report.score, get_report_path(course, "eli").stat().st_mtime_ns

    score, first = grade()
    assert score == 0 and grade() == (0, first)
    score, second = grade(force=True)
    assert score == 0 and second != first
    get_report_path(course, "eli").write_text('{"format_version": 1')
    score, third = grade()
    assert score == report.load_report(get_report_path(course, "eli")).score == 0 and third != second
    hand_in(course, "eli", "missing_half")
    assert grade()[0] == HALF


def test_a_link_to_the_reference_is_not_followed(tmp_path, make_course, hand_in, manifest):
    """nbgrader copies the target of a link into autograded/; the judge reads the submission itself."""
    course = make_course(tmp_path)
    folder = hand_in(course, "mallory", "missing_everything")
    layers = folder / "cs231n" / "layers.py"
    layers.unlink()
    layers.symlink_to(manifest.root / "cs231n" / "layers.py")
    graded = grade_class(course, jobs=1)[0]
    assert graded.report.score == 0
    assert any("links are not followed" in note for note in graded.report.submission["notes"])


def test_a_required_sandbox_that_is_missing_stops_before_anything_runs(tmp_path, make_course, hand_in, monkeypatch):
    from autograder.sandbox import isolation as sandbox

    course = make_course(tmp_path)
    hand_in(course, "eli", "missing_everything")
    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        grade_class(course, sandbox="bubblewrap", jobs=1)
    assert not course.reports.exists()


def test_a_killed_judge_costs_no_other_student_a_grade(tmp_path, make_course, monkeypatch):
    course = make_course(tmp_path)
    monkeypatch.setattr(classroom, "Job", JobThatKillsForEve)
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
    problems = {graded.student: graded.problem for graded in grade_class(course, jobs=1)}
    assert "cannot be a student's id" in problems.pop("x <b>") and set(problems.values()) == {""}
    page = (course.reports / "index.html").read_text()
    assert "hara & co" not in page and "hara &amp; co" in page and not (course.reports / "x <b>").exists()


def test_a_file_in_the_place_of_a_submission_is_named(tmp_path, make_course):
    course = make_course(tmp_path)
    path = course.submitted("eve")
    path.parent.mkdir(parents=True)
    path.write_text("my answers")
    graded = grade_class(course, jobs=1)[0]
    assert graded.student == "eve" and graded.problem == "" and graded.report.score == 0
    assert f"{path} is a file; expected a folder" in graded.report.submission["notes"][0]
