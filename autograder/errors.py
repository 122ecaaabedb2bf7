"""What can go wrong in a way that the person at the keyboard can mend, and the exit code each way has.

0   done (for `check` and `grade`: graded, whatever the score)
1   a fault of this program; the traceback is worth a bug report
2   the command line itself was wrong (Typer's own code for usage errors)
3   the input cannot be used: missing, empty, not an archive, not a course; or `grade` could not judge or record all of
    it, and says whose
4   the release is not to be made: malformed markers, a leak, or (with --check) it is out of date
5   a sandbox was required and there is none on this machine
6   another command is at work in this course
7   something could not be written or the gradebook not be used: disk full, read-only, locked, damaged; or the
    machine is short of memory, processes or open files
130 stopped by Ctrl-C; 143 by SIGTERM, 129 as the terminal was closed: 128 and the signal's number, as shells have it
141 done, with every file written, but nobody read to the end what was printed
"""

USAGE, INPUT, RELEASE, SANDBOX, BUSY, STORAGE, BROKEN_PIPE = 2, 3, 4, 5, 6, 7, 141


class KitError(Exception):
    """A problem with one clear message; the command line prints it and leaves with `exit_code`."""

    exit_code = INPUT


class ReleaseError(KitError):
    """The release must not be made, or is not what it should be."""

    exit_code = RELEASE


class SandboxUnavailable(KitError):
    """Isolation was required and this machine cannot give it."""

    exit_code = SANDBOX


class Busy(KitError):
    """Another command is changing the same course."""

    exit_code = BUSY


class StorageError(KitError):
    """A file could not be written, or the gradebook not be used.

    `everywhere` says whether that holds for whatever comes next too, as with a full disk.
    """

    exit_code = STORAGE
    everywhere = False


class Interrupted(KitError):
    """Somebody stopped the command; `exit_code` tells by which signal."""
