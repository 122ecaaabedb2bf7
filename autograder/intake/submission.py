"""A submission: the files that a student handed in, read once."""

import ast
import functools
import hashlib
from dataclasses import dataclass, field

from autograder.intake.source_text import decode_source, parse


@dataclass
class Submission:
    """Files by their path relative to the assignment's folder (`cs231n/layers.py`), and remarks for the report."""

    name: str
    files: dict[str, bytes]
    notes: list[str] = field(default_factory=list)
    student: str | None = None

    @property
    def digest(self):
        """SHA-256 over paths and contents: two hand-ins with one digest get one report."""
        total = hashlib.sha256()
        for path in sorted(self.files):
            total.update(f"{path}\0{len(self.files[path])}\0".encode("utf-8", "surrogateescape") + self.files[path])
        return total.hexdigest()

    def text(self, path):
        """Return a Python file decoded as Python itself would, or None where there is no such readable file."""
        try:
            return decode_source(self.files[path]).replace("\r\n", "\n").replace("\r", "\n")
        except (KeyError, SyntaxError, ValueError, LookupError):  # some codecs raise UnicodeError itself
            return None

    def code_of(self, path, name):
        """Return {file, line, text} of a top-level function or class, or None where it is not to be found."""
        text = self.text(path)
        try:
            lines = _definitions(text or "").get(name)
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
def _definitions(text: str) -> dict[str, tuple[int, int]]:
    """Return {name: (first line, last line)} of the top-level functions and classes; of two the last one counts.

    It is kept: every question of a file asks for it, and for that of the released file.
    """
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    return {
        node.name: (node.lineno, node.end_lineno or node.lineno) for node in parse(text).body if isinstance(node, kinds)
    }
