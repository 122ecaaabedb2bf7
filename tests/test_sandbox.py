"""What student code can see and do inside the sandbox: as little as possible, in both isolations."""

import errno
import fcntl
import os
import platform
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from autograder import sandbox
from autograder.errors import SANDBOX, KitError, SandboxUnavailable
from autograder.landlock import MAX_HOME
from autograder.questions import Limits
from autograder.sandbox import (
    BUBBLEWRAP,
    ENVIRONMENT,
    ISOLATIONS,
    LANDLOCK,
    PLAIN,
    choose_isolation,
    start_worker,
    stop_worker,
)
from autograder.student import Student, StudentError
from autograder.visible import KIT
from autograder.worker import seccomp

CODE = """
import os, resource, signal, socket, subprocess, time
import numpy as np

def environment(): return dict(os.environ)
def listed(path): return sorted(os.listdir(path))
def read(path): return open(path).read()
def write(path): open(path, "w").write("x"); return True
def write_much(path, mb):
    with open(path, "wb") as file:
        for _ in range(mb): file.write(bytes(1 << 20))
def open_many(): return len([open("/dev/null") for _ in range(100)])
def identity(): return [os.getpid(), os.getuid(), os.getcwd()]
def capabilities(): return [line for line in open("/proc/self/status") if line.startswith("Cap")]
def processes(): return [int(name) for name in os.listdir("/proc") if name.isdigit()]
def interfaces(): return [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line]
def fork(): return os.fork()
def run(): return subprocess.run(["/bin/true"]).returncode
def execute(): os.execv("/bin/true", ["true"])
def connect(): return socket.create_connection(("127.0.0.1", 9)) and None
def pair(): return socket.socketpair() and None
def kill_parent(): os.kill(os.getppid(), signal.SIGKILL)
def kill_all(): os.kill(-1, signal.SIGTERM)
def allocate(mb): return float(np.ones(mb << 17).sum())
def burn():
    while True: pass
def descriptors():
    numbers = sorted(map(int, os.listdir("/proc/self/fd")))[:-1]  # the last one lists the folder itself
    return {str(number): os.readlink(f"/proc/self/fd/{number}") for number in numbers}
def mounts(): return [line.split()[4:6] for line in open("/proc/self/mountinfo")]
def status(name): return [line.split()[1] for line in open("/proc/self/status") if line.startswith(name + ":")][0]
def system_call(number, *arguments):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    return [libc.syscall(number, *arguments), ctypes.get_errno()]
def change_mode(): os.chmod(__file__, 0o777)
def change_times(): os.utime(__file__, (0, 0))
def truncate(): os.truncate(__file__, 0)
def renice(): os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
def limit_parent(): resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))
def pin_parent(): os.sched_setaffinity(os.getppid(), {0})
def thread():
    import threading
    done = []
    threading.Thread(target=lambda: done.append(1)).start()
    while not done: time.sleep(0.001)
    return len(done)
"""
LIMITS = Limits(cpu_seconds=1, wall_seconds=20, memory_mb=768)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    (folder / "probe.py").write_text(CODE)
    return folder


@pytest.fixture
def inside(bubblewrap, folder):
    """Call a function of the probe inside bubblewrap."""
    with Student(folder, LIMITS, bubblewrap) as student:
        yield lambda name, *args: student.call(f"probe:{name}", *args)


@pytest.fixture(params=["bubblewrap", "landlock", "plain"])
def either(request, folder):
    """The same in every isolation."""
    isolation = PLAIN if request.param == "plain" else request.getfixturevalue(request.param)
    with Student(folder, LIMITS, isolation) as student:
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
        # An interpreter that lies below this folder is there too, and nothing beside it.
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
        with pytest.raises(StudentError, match="FileNotFoundError"):
            inside("listed", str(KIT / name))

    def test_is_nothing_of_a_course_around_the_kit(self, bubblewrap, folder):
        with Student(folder, LIMITS, bubblewrap, hidden=[KIT.parent]) as student:
            with pytest.raises(StudentError, match="FileNotFoundError"):
                student.call("probe:listed", str(KIT / "assignment2"))

    def test_is_nothing_of_a_course_inside_the_interpreter(self, bubblewrap, folder):
        course = Path(np.__file__).parent / "tests"  # some folder that would be visible
        assert any(course.iterdir())
        with Student(folder, LIMITS, bubblewrap, hidden=[course]) as student:
            assert student.call("probe:listed", str(course)) == []

    def test_of_open_files_are_the_judges_pipes_and_nothing_else(self, either):
        kinds = [path.split(":")[0] for path in either("descriptors").values()]
        assert kinds == ["/dev/null", "pipe", "pipe", "pipe", "pipe"]  # 0, what is printed twice, requests, replies

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
        with pytest.raises(StudentError, match="Read-only file system|Permission denied"):
            inside("write", path)
        assert inside("write", "/home/x") and inside("write", "/tmp/x")

    @pytest.mark.parametrize("name", ["fork", "run", "execute", "connect", "pair", "kill_parent", "kill_all"])
    def test_is_no_system_call_that_no_answer_needs(self, either, name):
        with pytest.raises(StudentError, match="PermissionError") as error:
            either(name)
        assert error.value.verdict == "forbidden"

    @pytest.mark.skipif(platform.machine() not in seccomp._MACHINES, reason="no system call filter for this processor")
    def test_is_no_system_call_of_the_list_of_refused_ones(self, either):
        column, minus_one = seccomp._MACHINES.index(platform.machine()), (-1,) * 5
        numbers = {name: number[column] for name, number in seccomp._REFUSED.items() if number[column] is not None}
        found = {name: either("system_call", number, *minus_one) for name, number in numbers.items()}
        assert {name for name, (_, error) in found.items() if error != errno.EPERM} == set()
        for name, number in seccomp._ON_ITSELF.items():
            assert either("system_call", number[column], 1) == [-1, errno.EPERM], name
        for command in seccomp._REFUSED_COMMANDS:
            assert either("system_call", seccomp._FCNTL[platform.machine()], 0, command, 1) == [-1, errno.EPERM]
        assert either("system_call", seccomp._FCNTL[platform.machine()], 0, fcntl.F_GETFD)[0] in (0, 1)
        assert either("status", "Seccomp") == "2" and either("status", "NoNewPrivs") == "1"

    def test_is_to_start_threads(self, either):
        assert either("thread") == 1

    def test_is_no_use_of_more_memory_than_allowed(self, either):
        assert either("allocate", 100) == 100 << 17
        with pytest.raises(StudentError) as error:
            either("allocate", 10_000)
        assert error.value.verdict == "memory"

    def test_is_no_use_of_more_processor_time_than_allowed(self, either):
        with pytest.raises(StudentError, match="used up its 1 s of processor time") as error:
            either("burn")
        assert error.value.verdict == "timeout"

    def test_is_no_writing_of_large_files(self, either, tmp_path, request):
        paths = {"bubblewrap": "/tmp/large", "landlock": "large", "plain": str(tmp_path / "large")}
        path = paths[request.node.callspec.params["either"]]
        either("write_much", path, 1)
        with pytest.raises(StudentError, match="File too large|No space left|process ended|crashed"):
            either("write_much", path, 65)

    def test_is_no_opening_of_many_files(self, either):
        with pytest.raises(StudentError, match="Too many open files"):
            either("open_many")


class TestUnderLandlock:
    @pytest.fixture
    def within(self, landlock, folder):
        with Student(folder, LIMITS, landlock) as student:
            yield lambda name, *args: student.call(f"probe:{name}", *args)

    @pytest.mark.parametrize(
        "path", ["/etc/passwd", "/proc/1/environ", "{parent}/mem", "{parent}/environ", "/proc/self/root/etc/passwd"]
    )
    def test_no_file_of_others_can_be_read(self, within, path):
        with pytest.raises(StudentError, match="Permission denied"):
            within("read", path.format(parent=f"/proc/{os.getpid()}"))

    @pytest.mark.parametrize("path", ["/", "/tmp", "/proc", "/dev/shm", KIT, KIT / "autograder", Path.home()])
    def test_no_folder_of_others_can_be_listed(self, within, path):
        with pytest.raises(StudentError, match="Permission denied"):
            within("listed", str(path))

    @pytest.mark.parametrize("name", ["assignment2/questions.toml", "autograder/judge.py", "nbgrader_config.py"])
    def test_nothing_of_the_kit_can_be_read(self, within, name):
        assert (KIT / name).is_file()
        with pytest.raises(StudentError, match="Permission denied"):
            within("read", str(KIT / name))

    def test_a_secret_inside_the_interpreter_cannot_be_read_and_what_lies_beside_it_can(self, landlock, folder):
        package = Path(np.__file__).parent
        with Student(folder, LIMITS, landlock, hidden=[package / "tests"]) as student:
            assert student.call("probe:read", str(package / "version.py"))
            with pytest.raises(StudentError, match="Permission denied"):
                student.call("probe:read", str(package / "tests" / "__init__.py"))

    def test_it_can_write_in_its_home_and_nowhere_else(self, within, folder, tmp_path):
        assert within("write", "mine") and within("read", "mine") == "x"
        for path in (folder / "probe.py", folder / "new", tmp_path / "new", "/tmp/of-mine", "/dev/shm/of-mine"):
            with pytest.raises(StudentError, match="Permission denied"):
                within("write", str(path))

    def test_its_home_is_empty_at_first_and_gone_afterwards(self, landlock, folder):
        with Student(folder, LIMITS, landlock) as student:
            home = Path(student.call("probe:identity")[2])
            assert student.call("probe:listed", ".") == [] and home.is_dir()
        assert not home.exists()

    def test_what_it_may_write_is_bounded_in_all(self, landlock, folder):
        with Student(folder, LIMITS, landlock) as student:
            with pytest.raises(StudentError, match="wrote more to disk") as error:
                for number in range(40):
                    student.call("probe:write_much", f"file{number}", MAX_HOME >> 23)
                    time.sleep(0.1)
        assert error.value.verdict == "forbidden"

    def test_it_has_no_capability_but_perhaps_to_read_and_a_user_of_its_own(self, within):
        read_search = 1 << 2
        held = {line.split(":")[0]: int(line.split()[1], 16) for line in within("capabilities")}
        assert held["CapEff"] in (0, read_search) and held["CapPrm"] in (0, read_search) and held["CapInh"] == 0
        assert (within("identity")[1] == os.geteuid()) == (os.geteuid() != 0)

    def test_two_workers_are_two_users(self, landlock, folder):
        if os.geteuid() != 0:
            pytest.skip("only root can give a worker a user of its own")
        with Student(folder, LIMITS, landlock) as one, Student(folder, LIMITS, landlock) as other:
            assert one.call("probe:identity")[1] != other.call("probe:identity")[1]

    @pytest.mark.parametrize(
        "name", ["change_mode", "change_times", "truncate", "renice", "limit_parent", "pin_parent"]
    )
    def test_nothing_of_others_can_be_changed(self, within, name):
        with pytest.raises(StudentError, match="PermissionError"):
            within(name)


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

    def test_refuses_a_sandbox_that_is_none(self):
        with pytest.raises(KitError, match="There are: bubblewrap, landlock, plain"):
            choose_isolation("docker")


def test_a_worker_lives_in_a_session_of_its_own_and_is_gone_after_stop(folder, isolation):
    process = start_worker(folder, LIMITS, isolation)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    stop_worker(process)
    assert process.returncode is not None and process.stdin.closed and process.stdout.closed
    stop_worker(process)


@pytest.mark.parametrize("name", ISOLATIONS)
def test_a_busy_worker_dies_with_a_grader_that_is_killed(name, request, folder):
    if name != "plain":
        request.getfixturevalue(name)
    grader = textwrap.dedent(f"""
        import os, signal, threading
        from pathlib import Path
        from autograder.questions import Limits
        from autograder.sandbox import ISOLATIONS
        from autograder.student import Student
        with Student(Path({str(folder)!r}), Limits(60, 60, 768), ISOLATIONS[{name!r}]) as student:
            student.call("probe:thread")
            print(student._process.pid, flush=True)
            threading.Timer(1, os.kill, (os.getpid(), signal.SIGKILL)).start()
            student.call("probe:burn")
    """)
    run = subprocess.run([sys.executable, "-c", grader], cwd=KIT, capture_output=True, text=True, timeout=60)
    command = Path(f"/proc/{int(run.stdout)}/cmdline")
    for _ in range(100):
        if not command.exists() or not command.read_bytes():  # gone, or dead and not yet buried
            return
        time.sleep(0.1)
    pytest.fail("the worker is still there 10 s after the grader was killed")
