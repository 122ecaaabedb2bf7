"""Memory limited by a control group: what a worker really uses counts, not the address space that it reserves.

A group is made below one that this process may write to: of cgroup v1 its own, of cgroup v2 the nearest above it that
hands the memory controller on to its children. Root is not needed where such a one belongs to this user, as in a
desktop session or under `systemd-run --user --scope`. Nothing is believed of the machine: the first group has to kill
a process that takes too much, else there are none here and the address space is limited instead.
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
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_ENTER = 'echo $$ > "$0" && exec "$@"'  # the shell enters the group and becomes the worker: it is never outside
_PREFIX = "autograder-"
_TRIED_MB = 24
_SETTLED = 60  # seconds after which an empty group of a grader that is gone may be taken away
_numbers = itertools.count()


@dataclass(frozen=True)
class Kind:
    """The file names of one cgroup version, and the file whose line `oom_kill n` counts processes killed."""

    limit: str
    swap: str
    swap_too: bool  # the swap limit holds for memory and swap together
    events: str


V1 = Kind("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", True, "memory.oom_control")
V2 = Kind("memory.max", "memory.swap.max", False, "memory.events")


class Group:
    """One group of limited memory, without swap; OSError where it cannot be made.

    - parent: the folder of the group above, in the cgroup file system
    - limit_mb: what all processes in it may use together
    """

    def __init__(self, parent, kind, limit_mb):
        self._kind, self.path = kind, parent / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self.path.mkdir()
        try:
            limit = limit_mb << 20
            (self.path / kind.limit).write_text(str(limit))
            if (self.path / kind.swap).exists():  # a kernel may not count swap
                (self.path / kind.swap).write_text(str(limit if kind.swap_too else 0))
        except OSError:
            self.path.rmdir()
            raise

    def command(self, command):
        """Return the command line that runs `command` inside this group, from its first instruction on."""
        return ["sh", "-c", _ENTER, str(self.path / "cgroup.procs"), *command]

    def was_exhausted(self):
        """Say whether a process was killed because the group had no memory left."""
        found = re.search(r"^oom_kill (\d+)", (self.path / self._kind.events).read_text(), re.MULTILINE)
        return bool(found) and int(found[1]) > 0

    def remove(self, seconds=5):
        """End what is left in the group and take it away; one whose processes stay is left to a later grader."""
        with contextlib.suppress(OSError, ValueError):
            for pid in (self.path / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        deadline = time.monotonic() + seconds
        while not _removed(self.path) and time.monotonic() < deadline:
            time.sleep(0.01)


def make(limit_mb):
    """Return a new Group, or None where this machine gives none (see `why_not`)."""
    if why_not():
        return None
    with contextlib.suppress(OSError):
        return Group(*_parent(), limit_mb)
    return None


@functools.cache
def why_not():
    """Return why memory cannot be limited by a group here, found by trying it, or '' where it can."""
    parent, kind = _parent()
    if parent is None:
        return "no control group of this process has a memory controller"
    _tidy(parent)
    try:
        group = Group(parent, kind, _TRIED_MB)
    except OSError as error:
        return f"no control group can be made in {parent} ({error.strerror})"
    take = [sys.executable, "-I", "-S", "-c", f"bytearray({2 * _TRIED_MB << 20})"]
    try:
        run = subprocess.run(group.command(take), capture_output=True, timeout=60)
        if run.returncode and group.was_exhausted():
            return ""
        said = run.stderr.decode(errors="replace").strip() or f"a process took {2 * _TRIED_MB} MB of {_TRIED_MB}"
        return f"a control group in {parent} does not hold ({said})"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"a control group in {parent} could not be tried ({error})"
    finally:
        group.remove()


@functools.cache
def _parent():
    """Return (folder in which groups are made, its Kind), or (None, None)."""
    try:
        return parent_of(Path("/proc/self/cgroup").read_text(), ROOT)
    except OSError:
        return None, None


def parent_of(text, root):
    """Return what `_parent` returns, given the lines of /proc/self/cgroup and where cgroups are mounted."""
    own = {controllers: path.lstrip("/") for _, controllers, path in (line.split(":", 2) for line in text.splitlines())}
    for controllers, path in own.items():
        if "memory" in controllers.split(",") and (root / controllers / path).is_dir():
            return root / controllers / path, V1
    above = root / own.get("", "")
    while above.is_relative_to(root):
        handed_on = above / "cgroup.subtree_control"
        if handed_on.exists() and "memory" in handed_on.read_text().split():
            return above, V2
        above = above.parent
    return None, None


def _tidy(parent):
    """Take away the empty groups of graders that are gone."""
    for path in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            grader = int(path.name.removeprefix(_PREFIX).partition("-")[0])
            if time.time() - path.stat().st_mtime > _SETTLED and not Path(f"/proc/{grader}").exists():
                path.rmdir()


def _removed(path):
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
