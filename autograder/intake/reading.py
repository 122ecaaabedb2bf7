"""What a student handed in: found, read without trusting it, and laid out for the worker.

A submission is a folder or a zip. The package may lie at its top, in `assignment2/`, or one folder deeper; macOS
leftovers are passed over. Only regular files of the kinds that are graded are read: links are never followed (a link
to the reference would otherwise hand the reference in), sizes and counts are bounded before anything is unpacked.
"""

import functools
import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.errors import KitError
from autograder.intake.safe_zip import is_bounded, open_zip
from autograder.intake.source_text import as_utf8
from autograder.intake.submission import Submission
from autograder.intake.warnings import left_out, remarks
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.text import escape_file_name

MAX_FILES, MAX_FILE, MAX_TOTAL = 500, 32 << 20, 80 << 20
# The judge itself parses every module, and a syntax tree takes five hundred times the memory of its text.
MAX_SOURCE = 256 << 10
MAX_NAME, MAX_DEPTH, MAX_NOTES = 100, 20, 50
KINDS = (".py", ".ipynb", ".npz")  # code, notebooks, saved models
PASSED_OVER = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", "datasets", "build"}


def read_submission(path, manifest, student=None):
    """Read the folder or zip at `path`; KitError where nothing in it can be graded.

    A folder that holds no package but a zip counts as that zip.
    """
    path = Path(path)
    if path.is_dir():
        hand_in = _read_folder(path, manifest)
        files = _from_root(hand_in, manifest)
        zips = sorted(inner for inner in path.glob("*.zip") if inner.is_file() and not inner.is_symlink())
        if zips and not any(name.startswith(f"{manifest.package}/") for name in files):
            try:
                packed = _read_zip(zips[0], manifest)
            except KitError as error:
                raise_if_everywhere(error)
                if not files:
                    raise
                hand_in.notes.append(str(error))  # the notebooks beside a broken archive still count
            else:
                files |= _from_root(packed, manifest)
                hand_in.notes += [f"{escape_file_name(zips[0].name)} was unpacked and graded.", *packed.notes]
                hand_in.seen += packed.seen
    elif path.is_file():
        hand_in = _read_zip(path, manifest)
        files = _from_root(hand_in, manifest)
    elif path.exists():
        raise KitError(f"{path} is neither a folder nor a file. Give the student's folder or zip.")
    else:
        raise KitError(f"{path}: there is no such file or folder. Give the student's folder or zip.")
    if not files:
        found = hand_in.notes[:3] or [escape_file_name(name) for name in sorted(hand_in.seen)[:5]]
        raise KitError(
            f"{path}: nothing in it is graded. Expected the folder {manifest.package}/ with {manifest.editable[0]}, "
            f"or the notebooks, at its top or one folder down. Found: {'; '.join(found) or 'nothing'}."
        )
    files, recoded = _readable(files)
    notes = [*recoded, *remarks(files, manifest, hand_in.seen, hand_in.notes), *hand_in.notes]
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES - 1 :] = [f"There is more of this kind: {len(notes) - MAX_NOTES + 1} sentences were left out."]
    return Submission(path.name, files, notes, student)


def _readable(files):
    """Return the files with all text in an encoding that Python and Jupyter read, and a note on each that was not."""
    texts = {path: as_utf8(data) for path, data in files.items() if path.endswith((".py", ".ipynb"))}
    notes = [
        f"{escape_file_name(path)} was saved as UTF-16, which Python cannot import. It was graded nevertheless. "
        "Save it as UTF-8."
        for path, data in texts.items()
        if data is not files[path]
    ]
    return files | texts, notes


@dataclass
class _HandIn:
    """What was found in a folder or zip: the files that were taken, everything that was seen, and remarks."""

    files: dict[str, bytes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, listed, manifest):
        """Read what is listed as (path, size, function that reads it), what is graded before anything else.

        The limits are then used up by what a student packed along, never by the answers.
        """
        total, left = 0, {}
        for path, size, read in sorted(listed, key=lambda entry: _rank(entry[0], manifest)):
            why = _why_not(path, size, self.files, total)
            if why:
                left.setdefault(why, []).append(path)
                continue
            try:
                self.files[path] = read()
            except OSError as error:
                self.unreadable(path, error)
            else:
                total += len(self.files[path])
        self.notes += [left_out(paths, why) for why, paths in left.items()]
        return self

    def unreadable(self, path, error):
        raise_if_everywhere(error)
        self.notes.append(f"{escape_file_name(path)} could not be read: {error.strerror}")


def _rank(path, manifest):
    """Order files: the package's modules, what else is asked for, the rest; each by depth, then by name."""
    parts = PurePosixPath(path).parts
    asked = {name for question in manifest.questions for name in (question.file, f"{question.notebook}.ipynb")}
    asked |= set(manifest.aliases.values())
    ours = manifest.package in parts and path.endswith(".py")
    if ours:
        inside = "/".join(parts[parts.index(manifest.package) :])
        graded = manifest.is_editable(inside) or inside in asked
    else:
        graded = parts[-1] in asked
    return not (ours and graded), not graded, not ours, len(parts), path


def _read_folder(top, manifest):
    found, listed = _HandIn(), []

    def closed(error):
        found.unreadable(os.path.relpath(error.filename, top), error)

    for folder, folders, names in os.walk(top, onerror=closed, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER)
        for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(folder, f))]):
            path = Path(folder) / name
            inside = path.relative_to(top).as_posix()
            status = path.lstat()
            if name.startswith("._"):
                continue
            found.seen.append(inside)
            if stat.S_ISLNK(status.st_mode):
                found.notes.append(f"{escape_file_name(inside)} is a link; links are not followed")
            elif path.suffix not in KINDS:
                continue
            elif not stat.S_ISREG(status.st_mode):
                found.notes.append(f"{escape_file_name(inside)} is not a regular file; it was left out")
            else:
                listed.append((inside, status.st_size, path.read_bytes))
    return found.take(listed, manifest)


def _read_zip(path, manifest):
    found, listed = _HandIn(), []
    try:
        with open(path, "rb") as file, _opened(file, path) as archive:
            for entry in archive.infolist():
                inside = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.is_dir() or PASSED_OVER & set(inside.parts) or inside.name.startswith("._"):
                    continue
                found.seen.append(str(inside))
                if inside.suffix not in KINDS:
                    continue
                kind = stat.S_IFMT(entry.external_attr >> 16)
                name = escape_file_name(entry.filename)
                if inside.is_absolute() or ".." in inside.parts or kind not in (0, stat.S_IFREG):
                    found.notes.append(f"{name} points out of the archive or is no regular file; left out")
                elif not is_bounded(entry):
                    found.notes.append(f"{name} is packed by a method other than deflate; it was left out")
                else:
                    listed.append((str(inside), entry.file_size, functools.partial(_unpacked, archive, entry)))
            return found.take(listed, manifest)
    except KitError:
        raise
    except Exception as error:  # strangers' archives: zipfile and its decoders raise whatever a broken one trips
        raise_if_everywhere(error)
        raise KitError(
            f"{path} could not be unpacked: {error}. Ask for a plain zip of the assignment, without a password."
        ) from None


def _opened(file, path):
    try:
        return open_zip(file)
    except zipfile.BadZipFile:
        raise KitError(f"{path} is not a zip archive, whatever its name says. Give a folder or a zip.") from None


def _unpacked(archive, entry):
    with archive.open(entry) as packed:
        return packed.read(entry.file_size + 1)[: entry.file_size]  # the declared size may lie


def _why_not(path, size, files, total):
    """Return why a file may not be taken, or ''."""
    parts, limit = PurePosixPath(path).parts, min(MAX_FILE, MAX_SOURCE) if path.endswith(".py") else MAX_FILE
    if size > limit:
        more = " Clear the notebook's outputs, save it, and hand it in again." if path.endswith(".ipynb") else ""
        bound = f"{limit >> 20} MB" if limit >> 20 else f"{limit >> 10} KB"
        return f"one such file may have {bound}.{more}"
    if total + size > MAX_TOTAL:
        return f"all files together may have {MAX_TOTAL >> 20} MB. Hand in just the assignment's own files."
    if len(files) >= MAX_FILES:
        return f"a hand-in may have {MAX_FILES} files. Hand in just the assignment's own."
    if len(parts) > MAX_DEPTH or any(len(os.fsencode(part)) > MAX_NAME for part in parts):
        return f"a name may have {MAX_NAME} letters and lie {MAX_DEPTH} folders deep."
    if any(parent.suffix in KINDS for parent in PurePosixPath(path).parents):
        return "it lies in a folder that is named like a file. Move it out, and take the folder away."
    return ""


def _from_root(hand_in, manifest):
    """Return the files relative to the assignment's folder, which may lie deeper and among others of that kind.

    Of several folders that hold a package of this name, one with files that are graded counts before one without, one
    named like the assignment before another, a shallow one before a deep one.
    """
    files, graded = hand_in.files, {}
    for path in files:
        parts = path.split("/")
        for depth, part in enumerate(parts[:-1]):
            if part == manifest.package:
                inside, root = "/".join(parts[depth:]), "".join(f"{folder}/" for folder in parts[:depth])
                counts = manifest.is_editable(inside) or inside in manifest.aliases.values()
                graded[root] = graded.get(root, False) or counts
    if not graded:
        return {PurePosixPath(path).name: data for path, data in files.items() if not path.endswith(".py")}
    name = manifest.name
    root = min(graded, key=lambda r: (not graded[r], PurePosixPath(r).name != name, r.count("/"), r))
    if sum(graded.values()) > 1:
        where = root.rstrip("/") or "the top folder"
        count = sum(graded.values())
        hand_in.notes.append(
            f"There are {count} packages {manifest.package}; the one in {escape_file_name(where)} was graded."
        )
    return {path.removeprefix(root): data for path, data in files.items() if path.startswith(root)}
