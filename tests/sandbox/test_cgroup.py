"""A control group limits the memory that a process uses, from its first instruction, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from autograder.assignment.manifest import Limits
from autograder.sandbox import cgroup
from autograder.sandbox.worker_client import CallError, WorkerClient

PROBE = """
import mmap
import numpy as np
KEPT = []
def reserve(mb): KEPT.append(mmap.mmap(-1, mb << 20)); return mb
def touch(mb): return float(np.ones(mb << 17).sum())
"""
LIMITS = Limits(cpu_seconds=20, wall_seconds=60, memory_mb=96, memory_factor=4)


@pytest.fixture
def group():
    """A function that makes a group; each is gone after the test."""
    if reason := cgroup.why_not():
        pytest.skip(reason)
    made = []

    def make(limit_mb):
        made.append(cgroup.make(limit_mb))
        return made[-1]

    yield make
    for one in made:
        one.remove()
        assert not one.path.exists()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "probe.py").write_text(PROBE)
    return tmp_path


def python(code):
    return [sys.executable, "-I", "-S", "-c", code]


class TestAGroup:
    def test_kills_what_takes_more_and_says_so(self, group):
        of_32 = group(32)
        assert subprocess.run(of_32.command(python("bytearray(100 << 20)"))).returncode == -9
        assert of_32.was_exhausted()

    def test_lets_less_be(self, group):
        of_64 = group(64)
        assert subprocess.run(of_64.command(python("bytearray(20 << 20)"))).returncode == 0
        assert not of_64.was_exhausted()

    def test_counts_all_processes_in_it_together(self, group):
        of_64 = group(64)
        child = "import os, sys; pid = os.fork(); kept = b'x' * (40 << 20); pid and sys.exit(os.wait()[1] != 0)"
        assert subprocess.run(of_64.command(python(child))).returncode != 0
        assert of_64.was_exhausted()

    def test_holds_a_process_from_the_start_and_passes_its_arguments_on(self, group):
        one = group(32)
        code = "import sys; print(open('/proc/self/cgroup').read(), sys.argv[1:])"
        run = subprocess.run([*one.command(python(code)), "a b", "$c"], capture_output=True, text=True, check=True)
        assert f"/{one.path.name}\n" in run.stdout and "['a b', '$c']" in run.stdout

    def test_starts_nothing_that_it_cannot_hold(self, group):
        one = group(32)
        one.remove()
        assert subprocess.run(one.command(["true"]), capture_output=True).returncode != 0

    def test_ends_what_is_left_in_it_and_goes(self, group):
        one = group(32)
        with subprocess.Popen(one.command(["sleep", "60"])) as process:
            while not (one.path / "cgroup.procs").read_text():
                time.sleep(0.01)
            one.remove()
        assert process.returncode == -signal.SIGKILL and not one.path.exists()

    def test_of_a_grader_that_was_killed_is_taken_away_by_the_next(self, group):
        here = group(32).path
        gone = subprocess.run(python("import os; print(os.getpid())"), capture_output=True, text=True).stdout.strip()
        left = here.with_name(f"autograder-{gone}-0")
        left.mkdir()
        cgroup._remove_abandoned(here.parent)
        assert left.exists(), "it may just have been made"
        past = time.time() - 3600
        os.utime(left, (past, past))
        cgroup._remove_abandoned(here.parent)
        assert here.exists() and not left.exists()


class TestAStudent:
    def test_who_uses_more_than_allowed_gets_the_verdict_memory(self, group, folder, isolation):
        with WorkerClient(folder, LIMITS, isolation) as student:
            assert student.call("probe:touch", 16) == 16 << 17
            with pytest.raises(CallError) as error:
                student.call("probe:touch", 200)
            assert error.value.verdict == "memory"
            assert "touch took more memory than there is. This question has 96 MB of memory; " in str(error.value)
            assert "the reference takes less than 24 MB here" in str(error.value)
            assert student.call("probe:touch", 1) == 1 << 17, "the next call has a new worker"

    def test_may_reserve_address_space_that_is_never_used(self, group, folder, isolation):
        with WorkerClient(folder, LIMITS, isolation) as student:
            assert student.call("probe:reserve", 200) == 200

    def test_leaves_no_group_behind(self, group, folder, isolation):
        parent = group(32).path.parent

        def ours():
            return set(parent.glob(f"{cgroup._PREFIX}{os.getpid()}-*"))

        before = ours()
        with WorkerClient(folder, LIMITS, isolation) as student:
            student.call("probe:touch", 1)
            assert len(ours() - before) == 1
        assert ours() == before

    def test_has_an_address_space_of_that_size_where_there_is_no_group(self, folder, isolation, monkeypatch):
        monkeypatch.setattr(cgroup, "make", lambda _: None)
        with WorkerClient(folder, Limits(20, 60, 96, address_mb=300), isolation) as student:
            assert student.call("probe:touch", 16) == 16 << 17
            with pytest.raises(
                CallError,
                match="touch took more memory than there is. This question has 300 MB .* It raised .*MemoryError",
            ) as error:
                student.call("probe:touch", 400)
        assert error.value.verdict == "memory"


class TestWhereGroupsAreMade:
    """The kernel's text and the mounted folders as the two versions of cgroups have them."""

    @pytest.fixture
    def mounted(self, tmp_path):
        def mount(path, handed_on=None):
            folder = tmp_path / path
            folder.mkdir(parents=True)
            if handed_on is not None:
                (folder / "cgroup.subtree_control").write_text(handed_on + "\n")
            return folder

        return mount

    def test_is_this_process_s_own_group_in_version_1(self, mounted, tmp_path):
        own = mounted("memory/session/7")
        text = "9:name=systemd:/\n4:cpu,cpuacct:/session\n3:memory:/session/7\n0::/\n"
        assert cgroup.find_parent(text, tmp_path) == (own, cgroup.V1)

    def test_is_the_nearest_that_hands_memory_on_in_version_2(self, mounted, tmp_path):
        slice_ = mounted("user.slice/app.slice", "cpu memory pids")
        mounted("user.slice/app.slice/run-1.scope", "")
        assert cgroup.find_parent("0::/user.slice/app.slice/run-1.scope\n", tmp_path) == (slice_, cgroup.V2)

    @pytest.mark.parametrize("text", ["", "0::/session\n", "3:memory:/elsewhere\n", "0::/../../session\n"])
    def test_is_nowhere_without_a_memory_controller(self, mounted, tmp_path, text):
        mounted("session", "cpu pids")
        assert cgroup.find_parent(text, tmp_path) is None

    def test_is_said_to_be_nowhere(self, monkeypatch, tmp_path):
        for found, says in [(None, "no control group of this process"), ((tmp_path / "x", cgroup.V1), "made")]:
            monkeypatch.setattr(cgroup, "_parent", lambda found=found: found)
            assert says in cgroup.why_not.__wrapped__()

    def test_is_not_where_a_limit_is_not_kept(self, monkeypatch, tmp_path):
        """An ordinary folder takes the files, and kills nobody."""
        monkeypatch.setattr(cgroup, "_parent", lambda: (tmp_path, cgroup.V2))
        monkeypatch.setattr(cgroup, "_remove", lambda path: True)
        assert "does not hold (a process took 48 MB of 24)" in cgroup.why_not.__wrapped__()
