"""What a student handed in: found, read without trusting it, and laid out for the worker.

A submission is a folder or a zip. The package may lie at its top, in `assignment2/`, or one folder deeper; macOS
leftovers are passed over. Only regular files of the kinds that are graded are read: links are never followed (a link
to the reference would otherwise hand the reference in), sizes and counts are bounded before anything is unpacked.
"""

import ast
import hashlib
import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.advice import about_source, decode_source
from autograder.archives import is_bounded, open_zip
from autograder.errors import KitError
from autograder.notebooks import remark_on

MAX_FILES, MAX_FILE, MAX_TOTAL = 500, 32 << 20, 80 << 20
# The judge itself parses every module, and a syntax tree takes five hundred times the memory of its text.
MAX_SOURCE = 256 << 10
MAX_NAME, MAX_NOTES = 100, 50
KINDS = (".py", ".ipynb", ".npz")  # code, notebooks, saved models
PASSED_OVER = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", "datasets", "build"}


@dataclass
class Submission:
    """Files by their path relative to the assignment's folder (`cs231n/layers.py`), and remarks for the report."""

    name: str
    files: dict[str, bytes]
    notes: list[str] = field(default_factory=list)
    student: str | None = None

    @property
    def digest(self):
        """SHA-256 over paths and contents: two hand-ins with one digest get one report."""
        total = hashlib.sha256()
        for path in sorted(self.files):
            total.update(f"{path}\0{len(self.files[path])}\0".encode("utf-8", "surrogateescape") + self.files[path])
        return total.hexdigest()

    def text(self, path):
        """Return a Python file decoded as Python itself would, or None where there is no such readable file."""
        try:
            return decode_source(self.files[path]).replace("\r\n", "\n").replace("\r", "\n")
        except (KeyError, SyntaxError, ValueError, LookupError):  # some codecs raise UnicodeError itself
            return None

    def code_of(self, path, name):
        """Return {file, line, text} of a top-level function or class, or None where it is not to be found."""
        text = self.text(path)
        try:
            nodes = ast.parse(text or "").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
        found = [node for node in nodes if isinstance(node, kinds) and node.name == name]
        if not found:
            return None
        node = found[-1]  # the last definition is the one that counts
        return {
            "file": path,
            "line": node.lineno,
            "text": "\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno]),
        }


def read_submission(path, manifest, student=None):
    """Read the folder or zip at `path`; KitError where nothing in it can be graded.

    A folder that holds no package but a zip counts as that zip.
    """
    path = Path(path)
    if path.is_dir():
        files, notes = _read_folder(path)
        files = _from_root(files, manifest, notes)
        zips = sorted(inner for inner in path.glob("*.zip") if inner.is_file() and not inner.is_symlink())
        if zips and not any(name.startswith(f"{manifest.package}/") for name in files):
            try:
                packed, more = _read_zip(zips[0])
            except KitError as error:
                if not files:
                    raise
                notes.append(str(error))  # the notebooks beside a broken archive still count
            else:
                files |= _from_root(packed, manifest, more)
                notes += [f"{_shown(zips[0].name)} was unpacked and graded.", *more]
    elif path.is_file():
        files, notes = _read_zip(path)
        files = _from_root(files, manifest, notes)
    elif path.exists():
        raise KitError(f"{path} is neither a folder nor a file. Give the student's folder or zip.")
    else:
        raise KitError(f"{path}: there is no such file or folder. Give the student's folder or zip.")
    if not files:
        found = f" Found: {'; '.join(notes[:3])}." if notes else ""
        raise KitError(
            f"{path}: nothing in it is graded. Expected the folder {manifest.package}/ with {manifest.editable[0]}, "
            f"or the notebooks, at its top or one folder down.{found}"
        )
    submission = Submission(path.name, files, notes, student)
    notes += _remarks(submission, manifest)
    del notes[MAX_NOTES:]
    return submission


def stage(submission, released, manifest, folder, modules):
    """Write what the worker imports: the released package with the student's own files laid over it.

    - released: {path: bytes} of the student release's package, every solution taken out
    - modules: {path: text} of the answers in notebook cells
    """
    package = f"{manifest.package}/"
    files = {path: data for path, data in released.items() if path.startswith(package)}
    for path, data in submission.files.items():
        provided = path in released and not manifest.is_editable(path)
        # A folder layers/ would be imported in the place of layers.py, which is what people are shown.
        shadows = any(f"{parent}.py" in released for parent in PurePosixPath(path).parents)
        if path.startswith(package) and path.endswith(".py") and not provided and not shadows:
            files[path] = data
    for today, former in manifest.aliases.items():
        untouched = submission.files.get(today) in (None, released.get(today))
        if former in submission.files and untouched:
            files[today] = submission.files[former]
    files |= {path: text.encode("utf-8", "backslashreplace") for path, text in modules.items()}
    for path, data in files.items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def own_path(submission, path, manifest, released):
    """Return which of the student's files stands for this one: itself, or its former name."""
    former = manifest.aliases.get(path)
    if former in submission.files and submission.files.get(path) in (None, released.get(path)):
        return former
    return path


def _read_folder(top):
    files, notes, total = {}, [], 0

    def unreadable(error):
        notes.append(f"{_shown(os.path.relpath(error.filename, top))} could not be read: {error.strerror}")

    for folder, folders, names in os.walk(top, onerror=unreadable, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER)
        for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(folder, f))]):
            path = Path(folder) / name
            inside = path.relative_to(top).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                notes.append(f"{_shown(inside)} is a link; links are not followed")
            elif path.suffix not in KINDS or name.startswith("._"):
                continue
            elif not stat.S_ISREG(mode):
                notes.append(f"{_shown(inside)} is not a regular file; it was left out")
            elif not _fits(inside, path.lstat().st_size, files, total):
                notes.append(f"{_shown(inside)} is over the size limit; it was left out")
            else:
                try:
                    files[inside] = path.read_bytes()
                except OSError as error:
                    unreadable(error)
                else:
                    total += len(files[inside])
    return files, notes


def _read_zip(path):
    files, notes, total = {}, [], 0
    try:
        with open(path, "rb") as file, open_zip(file) as archive:
            for entry in archive.infolist():
                inside = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.is_dir() or PASSED_OVER & set(inside.parts) or inside.suffix not in KINDS:
                    continue
                if inside.name.startswith("._"):
                    continue
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if inside.is_absolute() or ".." in inside.parts or kind not in (0, stat.S_IFREG):
                    notes.append(f"{_shown(entry.filename)} points out of the archive or is no regular file; left out")
                elif not is_bounded(entry):
                    notes.append(f"{_shown(entry.filename)} is packed by a method other than deflate; it was left out")
                elif not _fits(str(inside), entry.file_size, files, total):
                    notes.append(f"{_shown(entry.filename)} is over the size limit; it was left out")
                else:
                    with archive.open(entry) as packed:
                        data = packed.read(entry.file_size + 1)  # the declared size may lie
                    files[str(inside)] = data[: entry.file_size]
                    total += len(data)
    except zipfile.BadZipFile:
        raise KitError(f"{path} is not a zip archive, whatever its name says. Give a folder or a zip.") from None
    except Exception as error:  # strangers' archives: zipfile and its decoders raise whatever a broken one trips
        raise KitError(
            f"{path} could not be unpacked: {error}. Ask for a plain zip of the assignment, without a password."
        ) from None
    return files, notes


def _fits(path, size, files, total):
    """Say whether a file may be taken: its size, the sizes so far, its name, and no file where it wants a folder."""
    parts, limit = PurePosixPath(path).parts, min(MAX_FILE, MAX_SOURCE) if path.endswith(".py") else MAX_FILE
    small = size <= limit and total + size <= MAX_TOTAL and len(files) < MAX_FILES
    named = len(parts) <= 20 and all(len(os.fsencode(part)) <= MAX_NAME for part in parts)
    return small and named and not any(parent.suffix in KINDS for parent in PurePosixPath(path).parents)


def _from_root(files, manifest, notes):
    """Return the files relative to the assignment's folder, which may lie deeper and among others of that kind.

    Of several folders that hold a package of this name, one with files that are graded counts before one without, one
    named like the assignment before another, a shallow one before a deep one.
    """
    graded = {}
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
        notes.append(f"There are {sum(graded.values())} packages {manifest.package}; the one in {where} was graded.")
    return {path.removeprefix(root): data for path, data in files.items() if path.startswith(root)}


def _remarks(submission, manifest):
    """Say what is odd about the files in sentences for the report."""
    notes = []
    for path, data in sorted(submission.files.items()):
        about = {".py": about_source, ".ipynb": remark_on}.get(PurePosixPath(path).suffix)
        remark = about and about(data, path)
        if remark:
            notes.append(remark)
    return notes


def _shown(name):
    """A file name as it may be printed: control characters and lone surrogates made visible."""
    return name.encode("unicode_escape", "surrogatepass").decode() if not name.isprintable() else name
