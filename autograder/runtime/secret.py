"""The grading secret: random numbers that determine the hidden inputs of a course.

Each course has its own secret, outside the sandbox, the release and the reports. All students of a course get the same
inputs, and no student can prepare a table of their answers. This matters most for images with hidden labels, because
the label is the answer.
"""

import errno
import os
import secrets
import tempfile
from pathlib import Path

from autograder.errors import KitError
from autograder.runtime.os_errors import raise_if_everywhere

SECRET_FILE = ".grading-secret"
_BYTES = 16


def load_secret(folder: Path | str) -> tuple[int, ...]:
    """Return the secret of a course's folder as four integers below 2^32; make it if there is none yet.

    A folder that is not writable gets a secret that lasts as long as this process. Raises KitError if the file is
    damaged (a new secret would change accuracies), and StorageError if the machine lacks space or memory.
    """
    path = Path(folder) / SECRET_FILE
    try:
        if not os.path.lexists(path):
            _make(path)
        data = _read(path)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise_if_everywhere(error)
        data = _PROCESS_SECRET
    return tuple(int.from_bytes(data[i : i + 4], "little") for i in range(0, _BYTES, 4))


def find_secret(folder: Path | str) -> tuple[int, ...] | None:
    """Return the secret of a folder, or None if there is none. It raises the same errors as load_secret."""
    return load_secret(folder) if os.path.lexists(Path(folder) / SECRET_FILE) else None


def remove_partial_secrets(folder: Path | str) -> None:
    """Remove the partial files of killed processes that were making the secret."""
    if (Path(folder) / SECRET_FILE).exists():  # otherwise another process may be making it now
        for partial in Path(folder).glob(f"{SECRET_FILE}-*"):
            partial.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        data = bytes.fromhex(path.read_text(encoding="ascii")) if path.is_file() else b""
    except ValueError:
        data = b""
    if len(data) != _BYTES:
        raise KitError(
            f"{path} is damaged: expected {2 * _BYTES} hexadecimal digits. Restore it from a backup. Without a backup, "
            "remove it; accuracies then change by a percent."
        )
    return data


def _make(path: Path) -> None:
    """Write a new secret completely, unless another process has just written one."""
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f"{SECRET_FILE}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        Path(partial).unlink(missing_ok=True)


_PROCESS_SECRET = secrets.token_bytes(_BYTES)
