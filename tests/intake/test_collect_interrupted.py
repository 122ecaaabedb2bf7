"""Collecting that is killed, cannot write or runs twice at once: no submission is lost, no other student waits."""

import multiprocessing
import os
import signal
import zipfile
from pathlib import Path

import pytest

from autograder.errors import StorageError
from autograder.intake import collect as collecting
from autograder.intake.collect import collect, finish_interrupted_collect
from autograder.intake.reading import read_submission

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hand_in(tmp_path):
    """A function that writes students' zips with a layers.py of this text, and returns their folder."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()

    def write(text, *students):
        for student in students:
            with zipfile.ZipFile(downloads / f"{student}.zip", "w") as archive:
                archive.writestr("cs231n/layers.py", text)
        return downloads

    return write


def layers_of(course, student):
    return read_submission(course.submitted(student), course.manifest).decode_text("cs231n/layers.py")


def in_submitted(course):
    return {path.relative_to(course.root / "submitted").as_posix() for path in (course.root / "submitted").glob("*/*")}


def collect_and_be_killed(course, source, step):
    """Collect in a process of its own that is killed before its rename number `step`."""

    def work():
        rename, done = os.rename, []

        def rename_or_die(*paths):
            if len(done) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(paths)
            rename(*paths)

        collecting.os.rename = rename_or_die
        collect(course, [source])

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("step, text", [(0, "a = 1\n"), (1, "a = 1\n"), (2, "a = 2\n")])
def test_after_a_kill_at_any_step_a_submission_is_there_and_no_temporary_file(course, hand_in, step, text):
    collect(course, [hand_in("a = 1\n", "ann", "ben")])
    collect_and_be_killed(course, hand_in("a = 2\n", "ann"), step)
    finish_interrupted_collect(course)  # as grading does
    assert layers_of(course, "ann") == text and course.students() == ["ann", "ben"]
    assert in_submitted(course) <= {"ann/assignment2", "ben/assignment2", "ann/.earlier"}
    assert not list((course.root / "submitted").glob(".collecting-*"))


@pytest.mark.parametrize("step", [0, 1, 2])
def test_the_next_collecting_goes_on_where_one_was_killed(course, hand_in, step):
    collect(course, [hand_in("a = 1\n", "ann")])
    downloads = hand_in("a = 2\n", "ann")
    collect_and_be_killed(course, downloads, step)
    assert collect(course, [downloads]).students == {"ann": "unchanged" if step == 2 else "replaced"}
    kept = course.root / "submitted" / "ann" / ".earlier" / "assignment2-1"
    assert layers_of(course, "ann") == "a = 2\n"
    assert read_submission(kept, course.manifest).decode_text("cs231n/layers.py") == "a = 1\n"
    assert not list((course.root / "submitted").glob(".collecting-*"))


def test_finishing_in_a_course_without_submissions_does_nothing(course):
    finish_interrupted_collect(course)
    assert not (course.root / "submitted").exists()


def test_a_failed_rename_leaves_the_old_submission_and_the_others_are_collected(course, hand_in, monkeypatch):
    collect(course, [hand_in("a = 1\n", "ann")])
    rename = os.rename

    def fail(source, target):
        if Path(source).name.startswith(".new-"):
            raise OSError("the disk is full")
        rename(source, target)

    monkeypatch.setattr(collecting.os, "rename", fail)
    found = collect(course, [hand_in("a = 2\n", "ann", "ben")])
    assert found.problems == [("ann", f"could not be put into {course.submitted('ann')}: the disk is full")]
    assert found.students == {"ben": "new"} and layers_of(course, "ann") == "a = 1\n"
    assert "ann/.new-assignment2" not in in_submitted(course)


def test_a_file_in_the_place_of_a_student_is_a_problem_of_that_student_alone(course, hand_in):
    (course.root / "submitted").mkdir()
    (course.root / "submitted" / "ben").write_text("a file")
    found = collect(course, [hand_in("a = 1\n", "ann", "ben", "cleo")])
    assert set(found.students) == {"ann", "cleo"}
    assert found.problems == [("ben", f"could not be put into {course.submitted('ben')}: File exists")]


def test_a_file_in_the_place_of_submitted_is_refused_with_what_to_do(course, hand_in):
    (course.root / "submitted").write_text("a file")
    with pytest.raises(StorageError, match="submitted could not be used: File exists. .*move it away"):
        collect(course, [hand_in("a = 1\n", "ann")])
