"""Publish a release: build it in a temporary folder, and put it in place by one rename."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.assignment.manifest import Manifest
from autograder.course.course import Course
from autograder.course.nbgrader_runner import generate_assignment, record_cells
from autograder.release.build import get_archive_path, get_hashes_path
from autograder.runtime.atomic import sync_to_disk
from autograder.runtime.locks import lock_folder
from autograder.runtime.os_errors import find_storage_error

_BUILDING, _READY = ".building-", ".ready"  # next to the release: the next one, unfinished and complete

Wait = Callable[[str], None]


def publish(course: Course, manifest: Manifest, wait: Wait | None = None) -> Path:
    """Build the release, record it in the gradebook, replace the old one, and return its folder.

    If the build fails or is killed before the rename, the old release and the gradebook do not change. If it is killed
    after the rename, the next command completes it.

    - wait: as for `locks.lock_folder`
    """
    with _lock_release(course, wait):
        recover(course, manifest)
        unfinished = Path(tempfile.mkdtemp(dir=course.release, prefix=_BUILDING))
        try:
            generate_assignment(course, manifest.name, unfinished)
            sync_to_disk(unfinished)
            os.rename(unfinished, course.release / _READY)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        _put_in_place(course, manifest)
    return course.release / manifest.name


def recover(course: Course, manifest: Manifest) -> None:
    """Complete or undo a `publish` that was killed."""
    if not (course.release / _READY).is_dir() and not any(course.release.glob(f"{_BUILDING}*")):
        return
    with _lock_release(course):
        for unfinished in course.release.glob(f"{_BUILDING}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if (course.release / _READY).is_dir():
            _put_in_place(course, manifest)


@contextlib.contextmanager
def _lock_release(course: Course, wait: Wait | None = None) -> Iterator[None]:
    """Hold the locks of a course and of its release folder, which courses may share. Raises StorageError."""
    command = "autograder release"
    try:
        course.release.mkdir(parents=True, exist_ok=True)
        with lock_folder(course.root, command, wait), lock_folder(course.release.parent, command, wait):
            yield
    except OSError as error:
        storage_error = find_storage_error(error)
        if storage_error is None:
            raise
        raise storage_error from None


def _put_in_place(course: Course, manifest: Manifest) -> None:
    """Record the complete release in the gradebook and move it into place; a killed command may have begun this."""
    ready, target = course.release / _READY, course.release / manifest.name
    fresh, old = ready / manifest.name, ready / "old"
    if fresh.exists():
        try:
            record_cells(course, manifest.name, ready / "unused")
            if target.exists():
                os.rename(target, old)
            os.rename(fresh, target)
        except Exception:
            if old.exists() and not target.exists():
                os.rename(old, target)
            shutil.rmtree(ready, ignore_errors=True)
            raise
    for path in (get_archive_path(target), get_hashes_path(target)):
        if (ready / path.name).exists():
            os.replace(ready / path.name, path)
    shutil.rmtree(ready)


def find_differences(course: Course, manifest: Manifest) -> list[str]:
    """Return one sentence for each difference between release/ and a release made from the sources now."""
    recover(course, manifest)
    with tempfile.TemporaryDirectory(prefix="release-check-") as made:
        generate_assignment(course, manifest.name, Path(made))
        fresh, current = _read_contents(Path(made), manifest.name), _read_contents(course.release, manifest.name)
    found = [f"{path} is missing" for path in sorted(fresh.keys() - current.keys())]
    found += [f"{path} does not belong there" for path in sorted(current.keys() - fresh.keys())]
    found += [
        f"{path} is out of date" for path in sorted(fresh.keys() & current.keys()) if fresh[path] != current[path]
    ]
    return found


def _read_contents(release: Path, name: str) -> dict[str, bytes]:
    paths = [path for path in (release / name).rglob("*") if path.is_file()]
    paths += [path for path in (get_archive_path(release / name), get_hashes_path(release / name)) if path.is_file()]
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in paths}
