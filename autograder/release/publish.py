"""Publishing: a release is built aside and put in place by one rename, and an interrupted one is completed."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from autograder.course.database import prepare_gradebook
from autograder.course.nbgrader_runner import generate_assignment
from autograder.release.build import archive_path, hashes_path
from autograder.runtime.atomic import sync_to_disk
from autograder.runtime.locks import lock_folder
from autograder.runtime.os_errors import find_storage_error

_BUILDING, _READY = ".building-", ".ready"  # beside the release: the next one in the making, and complete


def publish(course, manifest, wait=None):
    """Build the release aside, then put it in place of the old one and tell the gradebook; return its folder.

    One rename decides: a build that is killed or fails before it leaves release and gradebook as they were, and what is
    killed after it the next command brings to its end.

    - wait: as for `locks.lock_folder`
    """
    with _alone(course, wait):
        recover(course, manifest)
        aside = Path(tempfile.mkdtemp(dir=course.release, prefix=_BUILDING))
        try:
            generate_assignment(course, manifest.name, aside, record=False)
            sync_to_disk(aside)
            os.rename(aside, course.release / _READY)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _put_in_place(course, manifest)
    return course.release / manifest.name


def recover(course, manifest):
    """End what a killed `publish` left half done."""
    if not (course.release / _READY).is_dir() and not any(course.release.glob(f"{_BUILDING}*")):
        return
    with _alone(course):
        for aside in course.release.glob(f"{_BUILDING}*"):
            shutil.rmtree(aside, ignore_errors=True)
        if (course.release / _READY).is_dir():
            _put_in_place(course, manifest)


@contextlib.contextmanager
def _alone(course, wait=None):
    """Hold the locks of a course and of where its release lies, which courses may share; say what the disk refuses."""
    doing = "autograder release"
    try:
        course.release.mkdir(parents=True, exist_ok=True)
        with lock_folder(course.root, doing, wait), lock_folder(course.release.parent, doing, wait):
            yield
    except OSError as error:
        said = find_storage_error(error)
        if said is None:
            raise
        raise said from None


def _put_in_place(course, manifest):
    """Tell the gradebook of the release that is ready and move it into place; may have been begun already."""
    ready, target = course.release / _READY, course.release / manifest.name
    fresh, old = ready / manifest.name, ready / "old"
    if fresh.exists():
        try:
            _tell_gradebook(course, manifest)
            if target.exists():
                os.rename(target, old)
            os.rename(fresh, target)
        except Exception:
            if old.exists() and not target.exists():
                os.rename(old, target)
            shutil.rmtree(ready, ignore_errors=True)
            raise
    for path in (archive_path(target), hashes_path(target)):
        if (ready / path.name).exists():
            os.replace(ready / path.name, path)
    shutil.rmtree(ready)


def _tell_gradebook(course, manifest):
    """Record the cells in the gradebook; nbgrader does so only while it makes a release, which is thrown away."""
    prepare_gradebook(course)
    generate_assignment(course, manifest.name, course.release / _READY / "again")


def differences(course, manifest):
    """Return sentences that say how release/ differs from what the sources give now; empty where it is fresh."""
    recover(course, manifest)
    with tempfile.TemporaryDirectory(prefix="release-check-") as aside:
        generate_assignment(course, manifest.name, Path(aside), record=False)
        fresh, current = _contents(Path(aside), manifest.name), _contents(course.release, manifest.name)
    said = [f"{path} is missing" for path in sorted(fresh.keys() - current.keys())]
    said += [f"{path} does not belong there" for path in sorted(current.keys() - fresh.keys())]
    said += [f"{path} is out of date" for path in sorted(fresh.keys() & current.keys()) if fresh[path] != current[path]]
    return said


def _contents(release, name):
    paths = [path for path in (release / name).rglob("*") if path.is_file()]
    paths += [path for path in (archive_path(release / name), hashes_path(release / name)) if path.is_file()]
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in paths}
