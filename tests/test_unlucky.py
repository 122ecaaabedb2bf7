"""Disks that are full or read-only, a gradebook that is locked or damaged: one message, and what was done is kept."""

import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from autograder.course.course import Course
from autograder.errors import KitError, StorageError
from autograder.runtime.locks import LOCK_FILE
from autograder.sandbox.bubblewrap import why_not_bubblewrap
from autograder.sandbox.landlock import why_not_landlock
from tests.kills.course import make_class
from tests.kills.state import difference, graded

pytestmark = [pytest.mark.xdist_group("unlucky"), pytest.mark.uncounted]

NOBODY = 65534
CLASS = ("ann", "ben")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A course with a class of two, and what lies in it once it is graded; "undisturbed" beside it is graded."""
    from autograder.grade_class import grade_class

    top = tmp_path_factory.mktemp("unlucky")
    make_class(top / "template", CLASS)
    shutil.copytree(top / "template", top / "undisturbed")
    undisturbed = Course(top / "undisturbed")
    assert [done.problem for done in grade_class(undisturbed, jobs=1)] == [""] * len(CLASS)
    return top / "template", graded(undisturbed)


@pytest.fixture
def course(template, tmp_path):
    shutil.copytree(template[0], tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture
def grade(run_cli):
    """A function that grades a course in this process and returns (exit code, message)."""

    def run(course):
        code, _, said = run_cli("grade", "--jobs", "1", "--course", course.root)
        assert "Traceback" not in said
        return code, said

    return run


@pytest.fixture
def mount():
    """A function that mounts; it is all unmounted in the end. As anybody but root nothing can be mounted."""
    mounted = []

    def run(*arguments):
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mount: {done.stderr.strip()}")
        if arguments[-1] not in mounted:  # else it was mounted anew
            mounted.append(arguments[-1])

    yield run
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def somebody_else():
    """A function that makes this process one of an account without rights until the test ends."""
    if os.geteuid():
        pytest.skip("mount: only root can become somebody else")
    yield lambda: os.seteuid(NOBODY)
    os.seteuid(0)
    for found in (why_not_bubblewrap, why_not_landlock):  # by somebody else, whom the interpreter may be closed to
        found.cache_clear()


def hidden(course):
    """Return what lies about in a course that nobody wants to see."""
    return [path for path in course.root.rglob(".*") if path.name not in (".autograder.lock", ".grading-secret")]


def expect_all_graded(course, grade, template):
    assert grade(course) == (0, "")
    assert difference(graded(course), template[1]) == [] and not hidden(course)


def expect_refusal(found, *words):
    code, said = found
    assert code == 7, said
    assert said.startswith("autograder: ") and said.count("autograder: ") == 1
    assert all(word in said for word in (*words, "then run the same command again")), said


@pytest.mark.parametrize("free_kb", [0, 200, 450])
def test_on_a_full_disk_grading_stops_with_one_message_and_goes_on_when_there_is_room(
    template, tmp_path, mount, grade, free_kb
):
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=32m", "tmpfs", place)
    shutil.copytree(template[0], place / "course")
    course, filler = Course(place / "course"), place / "filler"
    status = os.statvfs(place)
    filler.write_bytes(bytes(status.f_bavail * status.f_frsize - free_kb * 1024))
    code, said = grade(course)
    if code:
        expect_refusal((code, said), "full" if "gradebook" in said else "No space left on device")
        assert not [path for path in hidden(course) if path.name.endswith(".aside")]
    else:
        assert free_kb == 450
    filler.unlink()
    expect_all_graded(course, grade, template)


def test_a_read_only_course_is_refused(course, mount, grade):
    mount("--bind", course.root, course.root)
    mount("-o", "remount,bind,ro", course.root)
    expect_refusal(grade(course), str(course.root), "Read-only file system", "Make that folder writable")


def test_read_only_reports_are_refused_before_anybody_is_judged(course, mount, grade, template):
    course.reports.mkdir()
    mount("--bind", course.reports, course.reports)
    mount("-o", "remount,bind,ro", course.reports)
    expect_refusal(grade(course), str(course.reports), "Read-only file system")
    assert not any(course.reports.iterdir())


def test_a_folder_that_is_somebody_elses_is_refused(course, grade, somebody_else):
    course.root.parents[0].chmod(0o755)
    course.reports.mkdir(mode=0o555)
    for path in (course.root, course.root / "gradebook.db"):
        os.chown(path, NOBODY, NOBODY)
    _let_through(course.root)
    somebody_else()
    expect_refusal(grade(course), str(course.reports), "Permission denied", "Give this account the permission")


def test_a_gradebook_that_cannot_be_written_to_is_refused(course, grade, somebody_else):
    os.chown(course.root, NOBODY, NOBODY)
    (course.root / "gradebook.db").chmod(0o444)
    _let_through(course.root)
    somebody_else()
    expect_refusal(grade(course), "gradebook.db", "attempt to write a readonly database", "writable for this account")
    assert not course.reports.exists()


def _let_through(folder):
    """Let somebody else get to a course, whose lock was nobody's so far."""
    (folder / LOCK_FILE).unlink()
    for path in folder.parents:
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o711)


def test_a_locked_gradebook_is_refused_and_grading_goes_on_when_it_is_free(course, grade, template):
    other = sqlite3.connect(course.root / "gradebook.db")
    other.execute("BEGIN IMMEDIATE")
    expect_refusal(grade(course), "gradebook.db", "database is locked", "close it (formgrader")
    other.rollback()
    other.close()
    expect_all_graded(course, grade, template)


def test_a_gradebook_that_is_locked_half_way_keeps_what_is_recorded(course, grade, template, monkeypatch):
    """Another program locks it just as the second student is to be recorded."""
    from autograder import grade_class as classroom

    other = sqlite3.connect(course.root / "gradebook.db")
    came = []

    def record(course, submission, record=classroom.record):
        came.append(submission.student)
        if len(came) == 2:
            other.execute("BEGIN IMMEDIATE")
        record(course, submission)

    with monkeypatch.context() as patched:
        patched.setattr(classroom, "record", record)
        expect_refusal(grade(course), "database is locked", "What was recorded before is kept")
    other.rollback()
    other.close()
    first, second = came
    assert (course.reports / first / "recorded.sha256").exists()
    assert not (course.reports / second / "recorded.sha256").exists() and not course.autograded(second).exists()
    expect_all_graded(course, grade, template)


@pytest.mark.parametrize("spoil", [lambda data: b"no database" * 999, lambda data: data[:5000] + bytes(90000)])
def test_a_damaged_gradebook_is_refused_and_not_touched(course, grade, spoil):
    path = course.root / "gradebook.db"
    path.write_bytes(spoil(path.read_bytes()))
    damaged = path.read_bytes()
    expect_refusal(grade(course), "gradebook.db", "It is damaged: put a backup in its place")
    assert path.read_bytes() == damaged


def test_a_half_made_gradebook_is_completed(course, grade, template):
    """As nbgrader leaves it where it is killed between making the tables and writing down their version."""
    from autograder.release.publish import publish

    path = course.root / "gradebook.db"
    path.unlink()
    with sqlite3.connect(path) as half:
        half.execute("CREATE TABLE course (id VARCHAR(128) NOT NULL, PRIMARY KEY (id))")
    half.close()
    publish(course, course.manifest)
    with sqlite3.connect(path) as made:
        assert len(made.execute("SELECT version_num FROM alembic_version").fetchall()) == 1
    made.close()
    expect_all_graded(course, grade, template)


def test_a_file_in_the_place_of_the_reports_is_refused(course, grade):
    course.reports.write_text("a file")
    expect_refusal(grade(course), str(course.reports), "File exists", "move it away")


def test_a_file_in_the_place_of_one_students_report_is_that_students_problem_alone(course, grade, template):
    course.reports.mkdir()
    (course.reports / "ben").write_text("a file")
    code, said = grade(course)
    assert code == 3 and "some submissions were not recorded" in said
    assert (course.reports / "ann" / "recorded.sha256").exists()
    (course.reports / "ben").unlink()
    expect_all_graded(course, grade, template)


def test_a_damaged_secret_is_refused(course, grade):
    (course.root / ".grading-secret").write_text("")
    code, _said = grade(course)
    assert code == 3 and (course.root / ".grading-secret").read_text() == ""


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere"), os.mkfifo])
def test_what_lies_in_the_place_of_the_secret_is_refused(tmp_path, make):
    from autograder.runtime.secret import SECRET_FILE, find_secret, load_secret

    make(tmp_path / SECRET_FILE)
    for read in (load_secret, find_secret):
        with pytest.raises(KitError, match=f"{SECRET_FILE} is damaged"):
            read(tmp_path)


def test_a_shortage_stops_grading_and_nobody_gets_0_for_it(course, grade, template, monkeypatch):
    """No file can be opened any more just as a worker is to be started."""
    from autograder.sandbox import worker_client as student

    def start(*arguments, start=student.start_worker):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            return start(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    with monkeypatch.context() as short:
        short.setattr(student, "start_worker", start)
        expect_refusal(grade(course), "Too many open files", "ulimit -n")
    expect_all_graded(course, grade, template)


def test_a_hand_in_that_cannot_be_opened_for_a_shortage_is_not_graded_without(course):
    from autograder.course.report_store import read_student_submission

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert course.students() == list(CLASS)  # its configuration is read
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(StorageError, match="Too many open files"):
            read_student_submission(course, "ben")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_the_grader_failed_at_is_told_and_judged_again(course, grade, template, monkeypatch):
    from autograder.checking.criteria import Criterion
    from tests.kit import PACK

    def broken(trial):
        raise ZeroDivisionError

    with monkeypatch.context() as bug:
        bug.setitem(PACK.criteria, "dropout_forward", [Criterion("broken", 1, broken, "A check with a bug.")])
        code, said = grade(course)
    assert code == 3 and "of ann, ben were not judged" in said and "Run the same command again" in said
    expect_all_graded(course, grade, template)


def edit_report(student):
    text = (student / "report.json").read_text(encoding="utf-8")
    assert '"points": ' in text
    (student / "report.json").write_text(text.replace('"points": ', '"points": 1', 1), encoding="utf-8")


def replace_report(student):
    (student / "report.json").unlink()
    os.mkfifo(student / "report.json")


def damage_note(student):
    (student / "recorded.sha256").write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("spoils", [(edit_report, replace_report), (damage_note, None)])
def test_what_was_edited_or_damaged_among_the_reports_is_made_again(template, tmp_path, grade, spoils):
    shutil.copytree(template[0].with_name("undisturbed"), tmp_path / "course")
    course = Course(tmp_path / "course")
    for student, spoil in zip(CLASS, spoils):
        if spoil:
            spoil(course.reports / student)
    expect_all_graded(course, grade, template)


def test_a_folder_in_the_place_of_the_gradebook_is_named(course, grade):
    (course.root / "gradebook.db").unlink()
    (course.root / "gradebook.db").mkdir()
    expect_refusal(grade(course), "gradebook.db", "It is a folder: move it away")


def test_a_full_temporary_folder_is_named(course, grade, template, mount, tmp_path, monkeypatch):
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", place)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    filler = place / "filler"
    filler.write_bytes(bytes(os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - 16384))
    expect_refusal(grade(course), f"temporary folder {place}", "(TMPDIR)", "No space left on device")
    filler.unlink()
    expect_all_graded(course, grade, template)
