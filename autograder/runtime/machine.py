"""The machine that is shared: many judges at once, or one of them alone.

Every judge of this user takes part, whatever its course. Two locked files make a room with a turnstile: whoever wants
to be alone closes the turnstile and waits until the room is empty, so that newcomers cannot keep it waiting. The kernel
opens both when a judge dies.
"""

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path

_TEMPORARY = Path(tempfile.gettempdir())  # as it is at first: a grading run turns to a folder of its own
PATIENCE = 900  # seconds that a judge waits for others: one that was stopped for good must not stop all


class Place:
    """One judge's place on the machine.

    - folder: of the locked files; the same for all who share the machine
    """

    def __init__(self, folder=None, patience=PATIENCE):
        self._folder = Path(folder) if folder else _TEMPORARY / f"autograder-{os.getuid()}"
        self._patience = patience

    @contextlib.contextmanager
    def shared(self):
        """Judge beside others, once nobody waits to be alone; yields what `is_crowded` asks."""
        with self._opened("turnstile") as turnstile, self._opened("room") as room:
            self._lock(turnstile, fcntl.LOCK_SH)
            self._lock(room, fcntl.LOCK_SH)
            _unlock(turnstile)
            yield lambda: is_loaded() or not _locked(room, fcntl.LOCK_EX)

    @contextlib.contextmanager
    def alone(self):
        """Judge while no other judge does; others wait meanwhile."""
        with self._opened("turnstile") as turnstile, self._opened("room") as room:
            self._lock(turnstile, fcntl.LOCK_EX)
            self._lock(room, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _opened(self, name):
        """Yield a descriptor, or None where this machine has no place for it: then nobody waits."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._folder.stat().st_uid != os.getuid():
                raise PermissionError(self._folder)
            descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _lock(self, descriptor, kind):
        deadline = time.monotonic() + self._patience
        while not _locked(descriptor, kind) and time.monotonic() < deadline:
            time.sleep(0.02)


def is_loaded():
    """Say whether more wants to run than there are processors, judges or not."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def _locked(descriptor, kind):
    """Take a lock at once, or say that it is not to be had."""
    try:
        if descriptor is not None:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(descriptor):
    if descriptor is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
