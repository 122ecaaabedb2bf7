"""Exceptions for problems that the user can solve, and the exit code of each.

0   done (for `check` and `grade`: graded, with any score)
1   a fault of this program; please report it with its traceback
2   the command line was wrong (Typer's own code for usage errors)
3   the input cannot be used: missing, empty, no archive or no course; or `grade` could not judge or record every
    submission, and the message names the students
4   the release cannot be made: malformed markers, a leak, or (with --check) it is out of date
5   a sandbox was required, and this machine has none
6   another command is running in this course
7   a file could not be written or the gradebook could not be used: disk full, read-only, locked, damaged; or the
    machine lacks memory, processes or open files
130 stopped by Ctrl-C; 143 by SIGTERM, 129 because the terminal closed: 128 and the signal's number, as in shells
141 done, and every file is written, but the reader of the output closed the pipe
"""

USAGE, INPUT, RELEASE, SANDBOX, BUSY, STORAGE, BROKEN_PIPE = 2, 3, 4, 5, 6, 7, 141


class KitError(Exception):
    """A problem with one clear message; the command line prints it and exits with `exit_code`."""

    exit_code: int = INPUT


class ReleaseError(KitError):
    """The release cannot be made, or it differs from the release that the reference gives."""

    exit_code = RELEASE


class SandboxUnavailable(KitError):
    """A sandbox was required, and this machine has none."""

    exit_code = SANDBOX


class Busy(KitError):
    """Another command is changing the same course."""

    exit_code = BUSY


class StorageError(KitError):
    """A file could not be written, or the gradebook could not be used.

    `everywhere` says whether the next file would meet the same problem, such as a full disk.
    """

    exit_code = STORAGE
    everywhere: bool = False


class Interrupted(KitError):
    """A signal stopped the command; `exit_code` is 128 plus the signal's number."""
