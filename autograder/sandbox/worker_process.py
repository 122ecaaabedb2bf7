"""A worker process: started in its sandbox, watched, and stopped."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from autograder.assignment.limits import Limits
from autograder.sandbox import bubblewrap, landlock
from autograder.sandbox.cgroup import Group
from autograder.sandbox.exit_reason import HomeUsage
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.host_paths import WORKER
from autograder.sandbox.isolation import BUBBLEWRAP, LANDLOCK, PLAIN, Isolation
from autograder.sandbox.python_command import make_python_command

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/home",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    # One thread: the same sums in the same order on every machine, and no core taken from another student.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its results depend on the processor
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "AUTOGRADER": "1",  # the kit's notices are for a student's screen, not for a report
}
# If a group limits memory, the address space may be this many times as large: much of it is reserved and never used.
_ADDRESS_SPACE_FACTOR = 4
_WATCH_INTERVAL = 0.2  # seconds between two counts of the files in a worker's home
# Garbage collection would only look at objects that stay.
_START = (
    "import gc; gc.disable(); sys.path.insert(0, sys.argv.pop(1)); from worker.main import main; sys.path.pop(0); "
    "gc.freeze(); gc.enable(); main()"
)


@dataclass(frozen=True)
class WorkerOptions:
    """Settings of a worker that most callers leave as they are.

    - hidden: folders that must not be readable from inside, in addition to the kit's own
    - withheld: modules that can be imported but not called
    - answers: functions that the judge answers in place of the student's own
    - advice: (regular expression, advice) for exceptions that only this assignment's code raises
    """

    hidden: Sequence[Path] = ()
    withheld: Sequence[str] = ()
    answers: Answers | None = None
    advice: Sequence[tuple[str, str]] = ()


NO_OPTIONS = WorkerOptions()


class Home(Protocol):
    """The folders that one worker may write to."""

    def usage(self) -> HomeUsage | None:
        """Return the HomeUsage, or None if the folders are gone."""
        ...

    def close(self) -> None:
        """Release the folders."""
        ...


class WorkerProcess:
    """A worker process with pipes to its standard streams.

    - isolation: the sandbox that it runs in
    - home: the folders that it may write to, if the grader can count their contents
    - cpu_seconds: the processor time that it used; known after `wait_for_end` has seen its end
    """

    def __init__(self, process: subprocess.Popen[bytes], isolation: Isolation, home: Home | None) -> None:
        self.isolation, self.home = isolation, home
        self.cpu_seconds: float | None = None
        self._process = process
        self._watcher: tuple[threading.Thread, threading.Event, int] | None = None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, or None if the end is not known yet."""
        return self._process.returncode

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe for calls."""
        assert self._process.stdin
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe with answers."""
        assert self._process.stdout
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The pipe with the printed output of the student's code."""
        assert self._process.stderr
        return self._process.stderr

    def watch_home(self) -> None:
        """Kill the process as soon as its home contains too much; call this before it loads any of the student's code.

        Without root no quota can be set.
        """
        if self.isolation == BUBBLEWRAP:
            with contextlib.suppress(OSError):
                self.home = bubblewrap.Home(self.pid)
        if self.home is None:
            return
        try:
            descriptor = os.pidfd_open(self.pid)  # the number of a process may be given to another one
        except OSError:  # an old kernel: the files are counted after each answer and after the end
            return
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(_WATCH_INTERVAL):
                if self.has_written_too_much():
                    with contextlib.suppress(ProcessLookupError):
                        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        self._watcher = (thread, is_over, descriptor)

    def has_written_too_much(self) -> bool:
        """Return whether its home contains too much at this moment."""
        usage = self.home.usage() if self.home else None
        return usage is not None and usage.is_too_much

    def wait_for_end(self, seconds: float) -> int | None:
        """Return the exit status as soon as the process ends, or None after so many seconds."""
        deadline = time.monotonic() + seconds
        while self._process.returncode is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_seconds = used.ru_utime + used.ru_stime
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(0.005)
        return self._process.returncode

    def kill_all(self) -> None:
        """End the process and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Release the streams, the watcher and the home; files in the home are removed."""
        if self._watcher:
            thread, is_over, descriptor = self._watcher
            self._watcher = None
            is_over.set()
            thread.join()
            os.close(descriptor)
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
        if self.home:
            self.home.close()


def start_worker(
    folder: Path,
    limits: Limits,
    isolation: Isolation,
    options: WorkerOptions = NO_OPTIONS,
    group: Group | None = None,
) -> WorkerProcess:
    """Start a worker on a staged submission and return it.

    - folder: the staged submission
    - group: the control group that limits the memory; without one the address space is limited
    """
    address_mb = _ADDRESS_SPACE_FACTOR * limits.address_mb if group else limits.address_mb
    bounds: dict[str, object] = {"cpu_seconds": limits.cpu_seconds, "memory_mb": address_mb}
    submission, kit, before, home = str(folder), str(WORKER.parent), [], None
    environment = ENVIRONMENT | {"HOME": str(folder)}
    if isolation == BUBBLEWRAP:
        kit, submission, environment = bubblewrap.INSIDE_KIT, bubblewrap.INSIDE_SUBMISSION, ENVIRONMENT
        before = bubblewrap.make_bubblewrap_command(folder, options.hidden, ENVIRONMENT)
    elif isolation == LANDLOCK:
        home = landlock.Home()
        bounds["landlock"] = landlock.make_rules(folder, home, options.hidden)
        home_path = str(home.path)
        # Matplotlib makes folders in its home, and this home may not contain folders.
        environment = ENVIRONMENT | {"HOME": home_path, "TMPDIR": home_path, "MPLCONFIGDIR": home_path}
    elif isolation != PLAIN:
        raise ValueError(f"no worker can be started in {isolation.name}")
    settings = json.dumps({"submission": submission, "limits": bounds, "withheld": list(options.withheld)})
    command = [*before, *make_python_command(_START, kit, settings)]
    command = group.command(command) if group else command
    pipe, cwd = subprocess.PIPE, home.path if home else folder
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=cwd, start_new_session=True
    )
    return WorkerProcess(process, isolation, home)
