"""Landlock, the second sandbox: for machines without namespaces, such as most containers.

A worker confines itself before it loads any of the student's code. Landlock then allows it to open only the paths
listed here, and to write only to its own home. If the grader is root, the worker changes to an unused user. It shares
the rest of the machine: it can see the names, sizes and times of other files, but not their contents. Its home is on a
real disk, and the grader counts the files in it (exit_reason.py).
"""

import functools
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from autograder.runtime.temporary import remove_tree
from autograder.sandbox.exit_reason import HomeUsage
from autograder.sandbox.host_paths import WORKER, list_exposed_paths, list_hidden_paths
from autograder.sandbox.python_command import make_python_command

_DEVICES = {"/dev/null": "write", "/dev/zero": "read", "/dev/urandom": "read", "/dev/random": "read"}
_MACHINE_FILES = ("/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory")
_USERS = range(61184, 65520)  # systemd's numbers for users of a single service: no file belongs to them


@functools.cache
def why_not_landlock() -> str:
    """Return why this sandbox cannot be used here, found by trying it, or '' if it can."""
    if not sys.platform.startswith("linux"):
        return "Landlock is a part of Linux"
    try:
        with tempfile.TemporaryDirectory() as folder, Home() as home:
            code = "sys.path.insert(0, sys.argv[1]); from worker.confine import confine; "
            code += "confine(60, 2048, landlock=json.loads(sys.argv[2])); import safetensors.numpy"
            command = make_python_command(code, str(WORKER.parent), json.dumps(make_rules(Path(folder), home)))
            run = subprocess.run(command, capture_output=True, env={"OPENBLAS_NUM_THREADS": "1"}, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Landlock could not be tried ({error})"
    last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return "" if run.returncode == 0 else f"Landlock does not work here ({''.join(last) or run.returncode})"


def make_rules(folder: Path, home: "Home", secrets: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the rules with which a worker confines itself, as plain data; see worker/landlock_rules.py.

    - folder: the staged submission
    - home: its Home
    - secrets: folders that must not be readable, in addition to the kit's own
    """
    secret = list_hidden_paths(secrets)
    paths = [(str(path), kind) for path, kind in _DEVICES.items() if os.path.exists(path)]
    paths += [(path, "read") for path in _MACHINE_FILES if os.path.exists(path)]
    shown = [path for path in list_exposed_paths() if not path.is_symlink()]
    for path in shown:
        # An interpreter inside the kit is shown; a secret inside that interpreter is not.
        inside = [other for other in secret if other.is_relative_to(path) and other != path]
        paths += [(str(path), "list")] if inside else []
        paths += [(str(part), "read") for part in _list_parts_without(path, inside)]
    paths += [(str(WORKER), "read"), (str(folder), "read"), (str(home.path), "write")]
    return {"paths": paths, "user": home.user, "reads_closed_folders": _is_closed([*shown, folder, WORKER])}


class Home:
    """An empty folder that one worker may write to, and its owner; use as a context manager.

    - path: the folder
    - user: the number of an unused user if the grader is root, else None
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="worker-home-"))
        self.user: int | None = None
        if os.geteuid() == 0:
            self.user = random.SystemRandom().choice(_USERS)
            os.chown(self.path, self.user, self.user)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def usage(self) -> HomeUsage | None:
        """Return the HomeUsage, or None after `close`; a worker can neither make folders in it nor remove files."""
        try:
            entries = list(os.scandir(self.path))
            return HomeUsage(sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in entries), len(entries))
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """Remove the folder and everything in it."""
        remove_tree(self.path)


def _list_parts_without(path: Path, secret: Sequence[Path]) -> Iterator[Path]:
    """Yield the parts of a folder that together contain everything in it except the secret paths."""
    if path in secret:
        return
    if not any(other.is_relative_to(path) for other in secret):
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if not child.is_symlink():
                yield from _list_parts_without(child, secret)


def _is_closed(paths: Sequence[Path]) -> bool:
    """Return whether one of these paths is in a folder that only its owner may pass through."""
    folders = {folder for path in paths for folder in (path, *path.parents)}
    return any(not folder.stat().st_mode & 0o001 for folder in folders if folder.is_dir())
