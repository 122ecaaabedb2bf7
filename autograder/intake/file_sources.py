"""Read the files of a folder or a zip within limits, without trusting them.

Only regular files of the graded kinds are read. Links are never followed, because a link to the reference would submit
the reference. The declared sizes and the number of files are checked before anything is unpacked.
"""

import functools
import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.intake.file_limits import IGNORED_FOLDERS, KINDS, find_limit_problem
from autograder.intake.safe_zip import is_bounded, open_zip
from autograder.intake.warnings import describe_skipped_files
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.text import escape_file_name

_ListedFile = tuple[str, int, Callable[[], bytes]]  # path, size in bytes, function that reads the file


@dataclass
class SourceFiles:
    """The content of a folder or zip.

    - files: {path: bytes} of the files that were read
    - seen: the paths of all files of any kind
    - notes: sentences about files that were not read
    """

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    seen: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def read_listed(self, listed: Iterable[_ListedFile], manifest: Manifest) -> None:
        """Read the listed files, graded files first, so that other files cannot use up the limits."""
        total = 0
        skipped: dict[str, list[str]] = {}
        for path, size, read in sorted(listed, key=lambda entry: _rank(entry[0], manifest)):
            problem = find_limit_problem(path, size, len(self.files), total)
            if problem:
                skipped.setdefault(problem, []).append(path)
                continue
            try:
                self.files[path] = read()
            except OSError as error:
                self.note_unreadable(path, error)
            else:
                total += len(self.files[path])
        self.notes += [describe_skipped_files(paths, problem) for problem, paths in skipped.items()]

    def note_unreadable(self, path: str, error: OSError) -> None:
        """Add a note about a file or folder that cannot be read; raise StorageError if no file can be read."""
        raise_if_everywhere(error)
        self.notes.append(f"{escape_file_name(path)} could not be read: {error.strerror}")


def read_folder(top: Path, manifest: Manifest) -> SourceFiles:
    """Return the SourceFiles of a folder."""
    source = SourceFiles()
    listed: list[_ListedFile] = []

    def note_closed_folder(error: OSError) -> None:
        source.note_unreadable(os.path.relpath(error.filename, top), error)

    for folder, folders, names in os.walk(top, onerror=note_closed_folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS)
        for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(folder, f))]):
            path = Path(folder) / name
            inside = path.relative_to(top).as_posix()
            status = path.lstat()
            if name.startswith("._"):
                continue
            source.seen.append(inside)
            if stat.S_ISLNK(status.st_mode):
                source.notes.append(f"{escape_file_name(inside)} is a link; links are not followed")
            elif path.suffix not in KINDS:
                continue
            elif not stat.S_ISREG(status.st_mode):
                source.notes.append(f"{escape_file_name(inside)} is not a regular file; it was left out")
            else:
                listed.append((inside, status.st_size, path.read_bytes))
    source.read_listed(listed, manifest)
    return source


def read_zip(path: Path, manifest: Manifest) -> SourceFiles:
    """Return the SourceFiles of a zip; raise KitError if it is not a zip, is damaged, or has too many members."""
    source = SourceFiles()
    listed: list[_ListedFile] = []
    try:
        with open(path, "rb") as file, _open(file, path) as archive:
            for entry in archive.infolist():
                inside = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.is_dir() or IGNORED_FOLDERS & set(inside.parts) or inside.name.startswith("._"):
                    continue
                source.seen.append(str(inside))
                if inside.suffix not in KINDS:
                    continue
                kind = stat.S_IFMT(entry.external_attr >> 16)
                name = escape_file_name(entry.filename)
                if inside.is_absolute() or ".." in inside.parts or kind not in (0, stat.S_IFREG):
                    source.notes.append(f"{name} points out of the archive or is not a regular file; it was left out")
                elif not is_bounded(entry):
                    source.notes.append(f"{name} is packed by a method other than deflate; it was left out")
                else:
                    listed.append((str(inside), entry.file_size, functools.partial(_unpack, archive, entry)))
            source.read_listed(listed, manifest)
            return source
    except KitError:
        raise
    except Exception as error:  # a student's archive: zipfile and its decoders raise many kinds of exceptions
        raise_if_everywhere(error)
        raise KitError(
            f"{path} could not be unpacked: {error}. Ask for a plain zip of the assignment, without a password."
        ) from None


def _open(file: BinaryIO, path: Path) -> zipfile.ZipFile:
    try:
        return open_zip(file)
    except zipfile.BadZipFile:
        raise KitError(f"{path} is not a zip archive, although its name says so. Give a folder or a zip.") from None


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as packed:
        return packed.read(entry.file_size + 1)[: entry.file_size]  # the declared size may be wrong


def _rank(path: str, manifest: Manifest) -> tuple[bool, bool, bool, int, str]:
    """Order files: graded modules of the package, other graded files, other modules, the rest; by depth, by name."""
    parts = PurePosixPath(path).parts
    wanted = {question.file for question in manifest.questions} | set(manifest.aliases.values())
    wanted |= manifest.notebook_files
    is_module = manifest.package in parts and path.endswith(".py")
    if is_module:
        inside = "/".join(parts[parts.index(manifest.package) :])
        is_graded = manifest.is_editable(inside) or inside in wanted
    else:
        is_graded = parts[-1] in wanted
    return not (is_module and is_graded), not is_graded, not is_module, len(parts), path
