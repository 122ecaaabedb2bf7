"""The reference solution's own files, with solutions and as students get them."""

from autograder.assignment.manifest import Manifest
from autograder.assignment.regions import strip_regions

_SHIPPED = {".py", ".pyx", ".pxi", ".h"}  # source files of the package; never caches or binaries


def reference_texts(manifest: Manifest) -> dict[str, str]:
    """Return {path: text} of the reference's own source files, solutions included."""
    top = manifest.root / manifest.package
    return {
        path.relative_to(manifest.root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(top.rglob("*"))
        if path.suffix in _SHIPPED and "__pycache__" not in path.parts
    }


def package_files(manifest: Manifest) -> dict[str, bytes]:
    """Return {path: bytes} of the package as students get it, every solution region replaced by a stub."""
    texts = reference_texts(manifest)
    return {path: strip_regions(text, path).encode() for path, text in texts.items()}
