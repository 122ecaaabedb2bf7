"""Files of a submission that are not plain text: links, pipes, devices, set-user-id files, compiled modules.

All of them are real. Only root can make a device; other users get a socket, which is not a regular file either.
"""

import base64
import os
import py_compile
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

from autograder.runtime.paths import KIT

ZERO = os.makedev(1, 5)  # the numbers of /dev/zero


def write_special(folder: Path, path: str, kind: str, **more: str) -> None:
    """Write a file of one of the KINDS at `path` in a folder; the comments on KINDS describe the arguments."""
    target = Path(folder) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    KINDS[kind](target, **more)


def pack_zip(folder: Path) -> Path:
    """Write a folder as a zip next to it and return the path of the zip; every entry keeps its type and its mode."""
    packed = folder.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()):
            mode = file.lstat().st_mode
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            if stat.S_ISLNK(mode):
                data = os.fsencode(os.readlink(file))
            else:
                data = file.read_bytes() if stat.S_ISREG(mode) else b""
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
    return packed


def _symlink(target: Path, to: str) -> None:
    target.symlink_to(to.replace("{kit}", str(KIT)))


def _fifo(target: Path) -> None:
    os.mkfifo(target)


def _device(target: Path) -> None:
    try:
        os.mknod(target, stat.S_IFCHR | 0o666, ZERO)
    except PermissionError:
        os.mknod(target, stat.S_IFSOCK | 0o666)


def _setuid(target: Path, text: str) -> None:
    target.write_text(text)
    target.chmod(0o6755)


def _bytes(target: Path, base: str) -> None:
    target.write_bytes(base64.b64decode(base))


def _compiled(target: Path, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.py"
        source.write_text(text)
        # Python imports such a file without reading the source next to it.
        py_compile.compile(
            str(source), str(target), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )


KINDS = {
    "symlink": _symlink,  # to: its target; {kit} is the folder of this repository
    "fifo": _fifo,  # a named pipe that no process writes to
    "device": _device,  # /dev/zero, which never ends
    "setuid": _setuid,  # text: the content of a file whose set-user-id and set-group-id bits are set
    "bytes": _bytes,  # base: the content in base64
    "compiled": _compiled,  # text: the source of a .pyc that Python imports instead of the source next to it
}
