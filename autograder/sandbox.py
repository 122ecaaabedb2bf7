"""The sandbox: where a student's code runs.

Theory of operation. Every question of every submission gets a fresh worker process. With bubblewrap it lives in
namespaces of its own: no network, no other process to be seen, a file system that holds the system's libraries and
the Python interpreter (read only), the staged submission (read only) and an empty home; no capability and no
variable of the environment beyond `ENVIRONMENT`. The course, the reference, the checks, the gradebook and other
students' work are not there, and where one of them would lie under something mounted it is covered up. Inside, the
worker bounds itself further (autograder/worker/confine.py) before it loads any of the student's code.

Without bubblewrap the worker is a plain child process with the same resource limits and system call filter. It can
read what the grader can read; the report says so.

Threat model: the submission is hostile and has taken over its worker completely. It must then still be unable to
learn the answers, reach another submission, the network or the gradebook, outlive its time, or send the judge
anything but arrays that are compared with the right ones.
"""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import SandboxUnavailable

KIT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).resolve().parent / "worker"
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
RESERVED = 4  # times the memory is the address space where a group counts what is used: much is reserved and never used
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache")
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from worker.main import main; sys.path.pop(0); main()"


@dataclass(frozen=True)
class Isolation:
    """How well a worker is shut in; `text` is the sentence shown to people."""

    name: str
    strong: bool
    text: str


STRONG = Isolation(
    "bubblewrap", True, "Student code ran in bubblewrap: no network, no other files, no other processes."
)
WEAK = Isolation(
    "plain",
    False,
    "WEAKER ISOLATION: student code ran as a plain process with resource limits and could read and change "
    "the files of this account. Install bubblewrap (apt install bubblewrap) for real isolation.",
)


def choose_isolation(require=False, secrets=()):
    """Return the best isolation this machine gives; SandboxUnavailable where it is `require`d and not to be had."""
    reason = why_not_bubblewrap(tuple(secrets))
    if not reason:
        return STRONG
    if require:
        raise SandboxUnavailable(f"--require-sandbox: {reason}. Install it with: apt install bubblewrap")
    return WEAK


@functools.cache
def why_not_bubblewrap(secrets=()):
    """Return why bubblewrap cannot be used here, found by trying it, or '' where it can."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed"
    with tempfile.TemporaryDirectory() as folder:
        command = _bubblewrap(Path(folder), secrets) + [sys.executable, "-c", "import numpy, safetensors"]
        try:
            run = subprocess.run(command, capture_output=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap could not be started ({error})"
    last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return "" if run.returncode == 0 else f"bubblewrap does not work here ({''.join(last) or run.returncode})"


def start_worker(folder, limits, isolation, secrets=(), withheld=(), group=None):
    """Start a worker on a staged submission and return its Popen, pipes on stdin, stdout and stderr.

    - folder: the staged submission
    - limits: questions.Limits
    - secrets: folders that must not be readable from inside, besides the kit's own
    - withheld: modules that can be imported and not called
    - group: cgroup.Group that limits the memory; without one the address space is limited
    """
    inside = "/submission" if isolation.strong else str(folder)
    kit = "/kit" if isolation.strong else str(WORKER.parent)
    address_mb = RESERVED * limits.address_mb if group else limits.address_mb
    bounds = {"cpu_seconds": limits.cpu_seconds, "memory_mb": address_mb}
    settings = {"submission": inside, "limits": bounds, "withheld": list(withheld)}
    # -P and -s: neither the working directory nor a user's site-packages is importable.
    python = [sys.executable, "-P", "-s", "-B", "-c", _START, kit, json.dumps(settings)]
    command = _bubblewrap(folder, tuple(secrets)) + python if isolation.strong else python
    command = group.command(command) if group else command
    environment = ENVIRONMENT if isolation.strong else ENVIRONMENT | {"HOME": str(folder)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=folder, start_new_session=True
    )


def stop_worker(process):
    """End a worker and everything it started, whatever state it is in."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def _bubblewrap(folder, secrets):
    """Return the bwrap command line up to the program to run."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "grader", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    command += ["--proc", "/proc", "--dev", "/dev", *_covered("/dev/shm"), "--size", str(64 << 20), "--tmpfs", "/tmp"]
    command += ["--size", str(1 << 20), "--tmpfs", "/home"]
    visible = [Path(path) for path in _SYSTEM if os.path.lexists(path)]
    interpreter = [Path(sys.base_prefix), Path(sys.prefix), Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()]
    visible += [path for path in dict.fromkeys(interpreter) if not path.is_relative_to("/usr")]
    hidden = [KIT, Path(__file__).resolve().parent, *(Path(path).resolve() for path in secrets)]
    before = [path for path in visible if not any(path.is_relative_to(secret) for secret in hidden)]
    after = [path for path in visible if path not in before]
    for path in before:
        command += (
            ["--symlink", os.readlink(path), str(path)] if path.is_symlink() else ["--ro-bind", str(path), str(path)]
        )
    for secret in hidden:
        if any(secret.is_relative_to(path) for path in before):
            command += _covered(secret)
    for path in after:
        command += ["--ro-bind", str(path), str(path)]
    for secret in hidden:
        if any(secret.is_relative_to(path) for path in after) and secret not in after:
            command += _covered(secret)
    command += ["--ro-bind", str(WORKER), "/kit/worker", "--ro-bind", str(folder), "/submission"]
    return command + ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/home", "--"]


def _covered(folder):
    """Put an empty file system, too small to hide memory in, over a folder."""
    return ["--size", str(1 << 20), "--tmpfs", str(folder)]
