"""Recognize one student's submission, a zip of several submissions, and folders or zips around them."""

import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from re import Pattern

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.intake.file_limits import IGNORED_FOLDERS
from autograder.intake.lms_names import find_owner
from autograder.intake.safe_zip import ArchiveError, open_zip

# Files that operating systems and LMSs add, in lower case.
LEFTOVERS = {".ds_store", "thumbs.db", "desktop.ini", "timestamp.txt", "index.html"}


def is_submission(path: Path, manifest: Manifest) -> bool:
    """Return whether a folder is one student's submission.

    It is if it contains the package, at most one folder down, or notebooks and no zip.
    """
    if not path.is_dir():
        return False
    names = {inner.name for inner in path.iterdir()}
    has_package = (path / manifest.package).is_dir() or (path / manifest.name / manifest.package).is_dir()
    has_zip = any(name.lower().endswith(".zip") for name in names)
    return has_package or (bool(manifest.notebook_files & names) and not has_zip)


def is_bulk_zip(path: Path, manifest: Manifest, pattern: Pattern[str] | None) -> bool:
    """Return whether a zip contains the submissions of several students, and is not itself a submission.

    Call it only for a zip that the instructor named, never for a zip of a student. Raises KitError if the zip has too
    many members.
    """
    files_by_top: defaultdict[str, set[str]] = defaultdict(set)
    has_answers = False
    notebooks = manifest.notebook_files
    try:
        with open(path, "rb") as file, open_zip(file) as archive:
            entries = archive.infolist()
    except ArchiveError as error:
        raise KitError(f"{path} cannot be unpacked: {error}. Unpack it, and give the folder.") from None
    except Exception:  # damaged: zipfile raises many kinds of exceptions, and `read_submission` gives the reason
        return False
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if entry.is_dir() or not parts or IGNORED_FOLDERS & set(parts):
            continue
        top, name = parts[0], parts[len(parts) - 1]
        files_by_top[top].add(name)
        has_answers |= manifest.package in parts[:2] or (len(parts) <= 2 and name in notebooks)
    owners = [find_owner(top, manifest.name, pattern) for top in files_by_top]
    if any(owner and owner.explicit and owner.rest != top for owner, top in zip(owners, files_by_top)):
        return True  # the names of an LMS
    zips = [name for names in files_by_top.values() for name in names if name.lower().endswith(".zip")]
    folders = [top for top, names in files_by_top.items() if names != {top} and not top.startswith(".")]
    return bool(zips and not has_answers) or (len(folders) > 1 and manifest.package not in files_by_top)


def find_wrapped(folder: Path, manifest: Manifest, pattern: Pattern[str] | None) -> Path | None:
    """Return the only item in a folder if it is a folder or zip of several submissions, else None."""
    if not folder.is_dir():
        return None
    inner = _list_visible(folder)
    if len(inner) != 1 or inner[0].is_symlink():
        return None
    (item,) = inner
    owner = find_owner(item.name, manifest.name, pattern)
    if not item.is_dir():
        is_zip = item.is_file() and zipfile.is_zipfile(item)
        return item if is_zip and is_bulk_zip(item, manifest, pattern) else None
    if (owner and owner.explicit) or is_submission(item, manifest):
        return None
    owners = [find_owner(path.name, manifest.name, pattern) for path in _list_visible(item)]
    return item if len(owners) > 1 or any(owner and owner.explicit for owner in owners) else None


def _list_visible(folder: Path) -> list[Path]:
    ignored = LEFTOVERS | {name.lower() for name in IGNORED_FOLDERS}
    return [path for path in folder.iterdir() if path.name[0] != "." and path.name.lower() not in ignored]
