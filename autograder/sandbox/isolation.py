"""Which sandboxes there are, and how a worker is started in one."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

from autograder.errors import KitError, SandboxUnavailable
from autograder.sandbox.bubblewrap import INSIDE_KIT, INSIDE_SUBMISSION, bubblewrap, why_not_bubblewrap
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
    """A worker process: pipes on stdin, stdout and stderr, and a `home` where it has one on a real disk."""

    home = None

    @property
    def filled_the_disk(self):
        """Whether it was killed because it wrote more than its home may hold."""
        return self.home is not None and self.home.exceeded


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
    if home:
        process.home = home
        home.watch(process.kill)
    return process


def stop_worker(process):
    """End a worker and everything it started, whatever state it is in."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    if process.home:
        process.home.close()
