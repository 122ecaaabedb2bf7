"""Files that a hand-in may hold and text cannot: links, pipes, devices, set-user-id files, compiled modules.

They are the real thing, except that a user who is not root cannot make a device and gets a socket in its place, which
is no regular file either.
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


def place(folder, path, kind, **more):
    """Put a file of one of the KINDS at `path` in a folder; what each kind takes stands there."""
    target = Path(folder) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    KINDS[kind](target, **more)


def zipped(folder):
    """Pack a folder beside itself and return the path of the zip; every entry keeps its type and its mode."""
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


def _symlink(target, to):
    target.symlink_to(to.replace("{kit}", str(KIT)))


def _fifo(target):
    os.mkfifo(target)


def _device(target):
    try:
        os.mknod(target, stat.S_IFCHR | 0o666, ZERO)
    except PermissionError:
        os.mknod(target, stat.S_IFSOCK | 0o666)


def _setuid(target, text):
    target.write_text(text)
    target.chmod(0o6755)


def _bytes(target, base):
    target.write_bytes(base64.b64decode(base))


def _compiled(target, text):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.py"
        source.write_text(text)
        # Such a file is imported without a look at the source beside it.
        py_compile.compile(
            source, target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )


KINDS = {
    "symlink": _symlink,  # to: where it points, {kit} being the folder of this repository
    "fifo": _fifo,  # a named pipe, which nobody writes to
    "device": _device,  # /dev/zero, which never ends
    "setuid": _setuid,  # text: of a file with the bits set-user-id and set-group-id
    "bytes": _bytes,  # base: its bytes in base64
    "compiled": _compiled,  # text: the source of a .pyc that is imported in the place of whatever stands beside it
}
