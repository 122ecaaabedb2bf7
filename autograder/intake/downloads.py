"""What lies in a download: finds every student's hand-in in a folder or zip, and says what cannot be one.

Nothing is written here but the contents of a zip of zips, into a temporary folder, and nothing is read but names.
"""

import os
import shutil
import stat
import time
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.errors import KitError
from autograder.intake.lms_names import find_id_problem, find_owner, find_owners
from autograder.intake.reading import KINDS, PASSED_OVER
from autograder.intake.safe_zip import ArchiveError, is_bounded, open_zip

MAX_MEMBERS, MAX_MEMBER, MAX_TOTAL = 20_000, 512 << 20, 64 << 30  # of a zip of zips: files, bytes of each and of all
_TAKEN = {*KINDS, ".zip"}
_PACKED = {".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zipx"}
_LEFTOVERS = {".ds_store", "thumbs.db", "desktop.ini", "timestamp.txt", "index.html"}


@dataclass
class HandIn:
    """What one student handed in at one time: {path inside the hand-in: file}."""

    student: str
    files: dict[str, Path]
    timestamp: object = None
    where: str = ""  # as the instructor would look for it


@dataclass
class Found:
    """Hand-ins by student, the one to take first; and (what, why) of everything that is none."""

    hand_ins: dict[str, list[HandIn]] = field(default_factory=lambda: defaultdict(list))
    problems: list[tuple[str, str]] = field(default_factory=list)


def find(source, manifest, aside, pattern=None):
    """Return what is Found in a folder or zip.

    - source: a folder of hand-ins, one hand-in, or an LMS's bulk download, as it is or unpacked
    - aside: an empty folder that outlives the result; a bulk download is unpacked there
    - pattern: from `lms.read_pattern`
    """
    found, source = Found(), Path(source).resolve()
    if not source.is_dir() and not zipfile.is_zipfile(source):
        raise KitError(f"{source} is neither a folder nor a zip. Give the folder or zip with the hand-ins.")
    for _ in range(4):  # folders and zips that hold one thing only are opened
        bulk = source.is_file() and _is_bulk(source, manifest, pattern)
        if bulk:
            source = _unpack(source, Path(aside), found.problems)
        alone = None if _is_hand_in(source, manifest) else _alone_in(source, manifest, pattern)
        if not bulk and not alone:
            break
        source = alone or source
    single = source.is_file() or _is_hand_in(source, manifest)
    entries = defaultdict(list)
    paths = [source] if single else sorted(source.iterdir())
    owners = find_owners([path.name for path in paths], manifest.name, pattern)
    for path in paths:
        _sort_in(path, owners[path.name], entries, pattern, manifest, found.problems)
    _set_aside_the_doubtful(entries, found.problems)
    for student, given in entries.items():
        found.hand_ins[student] = _hand_ins(student, given, manifest, found.problems)
    return found


def _sort_in(path, owner, entries, pattern, manifest, problems):
    """Put a file or folder with its owner into `entries`, or with the reason into `problems`."""
    name, kind = path.name, path.suffix.lower()
    if name.startswith("._") or name.lower() in _LEFTOVERS or name in PASSED_OVER:
        return
    if path.is_symlink():
        problems.append((name, "is a link; links are not followed"))
    elif path.is_file() and kind not in _TAKEN:
        if kind != ".txt" or not owner or not owner.timestamp:  # what Blackboard adds to each attempt
            packed = f"is packed as {kind}: ask for a .zip" if kind in _PACKED else "is neither a folder nor a zip"
            problems.append((name, packed))
    elif not owner or (path.is_file() and kind != ".zip" and not owner.explicit and not pattern):
        wanted = "does not fit --pattern" if pattern else f"tells no student's id; rename it to ID_{manifest.name}.zip"
        problems.append((name, f"the name {wanted}"))
    elif find_id_problem(owner.student):
        problems.append((name, find_id_problem(owner.student)))
    else:
        entries[owner.student].append((owner, path))


def _set_aside_the_doubtful(entries, problems):
    """Take out of `entries` what may belong to two people, or to one under two names."""
    alike = defaultdict(list)
    for student in entries:
        alike[unicodedata.normalize("NFKC", student).casefold()].append(student)
    for students in alike.values():
        given = [entry for student in students for entry in entries[student]]
        why = ""
        if len(students) > 1:
            why = f"the ids {' and '.join(students)} look alike; rename one, or tell them with --pattern"
        elif len({owner.heading for owner, _ in given if owner.heading}) > 1:
            why = f"different names end in {students[0]}; say with --pattern what of them is the student's id"
        if why:
            problems += [(path.name, why) for _, path in given]
            for student in students:
                del entries[student]


def _hand_ins(student, given, manifest, problems):
    """Return the HandIns made of one student's entries, the latest first.

    Loose files of one attempt belong together, and to its latest zip; a folder is a hand-in of its own, and of several
    zips in it the latest counts.
    """
    attempts = defaultdict(list)
    for owner, path in given:
        attempts[owner.timestamp].append((owner.number, path.lstat().st_mtime, path.name, owner, path))
    result = []
    for timestamp in sorted(attempts, key=lambda time: (time is not None, time), reverse=True):
        loose, whole = {}, []
        for _, _, name, owner, path in sorted(attempts[timestamp], key=lambda entry: entry[:3]):
            if path.is_dir():
                whole += [(files, name) for files in _versions(_files_of(path, problems), manifest)]
            elif path.suffix.lower() == ".zip":
                whole.append(({_zip_name(name, manifest): path}, name))
            else:
                loose[_home(owner.rest, manifest)] = path
        for files, name in reversed(whole or [({}, "loose files")]):
            result.append(HandIn(student, loose | files, timestamp, name))
    return result


def _versions(files, manifest):
    """Return a student's files once for each zip at the top of them, the latest last, with that zip alone."""
    zips = [path for inside, path in files.items() if "/" not in inside and path.suffix.lower() == ".zip"]
    rest = {inside: path for inside, path in files.items() if path not in zips}
    zips.sort(key=lambda path: (path.stat().st_mtime, path.name))
    return [rest | {_zip_name(path.name, manifest): path} for path in zips] or [rest]


def _files_of(folder, problems):
    """Return {path inside: file} of the files in a student's folder that may be graded; links are named, not taken."""
    files = {}
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER and not name.startswith("."))
        if "pyvenv.cfg" in names:
            folders[:], names = [], []
        for name in sorted(names + [inner for inner in folders if Path(where, inner).is_symlink()]):
            path = Path(where) / name
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                problems.append((f"{folder.name}/{inside}", "is a link; links are not followed"))
            elif path.suffix.lower() in _TAKEN and not name.startswith(".") and path.is_file():
                files[inside] = path
            elif name == "timestamp.txt":
                files[inside] = path
    return files


def _zip_name(name, manifest):
    """The name a student's zip keeps, in a form that everybody who looks for zips finds."""
    plain = name.isprintable() and not name.startswith(".") and len(os.fsencode(name)) <= 100
    return f"{name[:-4]}.zip" if plain else f"{manifest.name}.zip"


def _home(name, manifest):
    """Where a file that was handed in on its own belongs; `layers-2.py` is what Canvas calls a second `layers.py`."""
    homes = [*manifest.editable, *(question.file for question in manifest.questions)]
    homes += [f"{question.notebook}.ipynb" for question in manifest.questions]
    stem, _, suffix = PurePosixPath(name.replace("\\", "/")).name.rpartition(".")
    head, dash, number = stem.rpartition("-")
    for written in (f"{stem}.{suffix}", f"{head}.{suffix}" if dash and number.isdigit() else ""):
        for home in homes:
            if written and PurePosixPath(home).name == written:
                return home
    return f"{stem}.{suffix}"


def _alone_in(source, manifest, pattern):
    """Return the one thing in a folder where that is a wrapper of hand-ins and not itself a student's, else None."""
    if not source.is_dir():
        return None
    inner = _visible(source)
    if len(inner) != 1 or inner[0].is_symlink():
        return None
    owner = find_owner(inner[0].name, manifest.name, pattern)
    if not inner[0].is_dir():
        packed = inner[0].is_file() and zipfile.is_zipfile(inner[0])
        return inner[0] if packed and _is_bulk(inner[0], manifest, pattern) else None
    if (owner and owner.explicit) or _is_hand_in(inner[0], manifest):
        return None
    within = [find_owner(path.name, manifest.name, pattern) for path in _visible(inner[0])]
    return inner[0] if len(within) > 1 or any(owner and owner.explicit for owner in within) else None


def _visible(folder):
    leftovers = _LEFTOVERS | {name.lower() for name in PASSED_OVER}
    return [path for path in folder.iterdir() if path.name[0] != "." and path.name.lower() not in leftovers]


def _is_hand_in(path, manifest):
    """Say whether a folder is one student's: it holds the package, at most one folder down, or notebooks and no zip."""
    if not path.is_dir():
        return False
    notebooks = {f"{question.notebook}.ipynb" for question in manifest.questions}
    names = {inner.name for inner in path.iterdir()}
    package = (path / manifest.package).is_dir() or (path / manifest.name / manifest.package).is_dir()
    return package or bool(notebooks & names) and not any(name.lower().endswith(".zip") for name in names)


def _is_bulk(path, manifest, pattern):
    """Say whether a zip holds the hand-ins of several students, and is not one itself.

    It is asked about what the instructor names only, never about a zip that came from a student.
    """
    tops, hand_in = defaultdict(set), False
    notebooks = {f"{question.notebook}.ipynb" for question in manifest.questions}
    try:
        with open(path, "rb") as file, open_zip(file) as archive:
            entries = archive.infolist()
    except ArchiveError as error:
        raise KitError(f"{path} cannot be unpacked: {error}. Unpack it, and give the folder.") from None
    except Exception:  # damaged in one of the ways that trip zipfile: `read_submission` says what is wrong with it
        return False
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if entry.is_dir() or not parts or PASSED_OVER & set(parts):
            continue
        tops[parts[0]].add(parts[-1])
        hand_in |= manifest.package in parts[:2] or (len(parts) <= 2 and parts[-1] in notebooks)
    owners = [find_owner(top, manifest.name, pattern) for top in tops]
    if any(owner and owner.explicit and owner.rest != top for owner, top in zip(owners, tops)):
        return True  # a system's own names
    zips = [name for names in tops.values() for name in names if name.lower().endswith(".zip")]
    folders = [top for top, names in tops.items() if names != {top} and not top.startswith(".")]
    return bool(zips and not hand_in) or len(folders) > 1 and manifest.package not in tops


def _unpack(path, aside, problems):
    """Unpack what may be a hand-in from a bulk download; return the folder."""
    folder = aside / f"unpacked-{len(list(aside.iterdir()))}"
    folder.mkdir()
    room = min(MAX_TOTAL, shutil.disk_usage(folder).free // 2)
    with open(path, "rb") as file, open_zip(file) as archive:
        for entry in archive.infolist()[:MAX_MEMBERS]:
            inside = PurePosixPath(entry.filename.replace("\\", "/"))
            kind = stat.S_IFMT(entry.external_attr >> 16)
            shown = inside.as_posix()
            if entry.is_dir() or PASSED_OVER & set(inside.parts):
                continue
            if inside.is_absolute() or ".." in inside.parts or ":" in shown or kind not in (0, stat.S_IFREG):
                problems.append((shown, "points out of the archive or is no regular file"))
            elif not is_bounded(entry):
                problems.append((shown, "is packed by a method other than deflate"))
            elif entry.file_size > MAX_MEMBER:
                problems.append((shown, f"is larger than {MAX_MEMBER >> 20} MB"))
            elif entry.file_size > room:
                problems.append((shown, "would fill the disk, or is past the largest size of a download"))
            else:
                room -= entry.file_size
                _unpack_one(archive, entry, folder / inside, problems)
        if len(archive.infolist()) > MAX_MEMBERS:
            problems.append((path.name, f"holds more than {MAX_MEMBERS} files; the first ones were read"))
    return folder


def _unpack_one(archive, entry, target, problems):
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = open(target, "xb")
    except OSError as error:
        why = "stands there twice; the first was taken" if isinstance(error, FileExistsError) else error.strerror
        problems.append((entry.filename, f"was not unpacked: {why}"))
        return
    try:
        with file, archive.open(entry) as packed:
            shutil.copyfileobj(packed, file, 1 << 20)
        moment = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(target, (moment, moment))
    except Exception as error:  # strangers' archives: zipfile and its decoders raise whatever a broken one trips
        target.unlink()
        problems.append((entry.filename, f"could not be unpacked: {error}"))
