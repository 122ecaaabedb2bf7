"""Read a submission from a folder or a zip, and find the assignment in it.

The package may be at the top, in `assignment2/`, or one folder deeper. Leftovers of macOS are ignored.
"""

from pathlib import Path, PurePosixPath

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.intake.file_sources import SourceFiles, read_folder, read_zip
from autograder.intake.source_text import convert_to_utf8
from autograder.intake.submission import Submission
from autograder.intake.warnings import find_warnings
from autograder.runtime.os_errors import raise_if_everywhere
from autograder.runtime.text import escape_file_name

MAX_NOTES = 50


def read_submission(path: Path | str, manifest: Manifest, student: str | None = None) -> Submission:
    """Read the folder or zip at `path`; raise KitError if nothing in it can be graded.

    A folder that contains no package but a zip counts as that zip.
    """
    path = Path(path)
    if path.is_dir():
        source, files = _read_folder_or_inner_zip(path, manifest)
    elif path.is_file():
        source = read_zip(path, manifest)
        files = _select_root(source, manifest)
    elif path.exists():
        raise KitError(f"{path} is neither a folder nor a file. Give the student's folder or zip.")
    else:
        raise KitError(f"{path}: there is no such file or folder. Give the student's folder or zip.")
    if not files:
        found = source.notes[:3] or [escape_file_name(name) for name in sorted(source.seen)[:5]]
        raise KitError(
            f"{path}: nothing in it is graded. Expected the folder {manifest.package}/ with {manifest.editable[0]}, "
            f"or the notebooks, at its top or one folder down. Found: {'; '.join(found) or 'nothing'}."
        )
    files, conversion_notes = _convert_texts(files)
    notes = [*conversion_notes, *find_warnings(files, manifest, source.seen, source.notes), *source.notes]
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES - 1 :] = [f"{len(notes) - MAX_NOTES + 1} more notes of this kind were left out."]
    return Submission(path.name, files, notes, student)


def _read_folder_or_inner_zip(path: Path, manifest: Manifest) -> tuple[SourceFiles, dict[str, bytes]]:
    """Return the SourceFiles of a folder, or of the zip in it, and its files relative to the assignment's folder."""
    source = read_folder(path, manifest)
    files = _select_root(source, manifest)
    zips = sorted(inner for inner in path.glob("*.zip") if inner.is_file() and not inner.is_symlink())
    if zips and not any(name.startswith(f"{manifest.package}/") for name in files):
        try:
            packed = read_zip(zips[0], manifest)
        except KitError as error:
            raise_if_everywhere(error)
            if not files:
                raise
            source.notes.append(str(error))  # the notebooks next to a damaged archive still count
        else:
            files |= _select_root(packed, manifest)
            source.notes += [f"{escape_file_name(zips[0].name)} was unpacked and graded.", *packed.notes]
            source.seen += packed.seen
    return source, files


def _convert_texts(files: dict[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """Return the files with every text in an encoding that Python and Jupyter read, and notes on converted files."""
    texts = {path: convert_to_utf8(data) for path, data in files.items() if path.endswith((".py", ".ipynb"))}
    notes = [
        f"{escape_file_name(path)} was saved as UTF-16, which Python cannot import. It was graded nevertheless. "
        "Save it as UTF-8."
        for path, data in texts.items()
        if data is not files[path]
    ]
    return files | texts, notes


def _select_root(source: SourceFiles, manifest: Manifest) -> dict[str, bytes]:
    """Return the files relative to the assignment's folder.

    Of several folders with the package, a folder with graded files comes first, then one with the assignment's name,
    then the one with the shortest path.
    """
    files = source.files
    graded: dict[str, bool] = {}  # {folder of a package: whether it contains graded files}
    for path in files:
        parts = path.split("/")
        for depth, part in enumerate(parts[:-1]):
            if part == manifest.package:
                inside, root = "/".join(parts[depth:]), "".join(f"{folder}/" for folder in parts[:depth])
                is_graded = manifest.is_editable(inside) or inside in manifest.aliases.values()
                graded[root] = graded.get(root, False) or is_graded
    if not graded:
        return {PurePosixPath(path).name: data for path, data in files.items() if not path.endswith(".py")}
    root = min(graded, key=lambda r: (not graded[r], PurePosixPath(r).name != manifest.name, r.count("/"), r))
    count = sum(graded.values())
    if count > 1:
        where = root.rstrip("/") or "the top folder"
        source.notes.append(
            f"There are {count} packages {manifest.package}; the one in {escape_file_name(where)} was graded."
        )
    return {path.removeprefix(root): data for path, data in files.items() if path.startswith(root)}
