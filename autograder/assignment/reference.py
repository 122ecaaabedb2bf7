"""Read the source files of the reference, with solutions and as released."""

from autograder.assignment.manifest import Manifest
from autograder.assignment.regions import strip_regions

_SUFFIXES = {".py", ".pyx", ".pxi", ".h"}  # source files of the package; no caches or binaries


def read_reference_texts(manifest: Manifest) -> dict[str, str]:
    """Return {path: text} of the reference's source files, with their solutions."""
    top = manifest.root / manifest.package
    return {
        path.relative_to(manifest.root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(top.rglob("*"))
        if path.suffix in _SUFFIXES and "__pycache__" not in path.parts
    }


def make_released_package(manifest: Manifest) -> dict[str, bytes]:
    """Return {path: bytes} of the released package, with a stub in the place of every region; ReleaseError."""
    texts = read_reference_texts(manifest)
    return {path: strip_regions(text, path).encode() for path, text in texts.items()}
