"""The student release: the stubbed package and the stripped notebooks, as a folder, an archive and a list of hashes.

nbgrader strips the notebooks. The package is outside the tree that nbgrader reads, because nbgrader copies `.py` files
with their solutions; the preprocessor `ReleasePackage` adds the stubbed package. If a preprocessor raises an exception,
nbgrader deletes the release: an error leaves no release instead of one with solutions.
"""

import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path

from autograder.assignment.manifest import Manifest
from autograder.assignment.reference import make_released_package, read_reference_texts
from autograder.errors import ReleaseError
from autograder.release.leak_scan import find_secret_lines, refuse_leaks
from autograder.runtime.atomic import write_atomically


def read_handout_files(manifest: Manifest) -> dict[str, bytes]:
    """Return {path: bytes} of the files that students get unchanged, in addition to the package."""
    files = {}
    for name in manifest.handout:
        source = manifest.root / name
        if not source.is_file():
            raise ReleaseError(
                f"{source}: no such file, but the manifest's handout names it. "
                "Add the file, or remove its name from the handout"
            )
        files[source.name] = source.read_bytes()
    return files


def read_secret_lines(manifest: Manifest, source: Path) -> dict[str, str]:
    """Return the secret lines of the reference and of the notebooks in the folder `source`."""
    notebooks = tuple((path.name, path.read_text(encoding="utf-8")) for path in sorted(source.glob("*.ipynb")))
    return _find_secret_lines(tuple(read_reference_texts(manifest).items()), notebooks)


@functools.lru_cache(maxsize=1)  # the same for every notebook of a release
def _find_secret_lines(texts: tuple[tuple[str, str], ...], notebooks: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return find_secret_lines(dict(texts), {name: json.loads(text) for name, text in notebooks})


def complete_release(manifest: Manifest, source: Path, folder: Path, notebooks: dict[str, bytes]) -> None:
    """Complete a release folder that nbgrader is writing: add the package, scan everything, write archive and hashes.

    - source: folder of the source notebooks
    - folder: release/<assignment>, which has nbgrader's other files already
    - notebooks: {file name: bytes} of notebooks that nbgrader has not written yet
    """
    folder = Path(folder)
    own = make_released_package(manifest) | read_handout_files(manifest)
    present = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files = present | own | notebooks
    secret_lines = read_secret_lines(manifest, source)
    refuse_leaks(files, secret_lines)
    for path, data in own.items():
        write_atomically(folder / path, data)
        if path.endswith(".sh"):
            (folder / path).chmod(0o755)
    if {path.name for path in source.glob("*.ipynb")} <= set(files):
        archive = make_zip(manifest.name, files)
        refuse_leaks({f"{manifest.name}.zip": archive}, secret_lines)
        archive_path = get_archive_path(folder)
        write_atomically(archive_path, archive)
        listed = {f"{folder.name}/{path}": data for path, data in files.items()} | {archive_path.name: archive}
        write_atomically(get_hashes_path(folder), format_hashes(listed).encode())


def get_archive_path(folder: Path) -> Path:
    """Return release/assignment2.zip for the folder release/assignment2."""
    return folder.with_name(f"{folder.name}.zip")


def get_hashes_path(folder: Path) -> Path:
    """Return release/assignment2.sha256, in the format that `sha256sum --check` reads."""
    return folder.with_name(f"{folder.name}.sha256")


def make_zip(name: str, files: dict[str, bytes]) -> bytes:
    """Return an archive of {path: bytes} in the folder `name`, byte-identical on every machine.

    Its members are not compressed: compressed bytes differ between versions of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o100755 if path.endswith(".sh") else 0o100644) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def format_hashes(files: dict[str, bytes]) -> str:
    """Return the SHA-256 hashes of {path: bytes}, in the format of `sha256sum`."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))
