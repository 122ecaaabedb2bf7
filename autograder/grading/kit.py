"""The kit that produces a report: its version and a digest of its files, which show whether a report is still valid."""

import functools
import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np

import autograder
from autograder.assignment.manifest import Manifest
from autograder.checking.pack import pack_path
from autograder.grading.question import is_available
from autograder.runtime.paths import PACKAGE

_CODE = (".py", ".pyx", ".pxi", ".h", ".tbl", ".toml", ".ipynb")  # files in the digest; the folders may contain others


def describe_kit(manifest: Manifest) -> dict[str, Any]:
    """Return the versions of kit, Python and NumPy, a digest of the files, and the available optional modules."""
    return {
        "version": autograder.__version__,
        "digest": _digest_files(manifest.root, manifest.notebooks, pack_path(manifest)),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "available": {name: is_available(name) for question in manifest.questions for name in question.requires},
    }


@functools.cache
def _digest_files(root: Path, notebooks: Path, pack: Path | None) -> str:
    """Return a SHA-256 of the code of grader, reference and notebooks, and of all files of the pack."""
    total = hashlib.sha256()
    files = [(top, path) for top in (PACKAGE, root, notebooks) for path in top.rglob("*") if path.suffix in _CODE]
    if pack:
        inside = pack.rglob("*") if pack.is_dir() else [pack]
        files += [(pack.parent, path) for path in inside if path.is_file() and "__pycache__" not in path.parts]
    for top, path in sorted(files):
        total.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
