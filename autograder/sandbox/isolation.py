"""Which sandboxes there are, and how a worker is started in one."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from autograder.errors import KitError, SandboxUnavailable
from autograder.sandbox.bubblewrap import INSIDE_KIT, INSIDE_SUBMISSION, bubblewrap, why_not_bubblewrap
from autograder.sandbox.bubblewrap import Home as bubblewrap_home
from autograder.sandbox.host_paths import WORKER
from autograder.sandbox.landlock import Home, rules, why_not_landlock

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
    "AUTOGRADER": "1",  # spares a report what is meant for a student's screen
}
# Where a group counts what is used, times the memory is the address space: much is reserved and never used.
RESERVED = 4
_BEAT = 0.2  # seconds between two looks at a worker's home
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from worker.main import main; sys.path.pop(0); main()"


@dataclass(frozen=True)
class Isolation:
    """How a worker is shut in; `text` is the sentence shown to people, `strong` whether there is nothing to add."""

    name: str
    strong: bool
    text: str


BUBBLEWRAP = Isolation(
    "bubblewrap", True, "Student code ran in bubblewrap: no network, no other files, no other processes."
)
LANDLOCK = Isolation(
    "landlock",
    False,
    "WEAKER ISOLATION than bubblewrap: student code ran under Landlock and a system call filter. It reached no network "
    "and no other process, and could read or change no file but its own; names, sizes and times of files were not "
    "hidden from it. Install bubblewrap (apt install bubblewrap) where namespaces are to be had.",
)
PLAIN = Isolation(
    "plain",
    False,
    "WEAKER ISOLATION: student code ran as a plain process with resource limits and could read and change "
    "the files of this account. Install bubblewrap (apt install bubblewrap) for real isolation.",
)
ISOLATIONS = {isolation.name: isolation for isolation in (BUBBLEWRAP, LANDLOCK, PLAIN)}


def choose_isolation(required=None, secrets=()):
    """Return the best isolation this machine gives, or the one that is `required` by its name.

    - secrets: folders that must not be readable from inside, besides the kit's own

    Raises SandboxUnavailable where what is required is not to be had.
    """
    if required is not None and required not in ISOLATIONS:
        raise KitError(f"--sandbox {required}: there is no such sandbox. There are: {', '.join(ISOLATIONS)}.")
    for isolation in ISOLATIONS.values() if required is None else [ISOLATIONS[required]]:
        reason = why_not(isolation, secrets)
        if not reason:
            return isolation
    raise SandboxUnavailable(
        f"The sandbox {required} was asked for: {reason}. `autograder doctor` says what this machine has."
    )


def why_not(isolation, secrets=()):
    """Return why an isolation is not to be had on this machine, or ''."""
    if isolation is BUBBLEWRAP:
        reason = why_not_bubblewrap(tuple(secrets))
        return f"{reason}. Install it with: apt install bubblewrap" if "not installed" in reason else reason
    return why_not_landlock() if isolation is LANDLOCK else ""


class WorkerProcess(subprocess.Popen):
    """A worker process: pipes on stdin, stdout and stderr.

    - isolation: how it is shut in
    - home: the folders that it may write to, where the grader can count what is in them
    - cpu_seconds: processor time that it used, once `wait_for_end` has seen its end
    """

    isolation = home = cpu_seconds = None
    _watching = None

    def watch_home(self):
        """Kill it as soon as its home holds too much; call this before it loads any of the student's code.

        There is no quota that could be set without root.
        """
        if self.isolation is BUBBLEWRAP:
            with contextlib.suppress(OSError):
                self.home = bubblewrap_home(self.pid)
        if self.home is None:
            return
        try:
            process = os.pidfd_open(self.pid)  # by its number another process might be killed
        except OSError:  # an old kernel: what it wrote is counted after each answer and after its end
            return
        over = threading.Event()

        def look():
            while not over.wait(_BEAT):
                if self.has_written_too_much():
                    with contextlib.suppress(ProcessLookupError):
                        signal.pidfd_send_signal(process, signal.SIGKILL)
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        self._watching = (thread, over, process)

    def has_written_too_much(self):
        """Say whether its home holds too much at this moment."""
        usage = self.home.usage() if self.home else None
        return usage is not None and usage.is_too_much

    def wait_for_end(self, seconds):
        """Return the exit status as soon as there is one, or None after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.returncode is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_seconds = used.ru_utime + used.ru_stime
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(0.005)
        return self.returncode

    def kill_all(self):
        """End it and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def close(self):
        """Give back what the grader holds of it; what it wrote is gone."""
        if self._watching:
            thread, over, process = self._watching
            self._watching = None
            over.set()
            thread.join()
            os.close(process)
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
        if self.home:
            self.home.close()


def start_worker(folder, limits, isolation, secrets=(), withheld=(), group=None):
    """Start a worker on a staged submission and return it.

    - folder: the staged submission
    - limits: questions.Limits
    - secrets: folders that must not be readable from inside, besides the kit's own
    - withheld: modules that can be imported and not called
    - group: cgroup.Group that limits the memory; without one the address space is limited
    """
    address_mb = RESERVED * limits.address_mb if group else limits.address_mb
    bounds = {"cpu_seconds": limits.cpu_seconds, "memory_mb": address_mb}
    settings = {"submission": str(folder), "limits": bounds, "withheld": list(withheld)}
    kit, before, environment, home = str(WORKER.parent), [], ENVIRONMENT | {"HOME": str(folder)}, None
    if isolation is BUBBLEWRAP:
        kit, settings["submission"] = INSIDE_KIT, INSIDE_SUBMISSION
        before, environment = bubblewrap(folder, tuple(secrets), ENVIRONMENT), ENVIRONMENT
    elif isolation is LANDLOCK:
        home = Home()
        settings["limits"]["landlock"] = rules(folder, home, secrets)
        home_path = str(home.path)
        # Matplotlib would make folders in its home, which has none.
        environment = ENVIRONMENT | {"HOME": home_path, "TMPDIR": home_path, "MPLCONFIGDIR": home_path}
    # -P and -s: neither the working directory nor a user's site-packages is importable.
    command = [*before, sys.executable, "-P", "-s", "-B", "-c", _START, kit, json.dumps(settings)]
    command = group.command(command) if group else command
    pipe, cwd = subprocess.PIPE, home.path if home else folder
    process = WorkerProcess(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=cwd, start_new_session=True
    )
    process.isolation, process.home = isolation, home
    return process


def stop_worker(process):
    """End a worker and everything it started, whatever state it is in."""
    process.kill_all()
    process.close()
