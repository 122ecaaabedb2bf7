"""Unpack the zips of a bulk download within limits."""

import os
import shutil
import stat
import time
import zipfile
from pathlib import Path, PurePosixPath

from autograder.intake.file_limits import IGNORED_FOLDERS
from autograder.intake.safe_zip import is_bounded, open_zip

MAX_MEMBERS, MAX_MEMBER, MAX_TOTAL = 20_000, 512 << 20, 64 << 30  # files; bytes of one file and of all files


def unpack_bulk_zip(path: Path, temporary: Path, problems: list[tuple[str, str]]) -> Path:
    """Unpack the possible submissions in a bulk download; return the new folder.

    - temporary: the folder in which the new folder is made
    - problems: gets (file, reason) for each file that is not unpacked

    Raises ArchiveError if the zip has too many members, and BadZipFile if it is damaged.
    """
    folder = temporary / f"unpacked-{len(list(temporary.iterdir()))}"
    folder.mkdir()
    free = min(MAX_TOTAL, shutil.disk_usage(folder).free // 2)  # bytes that may still be written
    with open(path, "rb") as file, open_zip(file) as archive:
        for entry in archive.infolist()[:MAX_MEMBERS]:
            inside = PurePosixPath(entry.filename.replace("\\", "/"))
            kind = stat.S_IFMT(entry.external_attr >> 16)
            shown = inside.as_posix()
            if entry.is_dir() or IGNORED_FOLDERS & set(inside.parts):
                continue
            if inside.is_absolute() or ".." in inside.parts or ":" in shown or kind not in (0, stat.S_IFREG):
                problems.append((shown, "points out of the archive or is not a regular file"))
            elif not is_bounded(entry):
                problems.append((shown, "is packed by a method other than deflate"))
            elif entry.file_size > MAX_MEMBER:
                problems.append((shown, f"is larger than {MAX_MEMBER >> 20} MB"))
            elif entry.file_size > free:
                problems.append((shown, "would fill the disk, or exceeds the largest size of a download"))
            else:
                free -= entry.file_size
                _unpack_member(archive, entry, folder / inside, problems)
        if len(archive.infolist()) > MAX_MEMBERS:
            problems.append((path.name, f"contains more than {MAX_MEMBERS} files; the first ones were read"))
    return folder


def _unpack_member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, problems: list[tuple[str, str]]
) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = open(target, "xb")  # noqa: SIM115  (closed below; an error of opening it has its own message)
    except OSError as error:
        is_duplicate = isinstance(error, FileExistsError)
        reason = "duplicate name; the first file was taken" if is_duplicate else error.strerror
        problems.append((entry.filename, f"was not unpacked: {reason}"))
        return
    try:
        with file, archive.open(entry) as packed:
            shutil.copyfileobj(packed, file, 1 << 20)
        moment = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(target, (moment, moment))
    except Exception as error:  # a damaged archive makes zipfile and its decoders raise many kinds of exceptions
        target.unlink()
        problems.append((entry.filename, f"could not be unpacked: {error}"))
