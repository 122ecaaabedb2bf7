"""Commands that are killed, stopped or started twice. `python -m tests.kills` kills many more times than this."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from autograder.course.report_store import read_student_submission
from autograder.errors import Interrupted
from autograder.grade_class import grade_class
from autograder.runtime.locks import LOCK_FILE, lock_folder
from autograder.runtime.signals import block_terminal_signals, handle_stop_signals
from autograder.runtime.temporary import SCRATCH_NOTE, use_scratch_folder
from tests.kills.running import alive

pytestmark = pytest.mark.uncounted

ROOT = Path(__file__).resolve().parents[1]
ENDLESS = """

def relu_forward(x):
    import time
    time.sleep(3600)
"""
HOLD = """
import sys
from autograder.runtime.locks import lock_folder
with lock_folder(sys.argv[1], "autograder grade"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_killed_at_random_moments_a_command_ends_as_if_nothing_had_been():
    command = [sys.executable, "-m", "tests.kills", "--times", "1"]
    command += ["--what", "grade", "--what", "release", "--what", "collect"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    for what in ("grade", "release", "collect"):
        assert f"{what}: killed 1 times" in run.stdout


@pytest.fixture
def holder():
    """A function that has another process hold the lock of a folder until it reads a line; returns that process."""
    started = []

    def hold(folder):
        command, pipe = [sys.executable, "-c", HOLD, str(folder)], subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield hold
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", [["grade"], ["collect", "downloads"], ["release"]])
def test_a_second_command_is_refused_and_told_by_whom(course, run_cli, holder, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    course.submitted("ann").mkdir(parents=True)
    (tmp_path / "downloads").mkdir()
    other = holder(course.root)
    code, _, said = run_cli(*command, "--course", course.root)
    assert code == 6
    assert f"`autograder grade` (process {other.pid}, since " in said and "or with --wait" in said
    assert sorted(path.name for path in course.root.iterdir()) == [LOCK_FILE, "nbgrader_config.py", "submitted"]


def test_nbgraders_own_autograde_is_refused_too(tmp_path, make_course, hand_in, holder):
    course = make_course(tmp_path)
    hand_in(course, "ann", "missing_everything")
    holder(course.root)
    command = [sys.executable, "-m", "nbgrader", "autograde", "assignment2"]
    run = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
    assert run.returncode and "one command at a time changes a course" in run.stderr
    assert not course.autograded("ann").exists() and not course.reports.exists()


def test_a_second_command_may_wait(tmp_path, holder):
    other, said = holder(tmp_path), []

    def waits(sentence):
        said.append(sentence)
        other.stdin.write("\n")
        other.stdin.flush()

    with lock_folder(tmp_path, "autograder grade", waits):
        assert other.wait() == 0
    assert len(said) == 1 and f"waiting until `autograder grade` (process {other.pid}" in said[0]


def test_a_killed_command_leaves_no_lock(tmp_path, holder):
    other = holder(tmp_path)
    other.kill()
    other.wait()
    with lock_folder(tmp_path, "autograder grade"), lock_folder(tmp_path, "autograder collect"):
        assert f'"pid": {os.getpid()}' in (tmp_path / LOCK_FILE).read_text()
    assert (tmp_path / LOCK_FILE).read_text() == ""


def test_temporary_files_of_a_killed_run_are_removed_by_the_next(tmp_path):
    before = tempfile.gettempdir()
    left = Path(before) / f"autograder-{'0' * 32}"
    (left / "submission-1").mkdir(parents=True)
    (tmp_path / SCRATCH_NOTE).write_text(str(left))
    with use_scratch_folder(tmp_path):
        inside = Path(tempfile.mkdtemp())
        assert inside.parent != left and not left.exists() and inside.parent.name.startswith("autograder-")
    assert not inside.parent.exists() and not (tmp_path / SCRATCH_NOTE).exists() and tempfile.gettempdir() == before


@pytest.mark.parametrize("noted", ["", "/", "/tmp", "autograder-" + "0" * 32 + "/..", "/etc/passwd", "\0"])
def test_only_a_folder_of_its_own_is_ever_removed(tmp_path, noted):
    (tmp_path / SCRATCH_NOTE).write_text(noted)
    with use_scratch_folder(tmp_path):
        pass
    assert Path("/tmp").is_dir() and Path("/etc/passwd").is_file()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_command_with_one_message(number, code):
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Interrupted, match=f"stopped by {number.name}. Nothing was written.") as stopped:
            with handle_stop_signals("Nothing was written."):
                os.kill(os.getpid(), number)
                signal.pause()
        assert stopped.value.exit_code == code and signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)
        with handle_stop_signals("Nothing was written."):
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_of_the_terminal_does_not_reach_a_process_that_is_started_while_it_is_blocked(number):
    with block_terminal_signals():
        process = subprocess.Popen(
            ["sh", "-c", "kill -$0 $$; read line; exit 7", number.name[3:]], stdin=subprocess.PIPE
        )
    process.communicate(b"\n")
    assert process.returncode == 7


@pytest.fixture
def judging(tmp_path, make_course, hand_in):
    """A function that starts `autograder grade` and returns it as soon as two judges are at work, with loops that end
    by a limit, after several seconds.
    """
    started = []

    def start():
        course = make_course(tmp_path / "course")
        for student in ("ada", "ben"):
            with open(hand_in(course, student, "passed_reference") / "cs231n" / "layers.py", "a") as layers:
                layers.write(ENDLESS)
        command = [sys.executable, "-m", "autograder", "grade", "--jobs", "2", "--course", str(course.root)]
        environment, pipe = os.environ | {"TMPDIR": str(tmp_path)}, subprocess.PIPE
        options = {"env": environment, "stderr": pipe, "text": True, "start_new_session": True, "preexec_fn": _heed}
        started.append(subprocess.Popen(command, cwd=ROOT, **options))
        while len([*tmp_path.glob("autograder-*/submission-*/cs231n")]) < 2:
            assert started[-1].poll() is None, started[-1].stderr.read()
            time.sleep(0.05)
        return course, started[-1]

    yield start
    for run in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_says_how_it_goes_on_and_leaves_no_process(judging, tmp_path, number, code):
    """The signal goes to the whole process group, as from a terminal, while two judges are at work."""
    course, run = judging()
    os.killpg(run.pid, number)
    _, said = run.communicate(timeout=600)
    assert run.returncode == code
    assert said.strip().splitlines()[-1].startswith(f"autograder: stopped by {number.name}. What is graded is kept")
    assert "Traceback" not in said
    assert not [*tmp_path.glob(f"autograder-{'?' * 32}")] and still_alive(str(tmp_path)) == []
    assert not any(path.suffix == ".aside" for path in course.root.rglob("*"))


def still_alive(*arguments, **options):
    """Return the processes that are there after a while; the kernel takes its time to end them."""
    end = time.monotonic() + 120
    while (left := alive(*arguments, **options)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def _heed():
    """In the background of a script SIGINT is ignored, under nohup SIGHUP, and would be by whatever is started."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_judges_whose_grader_is_gone_end_by_themselves(judging, tmp_path):
    """Killed alone, not with its process group."""
    _, run = judging()
    run.kill()
    run.wait()
    assert still_alive(str(tmp_path), group=run.pid) == []


def test_a_half_recorded_student_is_recorded_again(tmp_path, make_course, hand_in, monkeypatch):
    """Recorded once, half recorded the second time: what the first time left must not count as done."""
    from autograder.course import gradebook

    course = make_course(tmp_path)
    hand_in(course, "ben", "missing_half")
    grade_class(course, jobs=1)
    notebook = course.autograded("ben") / "FullyConnectedNets.ipynb"

    def half(*_):
        notebook.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(gradebook, "autograde", half)
        with pytest.raises(KeyboardInterrupt):
            gradebook.record(course, read_student_submission(course, "ben"))
    assert not notebook.exists()
    assert [graded.problem for graded in grade_class(course, jobs=1)] == [""]
    assert notebook.exists()
