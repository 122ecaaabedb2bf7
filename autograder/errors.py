"""What can go wrong in a way that the person at the keyboard can mend, and the exit code each way has.

0   done (for `check` and `grade`: graded, whatever the score)
1   a fault of this program; the traceback is worth a bug report
2   the command line itself was wrong (Typer's own code for usage errors)
3   the input cannot be used: missing, empty, not an archive, not a course
4   the release is not to be made: malformed markers, a leak, or (with --check) it is out of date
5   a sandbox was required and there is none on this machine
"""

USAGE, INPUT, RELEASE, SANDBOX = 2, 3, 4, 5


class KitError(Exception):
    """A problem with one clear message; the command line prints it and leaves with `exit_code`."""

    exit_code = INPUT


class ReleaseError(KitError):
    """The release must not be made, or is not what it should be."""

    exit_code = RELEASE


class SandboxUnavailable(KitError):
    """Isolation was required and this machine cannot give it."""

    exit_code = SANDBOX
