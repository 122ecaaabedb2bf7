"""The table of system call numbers: made from headers, checked against them, and required by every worker."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.errors import KitError
from autograder.sandbox import syscall_table
from autograder.sandbox.host_paths import WORKER
from autograder.sandbox.syscall_table import find_headers, main, make_table, parse_header, parse_table
from autograder.sandbox.worker import seccomp

NEEDS_HEADERS = pytest.mark.skipif(find_headers() is None, reason="this machine has no headers of Linux")
GENERIC = """
#define __NR_mount 40
#define __NR3264_fcntl 25
#if __BITS_PER_LONG == 64
#define __NR_fcntl __NR3264_fcntl
#define __NR_stat __NR3264_stat
#else
#define __NR_fcntl64 __NR3264_fcntl
#endif
#undef __NR_syscalls
#define __NR_syscalls 451
"""


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The path of a copy of the table, which the command reads and writes in the place of the kit's own."""
    path = tmp_path / "syscalls.tbl"
    shutil.copyfile(seccomp.TABLE, path)
    monkeypatch.setattr(syscall_table, "TABLE", str(path))
    return path


class TestTheKitsTable:
    @NEEDS_HEADERS
    def test_is_up_to_date(self):
        main(["--check"])

    def test_has_every_call_that_the_filter_names_and_no_other(self):
        assert tuple(parse_table(Path(seccomp.TABLE).read_text())) == seccomp.NAMES
        assert len(set(seccomp.NAMES)) == len(seccomp.NAMES)

    @pytest.mark.parametrize("machine", seccomp.MACHINES)
    def test_gives_every_call_a_number_of_its_own(self, machine):
        numbers = [number for number in seccomp.read_numbers(machine).values() if number is not None]
        assert len(set(numbers)) == len(numbers) > 90

    def test_has_a_number_on_x86_64_for_every_call(self):
        assert None not in seccomp.read_numbers("x86_64").values()

    @pytest.mark.parametrize("name", ["execve", "socket", "ptrace", "fcntl", "clone", "openat", "prctl", "kill"])
    @pytest.mark.parametrize("machine", seccomp.MACHINES)
    def test_gives_the_calls_that_matter_most_a_number_everywhere(self, machine, name):
        assert seccomp.read_numbers(machine)[name]


class TestTheCommand:
    @NEEDS_HEADERS
    def test_finds_a_wrong_number_and_repairs_it(self, table):
        right = table.read_text()
        table.write_text(right.replace("\nexecve 59 221\n", "\nexecve 58 221\n"))
        with pytest.raises(SystemExit, match="out of date"):
            main(["--check"])
        assert table.read_text() != right
        main([])
        assert table.read_text() == right
        main(["--check"])

    @NEEDS_HEADERS
    def test_finds_a_call_that_the_table_lacks(self, table, monkeypatch):
        monkeypatch.setattr(syscall_table, "NAMES", (*seccomp.NAMES, "swapon"))
        with pytest.raises(SystemExit, match="out of date"):
            main(["--check"])
        main([])
        assert "\nswapon 167 224\n" in table.read_text()

    @NEEDS_HEADERS
    def test_names_a_misspelt_call(self, table, monkeypatch):
        monkeypatch.setattr(syscall_table, "NAMES", (*seccomp.NAMES, "exceve"))
        with pytest.raises(SystemExit, match="'exceve'"):
            main(["--check"])

    def test_says_what_to_install_without_headers(self, monkeypatch):
        monkeypatch.setattr(syscall_table, "_HEADERS", dict.fromkeys(seccomp.MACHINES, ("/nowhere/unistd.h",)))
        with pytest.raises(SystemExit, match="linux-libc-dev"):
            main(["--check"])


class TestAHeader:
    def test_may_define_a_call_in_two_steps(self):
        assert parse_header(GENERIC) == {"mount": 40, "fcntl": 25, "fcntl64": 25}

    def test_with_two_numbers_for_one_call_is_refused(self):
        with pytest.raises(KitError, match="__NR_mount has the numbers 40 and 41"):
            parse_header(GENERIC + "#define __NR_mount 41\n")


class TestMakeTable:
    def rows(self, *headers, known=""):
        return parse_table(make_table(["mount", "open", "new"], headers, parse_table(known)))

    def test_marks_calls_that_one_processor_lacks(self):
        rows = self.rows({"mount": 165, "open": 2, "new": 460}, {"mount": 40, "new": 460})
        assert rows == {"mount": (165, 40), "open": (2, None), "new": (460, 460)}

    def test_keeps_the_number_of_a_call_that_is_newer_than_the_headers(self):
        old = {"mount": 165, "open": 2}, {"mount": 40}
        assert self.rows(*old, known="mount 1 1\nopen 1 1\nnew 460 460\n")["new"] == (460, 460)
        with pytest.raises(KitError, match="'new'"):
            self.rows(*old)

    def test_does_not_keep_a_number_that_the_headers_should_contain(self):
        header = {"mount": 165, "open": 2, "new": 460}
        assert self.rows(header, {"mount": 40, "new": 460}, known="open 2 39\n")["open"] == (2, None)


def confine(folder):
    """Confine a new process with the worker's code in a folder; return the finished process."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from worker.confine import confine; confine(60, 2048)"
    return subprocess.run([sys.executable, "-B", "-c", code, str(folder)], capture_output=True, text=True)


@pytest.mark.skipif(seccomp.make_filter() is None, reason="no system call filter for this processor")
@pytest.mark.parametrize("text", [None, "fork 57 -\n"], ids=["no table", "half a table"])
def test_a_worker_without_a_complete_table_does_not_start(tmp_path, text):
    shutil.copytree(WORKER, tmp_path / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    assert confine(tmp_path).returncode == 0
    table = tmp_path / "worker" / "syscalls.tbl"
    table.unlink()
    if text:
        table.write_text(text)
    done = confine(tmp_path)
    assert done.returncode != 0 and ("FileNotFoundError" in done.stderr or "KeyError" in done.stderr)
