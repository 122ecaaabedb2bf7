"""The student release: the stubbed package beside the stripped notebooks, as a folder, an archive and a list of hashes.

nbgrader strips the notebooks. The package lies outside the tree nbgrader reads, because nbgrader copies `.py` files
as they are, solutions included; `ReleasePackage`, a preprocessor, adds it stripped. A preprocessor that raises makes
nbgrader delete the release, so whatever goes wrong here leaves no release rather than a leaking one.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from autograder.course.course import generate_assignment
from autograder.course.database import prepare_gradebook
from autograder.errors import ReleaseError
from autograder.runtime.atomic import sync, write_atomically
from autograder.release.leak_scan import refuse_leaks, secret_lines
from autograder.runtime.locks import alone
from autograder.assignment.regions import strip_regions
from autograder.runtime.os_errors import as_storage_error

_BUILDING, _READY = ".building-", ".ready"  # beside the release: the next one in the making, and complete
_SHIPPED = {".py", ".pyx", ".pxi", ".h"}  # what of the package students get; never caches or binaries


def package_files(manifest):
    """Return {path: bytes} of the package as students get it, every solution region replaced by a stub."""
    texts = reference_texts(manifest)
    return {path: strip_regions(text, path).encode() for path, text in texts.items()}


def handout_files(manifest):
    """Return {path: bytes} of what is handed out beside the package as it is."""
    files = {}
    for name in manifest.handout:
        source = manifest.root / name
        if not source.is_file():
            raise ReleaseError(f"{source}: the manifest's handout names this file, and it does not exist")
        files[source.name] = source.read_bytes()
    return files


def reference_texts(manifest):
    """Return {path: text} of the reference's own source files, solutions included."""
    top = manifest.root / manifest.package
    return {
        path.relative_to(manifest.root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(top.rglob("*"))
        if path.suffix in _SHIPPED and "__pycache__" not in path.parts
    }


def secrets_of(manifest, source):
    """Return the secret lines of the reference and of the notebooks in the folder `source`."""
    notebooks = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(source.glob("*.ipynb"))}
    return secret_lines(reference_texts(manifest), notebooks)


def complete_release(manifest, source, folder, notebooks):
    """Finish a release folder that nbgrader is writing: add the package, scan everything, write archive and hashes.

    - source: folder of the source notebooks
    - folder: release/<assignment>, where nbgrader has copied its other files already
    - notebooks: {file name: bytes} that nbgrader has not written yet
    """
    folder = Path(folder)
    own = package_files(manifest) | handout_files(manifest)
    present = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files = present | own | notebooks
    refuse_leaks(files, secrets_of(manifest, source))
    for path, data in own.items():
        write_atomically(folder / path, data)
        if path.endswith(".sh"):
            (folder / path).chmod(0o755)
    if {path.name for path in source.glob("*.ipynb")} <= set(files):
        archive = zip_bytes(manifest.name, files)
        refuse_leaks({f"{manifest.name}.zip": archive}, secrets_of(manifest, source))
        write_atomically(archive_path(folder), archive)
        listed = {f"{folder.name}/{path}": data for path, data in files.items()} | {archive_path(folder).name: archive}
        write_atomically(hashes_path(folder), hash_list(listed).encode())


def archive_path(folder):
    """release/assignment2.zip for the folder release/assignment2."""
    return folder.with_name(f"{folder.name}.zip")


def hashes_path(folder):
    """release/assignment2.sha256, in the format that `sha256sum --check` reads."""
    return folder.with_name(f"{folder.name}.sha256")


def zip_bytes(name, files):
    """Return an archive of {path: bytes} under the folder `name`, byte-identical on every build and machine.

    Members are stored, not compressed: compressed bytes differ between versions of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o100755 if path.endswith(".sh") else 0o100644) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def hash_list(files):
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))


def publish(course, manifest, wait=None):
    """Build the release aside, then put it in place of the old one and tell the gradebook; return its folder.

    One rename decides: a build that is killed or fails before it leaves release and gradebook as they were, and what is
    killed after it the next command brings to its end.

    - wait: as for `locks.alone`
    """
    with _alone(course, wait):
        recover(course, manifest)
        aside = Path(tempfile.mkdtemp(dir=course.release, prefix=_BUILDING))
        try:
            generate_assignment(course, manifest.name, aside, record=False)
            sync(aside)
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
        with alone(course.root, doing, wait), alone(course.release.parent, doing, wait):
            yield
    except OSError as error:
        said = as_storage_error(error)
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
