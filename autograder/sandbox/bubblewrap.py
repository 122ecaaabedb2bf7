"""Bubblewrap, the stronger sandbox: a worker in namespaces of its own.

The namespaces contain no network and no other process. Their file system contains the system's libraries and the
Python interpreter (read only), the staged submission (read only) and an empty home. The course, the reference, the
checks, the gradebook and other students' work are not in it. If one of them is inside a mounted folder, an empty file
system covers it.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.sandbox.exit_reason import MAX_HOME_MB, HomeUsage
from autograder.sandbox.host_paths import WORKER, list_exposed_paths, list_hidden_paths
from autograder.sandbox.python_command import make_python_command

INSIDE_KIT, INSIDE_SUBMISSION = "/kit", "/submission"
_WRITABLE = ("/home", "/tmp", "/dev/shm")
_FOLDER_BYTES = MAX_HOME_MB + 1 << 20  # code that fills a folder has written more than allowed


@functools.cache
def why_not_bubblewrap(secrets: tuple[Path, ...] = ()) -> str:
    """Return why bubblewrap cannot be used here, found by trying it, or '' if it can."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed"
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = make_python_command("import numpy, safetensors")
            command = make_bubblewrap_command(Path(folder), secrets, {}) + program
            run = subprocess.run(command, capture_output=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap could not be started ({error})"
    last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return "" if run.returncode == 0 else f"bubblewrap does not work here ({''.join(last) or run.returncode})"


def make_bubblewrap_command(folder: Path, secrets: Sequence[Path], environment: Mapping[str, str]) -> list[str]:
    """Return the bwrap command line up to the program to run.

    - folder: the staged submission
    - secrets: folders to cover, in addition to the kit's own
    - environment: all environment variables of the worker
    """
    # The worker is process 1. A second process, of bubblewrap, would use memory that no limit bounds.
    command = ["bwrap", "--as-pid-1", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "grader", "--clearenv"]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    command += ["--proc", "/proc", "--dev", "/dev", *_cover("/dev/shm")]
    command += ["--size", str(_FOLDER_BYTES), "--tmpfs", "/tmp", "--size", str(_FOLDER_BYTES), "--tmpfs", "/home"]
    secret = list_hidden_paths(secrets)
    before = [path for path in list_exposed_paths() if not any(path.is_relative_to(folder) for folder in secret)]
    after = [path for path in list_exposed_paths() if path not in before]
    for path in before:
        is_link = path.is_symlink()
        command += ["--symlink", os.readlink(path), str(path)] if is_link else ["--ro-bind", str(path), str(path)]
    for path in secret:
        if any(path.is_relative_to(shown) for shown in before):
            command += _cover(path)
    for path in after:
        command += ["--ro-bind", str(path), str(path)]
    for path in secret:
        if any(path.is_relative_to(shown) for shown in after) and path not in after:
            command += _cover(path)
    command += ["--ro-bind", str(WORKER), f"{INSIDE_KIT}/worker", "--ro-bind", str(folder), INSIDE_SUBMISSION]
    return command + ["--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/", "--chdir", "/home", "--"]


class Home:
    """The folders that one worker may write to, held open so that they can be counted even after its end.

    - pid: the process id of bwrap; its worker must have answered once, and must not have loaded the student's code yet

    Raises OSError if this system does not show them.
    """

    def __init__(self, pid: int) -> None:
        self._folders: list[int] = []
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                raise ProcessLookupError(f"process {pid} has no child")
            for folder in _WRITABLE:
                self._folders.append(os.open(f"/proc/{children[0]}/root{folder}", os.O_PATH | os.O_DIRECTORY))
            # The folders themselves, and those on the way to what is mounted in them, such as the interpreter.
            self._files_at_start = _count_files([os.fstatvfs(folder) for folder in self._folders])
        except OSError:
            self.close()
            raise

    def usage(self) -> HomeUsage | None:
        """Return the HomeUsage, or None after `close`."""
        found = [os.fstatvfs(folder) for folder in self._folders]
        size = sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in found)
        return HomeUsage(size, _count_files(found) - self._files_at_start) if found else None

    def close(self) -> None:
        """Release the folders; `usage` is None from then on."""
        folders, self._folders = self._folders, []
        for folder in folders:
            os.close(folder)


def _count_files(file_systems: Sequence[os.statvfs_result]) -> int:
    return sum(each.f_files - each.f_ffree for each in file_systems)


def _cover(folder: Path | str) -> list[str]:
    """Return the options that mount an empty file system over a folder; it is too small to hold much memory."""
    return ["--size", str(1 << 20), "--tmpfs", str(folder)]
