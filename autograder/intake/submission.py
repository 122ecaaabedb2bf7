"""A submission: the files of one student, read once."""

import ast
import functools
import hashlib
from dataclasses import dataclass, field
from typing import Any

from autograder.intake.source_text import decode_source, parse_source


@dataclass
class Submission:
    """The files of one student.

    - name: the name of the folder or zip
    - files: {path: bytes}, relative to the assignment's folder, such as `cs231n/layers.py`
    - notes: sentences for the report
    - student: the student's id in a course
    """

    name: str
    files: dict[str, bytes]
    notes: list[str] = field(default_factory=list)
    student: str | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 digest of all paths and contents; submissions with equal digests get equal reports."""
        total = hashlib.sha256()
        for path in sorted(self.files):
            total.update(f"{path}\0{len(self.files[path])}\0".encode("utf-8", "surrogateescape") + self.files[path])
        return total.hexdigest()

    def decode_text(self, path: str) -> str | None:
        """Return the text of a Python file, decoded as Python does, or None if it is absent or cannot be decoded."""
        try:
            return decode_source(self.files[path]).replace("\r\n", "\n").replace("\r", "\n")
        except (KeyError, SyntaxError, ValueError, LookupError):  # some codecs raise UnicodeError, a ValueError
            return None

    def find_code(self, path: str, name: str) -> dict[str, Any] | None:
        """Return {file, line, text} of a top-level function or class, or None if the file does not define it."""
        text = self.decode_text(path) or ""
        try:
            lines = _find_definitions(text).get(name)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if not lines:
            return None
        first, last = lines
        return {
            "file": path,
            "line": first,
            "text": "\n".join(text.split("\n")[first - 1 : last]),
        }


@functools.lru_cache(maxsize=32)
def _find_definitions(text: str) -> dict[str, tuple[int, int]]:
    """Return {name: (first line, last line)} of the top-level functions and classes; the last definition counts.

    The result is cached, because every question of a file needs it, and needs that of the released file.
    """
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    return {
        node.name: (node.lineno, node.end_lineno or node.lineno)
        for node in parse_source(text).body
        if isinstance(node, kinds)
    }
