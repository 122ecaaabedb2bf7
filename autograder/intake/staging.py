"""Staging: copy the release and the student's files into the folder that the worker imports from."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from autograder.assignment.manifest import Manifest
from autograder.intake.submission import Submission


def stage(
    submission: Submission,
    released: Mapping[str, bytes],
    manifest: Manifest,
    folder: Path | str,
    modules: Mapping[str, str],
) -> None:
    """Write the released package into `folder`, with the student's files in the place of the stubs.

    - released: {path: bytes} of the released package
    - modules: {path: text} of the modules of answers in notebook cells

    Raises OSError if a file cannot be written.
    """
    package = f"{manifest.package}/"
    files = {path: data for path, data in released.items() if path.startswith(package)}
    for path, data in submission.files.items():
        provided = path in released and not manifest.is_editable(path)
        # Python would import a folder layers/ instead of layers.py, the file that reports show.
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


def find_own_path(submission: Submission, path: str, manifest: Manifest, released: Mapping[str, bytes]) -> str:
    """Return the path of the student's file for `path`: the same, or its name in older editions of the course."""
    former = manifest.aliases.get(path)
    if former and former in submission.files and submission.files.get(path) in (None, released.get(path)):
        return former
    return path
