"""Memory limited by a control group, which counts the memory in use, not the address space that is reserved.

A new group is a child of a group that this process may write to. With cgroup v1 this is its own group. With cgroup v2
it is the nearest ancestor that enables the memory controller for its children. Root is not needed if such a group
belongs to this user, as in a desktop session or under `systemd-run --user --scope`. The first group tests the machine:
the kernel must kill a process in it that takes too much. If it does not, the address space is limited instead.
"""

import contextlib
import functools
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_ENTER = 'echo $$ > "$0" && exec "$@"'  # the shell enters the group and becomes the worker, which is never outside
_PREFIX = "autograder-"
_TRIAL_MB = 24
_ABANDONED_SECONDS = 60  # after which an empty group of a grader that has ended may be removed
_numbers = itertools.count()


@dataclass(frozen=True)
class Kind:
    """The file names of one cgroup version, and the file whose line `oom_kill n` counts processes killed."""

    limit: str
    swap: str
    swap_includes_memory: bool  # the swap limit holds for memory and swap together
    events: str


V1 = Kind("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", True, "memory.oom_control")
V2 = Kind("memory.max", "memory.swap.max", False, "memory.events")


class Group:
    """One group of limited memory, without swap. Raises OSError if it cannot be made.

    - parent: the folder of the group above, in the cgroup file system
    - limit_mb: the memory that all processes in it may use together
    """

    def __init__(self, parent: Path, kind: Kind, limit_mb: int) -> None:
        self._kind, self.path = kind, parent / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self.path.mkdir()
        try:
            limit = limit_mb << 20
            (self.path / kind.limit).write_text(str(limit))
            if (self.path / kind.swap).exists():  # a kernel may not count swap
                (self.path / kind.swap).write_text(str(limit if kind.swap_includes_memory else 0))
        except OSError:
            self.path.rmdir()
            raise

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs `command` inside this group, from its first instruction on."""
        return ["sh", "-c", _ENTER, str(self.path / "cgroup.procs"), *command]

    def was_exhausted(self) -> bool:
        """Return whether a process was killed because the group had no memory left."""
        found = re.search(r"^oom_kill (\d+)", (self.path / self._kind.events).read_text(), re.MULTILINE)
        return bool(found) and int(found[1]) > 0

    def remove(self, seconds: float = 5) -> None:
        """End all processes in the group and remove it; if processes stay, a later grader removes it."""
        with contextlib.suppress(OSError, ValueError):
            for pid in (self.path / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        deadline = time.monotonic() + seconds
        while not _remove(self.path) and time.monotonic() < deadline:
            time.sleep(0.01)


def make(limit_mb: int) -> Group | None:
    """Return a new Group, or None if this machine has none (see `why_not`)."""
    place = None if why_not() else _parent()
    if place is None:
        return None
    with contextlib.suppress(OSError):
        return Group(*place, limit_mb)
    return None


@functools.cache
def why_not() -> str:
    """Return why a group cannot limit memory here, found by trying it, or '' if it can."""
    place = _parent()
    if place is None:
        return "no control group of this process has a memory controller"
    parent, kind = place
    _remove_abandoned(parent)
    try:
        group = Group(parent, kind, _TRIAL_MB)
    except OSError as error:
        return f"no control group can be made in {parent} ({error.strerror})"
    allocate = [sys.executable, "-I", "-S", "-c", f"bytearray({2 * _TRIAL_MB << 20})"]
    try:
        run = subprocess.run(group.command(allocate), capture_output=True, timeout=60)
        if run.returncode and group.was_exhausted():
            return ""
        output = run.stderr.decode(errors="replace").strip() or f"a process took {2 * _TRIAL_MB} MB of {_TRIAL_MB}"
        return f"a control group in {parent} does not hold ({output})"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"a control group in {parent} could not be tried ({error})"
    finally:
        group.remove()


@functools.cache
def _parent() -> tuple[Path, Kind] | None:
    """Return the folder in which groups are made, and its Kind; None if there is none."""
    try:
        return find_parent(Path("/proc/self/cgroup").read_text(), ROOT)
    except OSError:
        return None


def find_parent(text: str, root: Path) -> tuple[Path, Kind] | None:
    """Return the folder and Kind of `_parent`, from the lines of /proc/self/cgroup and the mount point of cgroups."""
    own = {controllers: path.lstrip("/") for _, controllers, path in (line.split(":", 2) for line in text.splitlines())}
    for controllers, path in own.items():
        if "memory" in controllers.split(",") and (root / controllers / path).is_dir():
            return root / controllers / path, V1
    above = root / own.get("", "")
    while above.is_relative_to(root):
        enabled = above / "cgroup.subtree_control"
        if enabled.exists() and "memory" in enabled.read_text().split():
            return above, V2
        above = above.parent
    return None


def _remove_abandoned(parent: Path) -> None:
    """Remove the empty groups of graders that have ended."""
    for path in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            grader = int(path.name.removeprefix(_PREFIX).partition("-")[0])
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS and not Path(f"/proc/{grader}").exists():
                path.rmdir()


def _remove(path: Path) -> bool:
    """Remove a group's folder and say whether it is gone."""
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
