"""The grading secret: numbers that no student can know, from which the hidden inputs of a course follow.

Each course keeps a file for itself, out of the sandbox's sight and out of every release and report. Everybody in a
course gets the same questions, and nobody a table of their answers beforehand. It matters most for images with hidden
labels: of an image, the answer is its label.
"""

import errno
import os
import secrets
import tempfile
from pathlib import Path

from autograder.errors import KitError
from autograder.runtime.os_errors import raise_everywhere

NAME = ".grading-secret"
_BYTES = 16


def secret_of(folder):
    """Return the secret of a course's folder as a tuple of integers below 2^32; it is made at the first use.

    Where the folder cannot be written to, the secret lasts as long as this process. KitError where the file is damaged,
    for a new secret would change accuracies, StorageError where the machine is short of something.
    """
    path = Path(folder) / NAME
    try:
        if not os.path.lexists(path):
            _make(path)
        data = _read(path)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise_everywhere(error)
        data = _OF_THIS_PROCESS
    return tuple(int.from_bytes(data[i : i + 4], "little") for i in range(0, _BYTES, 4))


def known_secret_of(folder):
    """Return the secret of a folder that has one already, else None."""
    return secret_of(folder) if os.path.lexists(Path(folder) / NAME) else None


def remove_leftovers(folder):
    """Remove what was left aside where making the secret was killed."""
    if (Path(folder) / NAME).exists():  # else somebody may be making it just now
        for aside in Path(folder).glob(f"{NAME}-*"):
            aside.unlink(missing_ok=True)


def _read(path):
    try:
        data = bytes.fromhex(path.read_text(encoding="ascii")) if path.is_file() else b""
    except ValueError:
        data = b""
    if len(data) != _BYTES:
        raise KitError(
            f"{path} is damaged: expected {2 * _BYTES} hexadecimal digits. Put a backup in its place; without one "
            "remove it, which changes accuracies by a percent."
        )
    return data


def _make(path):
    """Write a new secret, whole, unless somebody else has just done so."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        Path(aside).unlink(missing_ok=True)


_OF_THIS_PROCESS = secrets.token_bytes(_BYTES)
