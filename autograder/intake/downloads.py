"""Find every student's submissions in a downloaded folder or zip, and describe everything that cannot be one.

This module reads only names. It writes only the content of a zip of zips, into a temporary folder.
"""

import os
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from re import Pattern

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.intake.bulk_unpacking import unpack_bulk_zip
from autograder.intake.download_layout import LEFTOVERS, find_wrapped, is_bulk_zip, is_submission
from autograder.intake.file_limits import IGNORED_FOLDERS, KINDS
from autograder.intake.lms_names import Owner, find_id_problem, find_owners

_ACCEPTED = {*KINDS, ".zip"}
_OTHER_ARCHIVES = {".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zipx"}

Problems = list[tuple[str, str]]  # (file or student, reason)
_Entries = dict[str, list[tuple[Owner, Path]]]  # {student: the files and folders of the student}


@dataclass
class DownloadedSubmission:
    """The files that one student submitted at one time.

    - files: {path inside the submission: file on disk}
    - source: the name of the file or folder in the download
    """

    student: str
    files: dict[str, Path]
    timestamp: datetime | None = None
    source: str = ""


@dataclass
class Download:
    """{student: submissions, latest first}, and the (name, reason) of every file that is not a submission."""

    submissions: dict[str, list[DownloadedSubmission]] = field(default_factory=dict[str, list[DownloadedSubmission]])
    problems: Problems = field(default_factory=Problems)


def find_submissions(
    source: Path | str, manifest: Manifest, temporary: Path | str, pattern: Pattern[str] | None = None
) -> Download:
    """Return the Download of a folder or zip.

    - source: a folder of submissions, one submission, or an LMS's bulk download, packed or unpacked
    - temporary: an empty folder for unpacked downloads; it must exist as long as the result is used
    - pattern: from `lms_names.compile_pattern`

    Raises KitError if `source` is neither a folder nor a zip.
    """
    download, source = Download(), Path(source).resolve()
    if not source.is_dir() and not zipfile.is_zipfile(source):
        raise KitError(f"{source} is neither a folder nor a zip. Give the folder or zip with the submissions.")
    for _ in range(4):  # open folders and zips that contain one item only
        is_bulk = source.is_file() and is_bulk_zip(source, manifest, pattern)
        if is_bulk:
            source = unpack_bulk_zip(source, Path(temporary), download.problems)
        wrapped = None if is_submission(source, manifest) else find_wrapped(source, manifest, pattern)
        if not is_bulk and not wrapped:
            break
        source = wrapped or source
    is_single = source.is_file() or is_submission(source, manifest)
    paths = [source] if is_single else sorted(source.iterdir())
    owners = find_owners([path.name for path in paths], manifest.name, pattern)
    entries: _Entries = {}
    for path in paths:
        _sort_by_owner(path, owners[path.name], entries, pattern, manifest, download.problems)
    _remove_ambiguous(entries, download.problems)
    for student, own_entries in entries.items():
        download.submissions[student] = _make_submissions(student, own_entries, manifest, download.problems)
    return download


def _sort_by_owner(
    path: Path,
    owner: Owner | None,
    entries: _Entries,
    pattern: Pattern[str] | None,
    manifest: Manifest,
    problems: Problems,
) -> None:
    """Add a file or folder to the `entries` of its owner, or add the reason to `problems`."""
    name, kind = path.name, path.suffix.lower()
    if name.startswith("._") or name.lower() in LEFTOVERS or name in IGNORED_FOLDERS:
        return
    if path.is_symlink():
        problems.append((name, "is a link; links are not followed"))
    elif path.is_file() and kind not in _ACCEPTED:
        if kind != ".txt" or not owner or not owner.timestamp:  # Blackboard adds such a text to each attempt
            is_archive = kind in _OTHER_ARCHIVES
            problems.append(
                (name, f"is packed as {kind}: ask for a .zip" if is_archive else "is neither a folder nor a zip")
            )
    elif not owner or (path.is_file() and kind != ".zip" and not owner.explicit and not pattern):
        reason = (
            "does not fit --pattern" if pattern else f"contains no student's id; rename it to ID_{manifest.name}.zip"
        )
        problems.append((name, f"the name {reason}"))
    elif problem := find_id_problem(owner.student):
        problems.append((name, problem))
    else:
        entries.setdefault(owner.student, []).append((owner, path))


def _remove_ambiguous(entries: _Entries, problems: Problems) -> None:
    """Remove entries that may belong to two students, or to one student under two ids."""
    similar: defaultdict[str, list[str]] = defaultdict(list)
    for student in entries:
        similar[unicodedata.normalize("NFKC", student).casefold()].append(student)
    for students in similar.values():
        group = [entry for student in students for entry in entries[student]]
        reason = ""
        if len(students) > 1:
            reason = f"the ids {' and '.join(students)} look alike; rename one, or separate them with --pattern"
        elif len({owner.heading for owner, _ in group if owner.heading}) > 1:
            reason = f"different names end in {students[0]}; use --pattern to mark the student's id in them"
        if reason:
            problems += [(path.name, reason) for _, path in group]
            for student in students:
                del entries[student]


def _make_submissions(
    student: str, entries: list[tuple[Owner, Path]], manifest: Manifest, problems: Problems
) -> list[DownloadedSubmission]:
    """Return the submissions of one student, the latest first.

    Single files of one attempt belong together, and to its latest zip. A folder is a submission of its own; of several
    zips in it, the latest counts.
    """
    attempts: defaultdict[datetime | None, list[tuple[int, float, str, Owner, Path]]] = defaultdict(list)
    for owner, path in entries:
        attempts[owner.timestamp].append((owner.number, path.lstat().st_mtime, path.name, owner, path))
    submissions: list[DownloadedSubmission] = []
    for timestamp in sorted(attempts, key=lambda time: (time is not None, time), reverse=True):
        single: dict[str, Path] = {}
        whole: list[tuple[dict[str, Path], str]] = []  # (files, name) of folders and zips, the latest last
        for _, _, name, owner, path in sorted(attempts[timestamp], key=lambda entry: entry[:3]):
            if path.is_dir():
                whole += [(files, name) for files in _split_zips(_list_files(path, problems), manifest)]
            elif path.suffix.lower() == ".zip":
                whole.append(({_make_zip_name(name, manifest): path}, name))
            else:
                single[_find_place(owner.rest, manifest)] = path
        for files, name in reversed(whole or [({}, "single files")]):
            submissions.append(DownloadedSubmission(student, single | files, timestamp, name))
    return submissions


def _split_zips(files: dict[str, Path], manifest: Manifest) -> list[dict[str, Path]]:
    """Return the files once for each zip at their top, with that zip alone, the latest zip last."""
    zips = [path for inside, path in files.items() if "/" not in inside and path.suffix.lower() == ".zip"]
    rest = {inside: path for inside, path in files.items() if path not in zips}
    zips.sort(key=lambda path: (path.stat().st_mtime, path.name))
    return [rest | {_make_zip_name(path.name, manifest): path} for path in zips] or [rest]


def _list_files(folder: Path, problems: Problems) -> dict[str, Path]:
    """Return {path inside: file} of the files of graded kinds in a student's folder; add links to `problems`."""
    files: dict[str, Path] = {}
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS and not name.startswith("."))
        if "pyvenv.cfg" in names:
            folders[:], names = [], []
        for name in sorted(names + [inner for inner in folders if Path(where, inner).is_symlink()]):
            path = Path(where) / name
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                problems.append((f"{folder.name}/{inside}", "is a link; links are not followed"))
                continue
            is_accepted = path.suffix.lower() in _ACCEPTED and not name.startswith(".") and path.is_file()
            if is_accepted or name == "timestamp.txt":
                files[inside] = path
    return files


def _make_zip_name(name: str, manifest: Manifest) -> str:
    """Return a name for a student's zip that ends in `.zip`, can be printed, and is short enough."""
    is_plain = name.isprintable() and not name.startswith(".") and len(os.fsencode(name)) <= 100
    return f"{name[:-4]}.zip" if is_plain else f"{manifest.name}.zip"


def _find_place(name: str, manifest: Manifest) -> str:
    """Return the path of a single file in the assignment; Canvas calls a second `layers.py` `layers-2.py`."""
    places = [*manifest.editable, *(question.file for question in manifest.questions), *manifest.notebook_files]
    stem, _, suffix = PurePosixPath(name.replace("\\", "/")).name.rpartition(".")
    head, dash, number = stem.rpartition("-")
    for candidate in (f"{stem}.{suffix}", f"{head}.{suffix}" if dash and number.isdigit() else ""):
        for place in places:
            if candidate and PurePosixPath(place).name == candidate:
                return place
    return f"{stem}.{suffix}"
