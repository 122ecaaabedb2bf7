"""Everything that student code can see and do inside each sandbox: as little as possible."""

import errno
import fcntl
import os
import platform
import site
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder.errors import SANDBOX, KitError, SandboxUnavailable
from autograder.runtime.paths import KIT
from autograder.sandbox import isolation as sandbox
from autograder.sandbox import worker_process
from autograder.sandbox.exit_reason import MAX_HOME_FILES, MAX_HOME_MB, HomeUsage, make_disk_reason, make_time_reason
from autograder.sandbox.host_paths import list_exposed_paths
from autograder.sandbox.isolation import BUBBLEWRAP, ISOLATIONS, LANDLOCK, PLAIN, choose_isolation
from autograder.sandbox.worker import seccomp
from autograder.sandbox.worker_client import CallError, WorkerClient
from autograder.sandbox.worker_process import ENVIRONMENT, WorkerOptions, start_worker
from tests.probe import CODE, LIMITS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    (folder / "probe.py").write_text(CODE)
    return folder


@pytest.fixture
def inside(bubblewrap, folder):
    """Call a function of the probe inside bubblewrap."""
    with WorkerClient(folder, LIMITS, bubblewrap) as student:
        yield lambda name, *args: student.call(f"probe:{name}", *args)


@pytest.fixture(params=["bubblewrap", "landlock", "plain"])
def either(request, folder):
    """The same in every isolation."""
    isolation = PLAIN if request.param == "plain" else request.getfixturevalue(request.param)
    with WorkerClient(folder, LIMITS, isolation) as student:
        yield lambda name, *args: student.call(f"probe:{name}", *args)


class TestWhatCanBeSeen:
    def test_at_the_root_is_the_system_the_worker_and_the_submission(self, inside):
        # Beside these there are only empty folders on the way to the Python interpreter.
        interpreter = {os.path.realpath(path).split("/")[1] for path in (sys.prefix, sys.base_prefix)}
        interpreter |= {path.split("/")[1] for path in (sys.prefix, sys.base_prefix)}
        expected = {"kit", "submission", "home", "tmp", "proc", "dev", "etc", "usr"} | interpreter
        system = {"lib", "lib32", "lib64", "bin", "sbin"}
        assert expected <= set(inside("listed", "/")) <= expected | system

    @pytest.mark.parametrize(
        "path, names",
        [("/home", []), ("/tmp", []), ("/etc", ["ld.so.cache"]), ("/kit", ["worker"]), ("/submission", ["probe.py"])],
    )
    def test_in_a_folder_is_nothing_else(self, inside, path, names):
        # An interpreter below this folder is there too, and nothing next to it.
        prefixes = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix)]
        on_the_way = {prefix.relative_to(path).parts[0] for prefix in prefixes if prefix.is_relative_to(path)}
        assert set(inside("listed", path)) - on_the_way == set(names)

    def test_of_the_environment_is_what_the_sandbox_set(self, inside, monkeypatch):
        monkeypatch.setenv("TOKEN", "secret")
        assert inside("environment") == ENVIRONMENT | {"PWD": "/home"}

    def test_of_other_processes_is_none(self, inside):
        pid, uid, cwd = inside("identity")
        assert set(inside("processes")) <= {1, pid} and uid == 1000 and cwd == "/home"

    def test_of_the_network_is_nothing_but_the_loopback(self, inside):
        assert inside("interfaces") == ["lo"]

    def test_are_no_capabilities(self, inside):
        assert all(int(line.split()[1], 16) == 0 for line in inside("capabilities"))

    @pytest.mark.parametrize("name", ["assignment2", "autograder", "tests", "source_notebooks", "nbgrader_config.py"])
    def test_is_nothing_of_the_kit_even_where_the_interpreter_lies_in_it(self, inside, name):
        with pytest.raises(CallError, match="FileNotFoundError"):
            inside("listed", str(KIT / name))

    def test_is_nothing_of_a_course_around_the_kit(self, bubblewrap, folder):
        with WorkerClient(folder, LIMITS, bubblewrap, WorkerOptions(hidden=[KIT.parent])) as student:
            with pytest.raises(CallError, match="FileNotFoundError"):
                student.call("probe:listed", str(KIT / "assignment2"))

    def test_is_nothing_of_a_course_inside_the_interpreter(self, bubblewrap, folder):
        course = Path(np.__file__).parent / "tests"  # some folder that would be visible
        assert any(course.iterdir())
        with WorkerClient(folder, LIMITS, bubblewrap, WorkerOptions(hidden=[course])) as student:
            assert student.call("probe:listed", str(course)) == []

    def test_of_open_files_are_the_judges_pipes_and_nothing_else(self, either):
        kinds = [path.split(":")[0] for path in either("descriptors").values()]
        assert kinds == ["/dev/null", "pipe", "pipe", "pipe", "pipe"]  # 0, what is printed twice, requests, replies

    @pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
    def test_of_the_machines_settings_none_can_be_written(self, name, request, folder):
        with WorkerClient(folder, LIMITS, request.getfixturevalue(name)) as student:
            assert student.call("probe:writable_settings") == []

    def test_of_what_is_mounted_only_two_small_folders_can_be_written_to(self, inside):
        writable = {point for point, options in inside("mounts") if "rw" in options.split(",")}
        assert {"/home", "/tmp"} <= writable
        # Devices to write to, /proc of its own processes, and empty covers of a few kB over what is secret.
        others = {point for point in writable - {"/home", "/tmp", "/proc"} if not point.startswith("/dev/")}
        assert all(any(Path(point) == Path(cover) for cover in (KIT, KIT / "autograder")) for point in others)


class TestWhatCanBeDone:
    @pytest.mark.parametrize(
        "path", ["/submission/probe.py", "/submission/new", "/kit/worker/main.py", "/new", "/usr/new"]
    )
    def test_is_no_writing_outside_home_and_tmp(self, inside, path):
        with pytest.raises(CallError, match="Read-only file system|Permission denied"):
            inside("write", path)
        assert inside("write", "/home/x") and inside("write", "/tmp/x")

    @pytest.mark.parametrize("name", ["fork", "run", "execute", "connect", "pair", "kill_parent", "kill_all"])
    def test_is_no_system_call_that_no_answer_needs(self, either, name):
        with pytest.raises(CallError, match="PermissionError") as error:
            either(name)
        assert error.value.verdict == "forbidden"

    @pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no system call filter for this processor")
    def test_is_no_system_call_of_the_list_of_refused_ones(self, either):
        numbers, minus_one = seccomp.read_numbers(platform.machine()), (-1,) * 5
        refused = {name: numbers[name] for name in seccomp.REFUSED if numbers[name] is not None}
        found = {name: either("system_call", number, *minus_one) for name, number in refused.items()}
        assert {name for name, (_, error) in found.items() if error != errno.EPERM} == set()
        for name in seccomp.ON_ITSELF:
            assert either("system_call", numbers[name], 1) == [-1, errno.EPERM], name
        number = numbers["fcntl"]
        for command in (fcntl.F_SETOWN, fcntl.F_SETSIG, fcntl.F_SETLEASE, fcntl.F_NOTIFY):
            assert either("system_call", number, 0, command, 1) == [-1, errno.EPERM]
        assert either("system_call", number, 0, fcntl.F_GETFD)[0] in (0, 1)
        set_flags = 0x40086602  # FS_IOC_SETFLAGS
        assert either("system_call", numbers["ioctl"], 0, set_flags, 0) == [-1, errno.EPERM]
        outlive_the_judge = (numbers["prctl"], seccomp.PARENT_DEATH_SIGNAL, 0)
        assert either("system_call", *outlive_the_judge) == [-1, errno.EPERM]
        with pytest.raises(CallError, match="PermissionError"):
            either("make_unseen_file")
        assert either("status", "Seccomp") == "2" and either("status", "NoNewPrivs") == "1"

    def test_is_to_start_threads(self, either):
        assert either("thread") == 1

    def test_is_no_use_of_more_memory_than_allowed(self, either):
        assert either("allocate", 100) == 100 << 17
        with pytest.raises(CallError) as error:
            either("allocate", 10_000)
        assert error.value.verdict == "memory"

    @pytest.mark.parametrize("name", ISOLATIONS)
    def test_is_no_use_of_more_processor_time_than_allowed(self, name, request, folder):
        isolation = PLAIN if name == "plain" else request.getfixturevalue(name)
        limits = replace(LIMITS, cpu_seconds=1)
        with WorkerClient(folder, limits, isolation) as student:
            with pytest.raises(CallError) as error:
                student.call("probe:burn")
        assert (error.value.verdict, str(error.value)) == ("timeout", make_time_reason("burn", limits).message)

    def test_is_no_writing_of_large_files(self, either, tmp_path, request):
        paths = {"bubblewrap": "/tmp/large", "landlock": "large", "plain": str(tmp_path / "large")}
        path = paths[request.node.callspec.params["either"]]
        either("write_much", path, 1)
        with pytest.raises(CallError) as error:
            either("write_much", path, MAX_HOME_MB + 6)
        assert error.value.verdict == "forbidden"
        assert str(error.value).startswith(make_disk_reason("write_much").message)

    def test_is_no_opening_of_many_files(self, either):
        with pytest.raises(CallError, match="Too many open files"):
            either("open_many")


WRITING = {
    "one file": [("write_much", "large", MAX_HOME_MB + 6)],
    "one file by NumPy": [("save_array", "large", MAX_HOME_MB + 6)],
    "one archive by NumPy": [("save_arrays", "large", MAX_HOME_MB - 4)],
    "some files": [("write_files", 8, MAX_HOME_MB // 8 + 2)],
    "many empty files": [("make_files", MAX_HOME_FILES + 1)],
}


class TestWritingTooMuch:
    """For every first limit and every sandbox: one verdict, one message."""

    @pytest.fixture(params=["bubblewrap", "landlock"])
    def sandboxed(self, request):
        return request.getfixturevalue(request.param)

    @pytest.fixture
    def reason_of(self, sandboxed, folder):
        """A function that makes a call and returns the verdict and the first two sentences of the message."""

        def find(limits, name, *arguments):
            with WorkerClient(folder, limits, sandboxed) as student:
                with pytest.raises(CallError) as error:
                    student.call(f"probe:{name}", *arguments)
                assert student.call("probe:thread") == 1, "the next call has a new worker and an empty home"
            return error.value.verdict, ". ".join(str(error.value).split(". ")[:2]).rstrip(".") + "."

        return find

    @pytest.fixture
    def nobody_looks(self, monkeypatch):
        """The grader counts at the end of a worker and after each answer, not in between."""
        monkeypatch.setattr(worker_process, "_WATCH_INTERVAL", 3600)

    @pytest.mark.parametrize("fault", WRITING)
    def test_ends_by_what_the_kernel_refuses_or_by_the_count_after_the_answer(self, reason_of, nobody_looks, fault):
        found = reason_of(LIMITS, "write_and", "return", *WRITING[fault])
        assert found == ("forbidden", make_disk_reason("write_and").message)

    @pytest.mark.parametrize("fault", ["one file", "one file by NumPy", "one archive by NumPy"])
    def test_ends_by_an_exception_of_the_students_code(self, reason_of, nobody_looks, fault):
        found = reason_of(LIMITS, "write_and", "raise", *WRITING[fault])
        assert found == ("forbidden", make_disk_reason("write_and").message)

    @pytest.mark.parametrize("fault", ["some files", "many empty files"])
    @pytest.mark.parametrize("then", ["sleep", "loop"])
    def test_ends_by_the_count_while_it_runs(self, reason_of, fault, then):
        found = reason_of(LIMITS, "write_and", then, *WRITING[fault])
        assert found == ("forbidden", make_disk_reason("write_and").message)

    def test_ends_by_processor_time(self, reason_of, nobody_looks, sandboxed):
        fault = "one file" if sandboxed is BUBBLEWRAP else "many empty files"
        found = reason_of(replace(LIMITS, cpu_seconds=2), "write_and", "loop", *WRITING[fault])
        assert found == ("forbidden", make_disk_reason("write_and").message)

    @pytest.mark.parametrize("fault", ["some files", "many empty files"])
    def test_ends_by_itself(self, reason_of, nobody_looks, fault):
        found = reason_of(LIMITS, "write_and", "exit", *WRITING[fault])
        assert found == ("forbidden", make_disk_reason("write_and").message)

    def test_ends_by_the_clock(self, sandboxed, folder, nobody_looks):
        with WorkerClient(folder, replace(LIMITS, wall_seconds=8), sandboxed) as student:
            with pytest.raises(CallError) as error:
                student.call("probe:write_and", "sleep", *WRITING["many empty files"])
        assert (error.value.verdict, str(error.value)) == ("forbidden", make_disk_reason("write_and").message)

    def test_ends_by_a_sparse_file_too(self, reason_of):
        found = reason_of(LIMITS, "write_sparse", "sparse")
        assert found == ("forbidden", make_disk_reason("write_sparse").message)

    def test_is_not_what_is_allowed(self, sandboxed, folder):
        number = MAX_HOME_MB // 8 - 1
        with WorkerClient(folder, LIMITS, sandboxed) as student:
            student.call("probe:write_files", 8, number)
            student.call("probe:make_files", MAX_HOME_FILES - number)
            assert student.call("probe:thread") == 1

    def test_is_not_what_bubblewrap_makes_for_an_interpreter_in_a_home(self, bubblewrap, folder, monkeypatch, tmp_path):
        """The interpreter may be in /home or in /tmp, where the worker gets an empty folder instead."""
        exposed = [*list_exposed_paths(), tmp_path]
        monkeypatch.setattr("autograder.sandbox.bubblewrap.list_exposed_paths", lambda: exposed)
        with WorkerClient(folder, LIMITS, bubblewrap) as student:
            assert student.call("probe:listed", str(tmp_path.parent)) == [tmp_path.name]
            assert student._process.home.usage() == HomeUsage(0, 0)


class TestChoosingAnIsolation:
    @pytest.fixture
    def without_bubblewrap(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        sandbox.why_not_bubblewrap.cache_clear()
        yield
        sandbox.why_not_bubblewrap.cache_clear()

    def test_takes_bubblewrap_where_it_works(self, bubblewrap):
        assert choose_isolation() == choose_isolation("bubblewrap") == BUBBLEWRAP and BUBBLEWRAP.strong

    def test_falls_back_to_landlock_and_says_so(self, without_bubblewrap, landlock):
        assert choose_isolation() == LANDLOCK and not LANDLOCK.strong
        assert LANDLOCK.text.startswith("WEAKER ISOLATION")

    def test_falls_back_to_a_plain_process_and_says_so(self, without_bubblewrap, monkeypatch):
        monkeypatch.setattr(sandbox, "why_not_landlock", lambda: "Landlock is a part of Linux")
        assert choose_isolation() == PLAIN and not PLAIN.strong
        assert PLAIN.text.startswith("WEAKER ISOLATION") and "apt install bubblewrap" in PLAIN.text

    def test_refuses_where_bubblewrap_is_required(self, without_bubblewrap):
        with pytest.raises(SandboxUnavailable, match=r"bubblewrap \(bwrap\) is not installed") as error:
            choose_isolation("bubblewrap")
        assert error.value.exit_code == SANDBOX

    def test_refuses_a_bubblewrap_that_does_not_work(self, without_bubblewrap, tmp_path):
        (tmp_path / "bwrap").write_text("#!/bin/sh\necho no user namespaces >&2\nexit 1\n")
        (tmp_path / "bwrap").chmod(0o755)
        with pytest.raises(SandboxUnavailable, match=r"does not work here \(no user namespaces\)"):
            choose_isolation("bubblewrap")

    def test_refuses_a_sandbox_in_which_a_worker_would_lack_numpy(self, bubblewrap, landlock, monkeypatch):
        monkeypatch.setattr(site, "getsitepackages", list)
        for why_not in (sandbox.why_not_bubblewrap, sandbox.why_not_landlock):
            why_not.cache_clear()
            try:
                assert "No module named" in why_not()
            finally:
                why_not.cache_clear()

    def test_refuses_a_sandbox_that_is_none(self):
        with pytest.raises(KitError, match="There are: bubblewrap, landlock, plain"):
            choose_isolation("docker")


def test_a_worker_lives_in_a_session_of_its_own_and_can_be_killed_and_closed_twice(folder, isolation):
    process = start_worker(folder, LIMITS, isolation)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    for _ in range(2):
        process.kill_all()
        process.close()
        assert process.returncode is not None and process.stdin.closed and process.stdout.closed


@pytest.mark.parametrize("name", ISOLATIONS)
def test_a_busy_worker_dies_with_a_grader_that_is_killed(name, request, folder):
    if name != "plain":
        request.getfixturevalue(name)
    grader = textwrap.dedent(f"""
        import os, signal, threading
        from pathlib import Path
        from autograder.assignment.manifest import Limits
        from autograder.sandbox.isolation import ISOLATIONS
        from autograder.sandbox.worker_client import WorkerClient
        with WorkerClient(Path({str(folder)!r}), Limits(60, 60, 768), ISOLATIONS[{name!r}]) as student:
            student.call("probe:thread")
            print(student._process.pid, flush=True)
            threading.Timer(1, os.kill, (os.getpid(), signal.SIGKILL)).start()
            student.call("probe:burn")
    """)
    run = subprocess.run([sys.executable, "-c", grader], cwd=KIT, capture_output=True, text=True, timeout=240)
    command = Path(f"/proc/{int(run.stdout)}/cmdline")
    for _ in range(1200):
        if not command.exists() or not command.read_bytes():  # gone, or dead and not yet buried
            return
        time.sleep(0.1)
    pytest.fail("the worker is still there 120 s after the grader was killed")
