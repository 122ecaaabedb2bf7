"""A command of the kit in a new process group, forked from this process, which has imported everything already."""

import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from autograder import cli
from autograder import grade_class as classroom  # noqa: F401  (what a command would import)
from autograder.course import course  # noqa: F401  (what a command would import)
from autograder.intake import collect  # noqa: F401  (what a command would import)
from autograder.release import build as release  # noqa: F401  (what a command would import)
from autograder.report import terminal  # noqa: F401  (what a command would import)

PATIENCE = 1200  # seconds that a run may take on a busy machine


class Run:
    """A running `autograder ARGUMENTS`.

    - temporary: the folder for its temporary files
    - said: the file for its output
    """

    def __init__(self, arguments, temporary, said):
        self.started = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            _become(arguments, temporary, said)
        os.setpgid(self.pid, self.pid)

    def is_running(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def finish(self):
        """Wait for the end of the command and return its exit code."""
        while self.is_running():
            if time.monotonic() > self.started + PATIENCE:
                self.kill()
                raise TimeoutError(f"still running after {PATIENCE} s")
            time.sleep(0.005)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self):
        """Kill the whole process group and wait for its end; return False if it had already ended."""
        os.killpg(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == -signal.SIGKILL


def _become(arguments, temporary, said):
    code = 99
    try:
        os.setpgid(0, 0)
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.environ["TMPDIR"], tempfile.tempdir = str(temporary), str(temporary)
        sys.argv = ["autograder", *map(str, arguments)]
        cli.main()
        code = 0
    except SystemExit as stopped:
        code = stopped.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def alive(*words, group=None):
    """Return the command lines of other processes that are in a process group, or that contain one of some words."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state, _, its_group = (path / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        concerned = int(its_group) == group or any(word in line for word in words)
        if concerned and state != "Z" and int(path.name) != os.getpid():
            found.append(line)
    return found
