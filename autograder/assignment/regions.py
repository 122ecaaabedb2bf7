"""Solution regions: where they are, what is in them, and what is left when they are taken out.

A region runs from a line `### BEGIN SOLUTION` to a line `### END SOLUTION`. In notebooks nbgrader's ClearSolutions
removes it; `strip_regions` does exactly the same in `.py` files, without loading nbgrader, since every judge stages
the stubs. nbgrader trusts markers too much: a mistyped or lower-case marker, or an END with no BEGIN, ships the
solution without a message. So every text is proved well formed first.
"""

from dataclasses import dataclass

from rapidfuzz import fuzz

from autograder.errors import ReleaseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's, in place of a region

# The other markers nbgrader knows; its own preprocessors look after these.
_NBGRADER = {f"### {edge} {what}" for edge in ("BEGIN", "END") for what in ("HIDDEN TESTS", "MARK SCHEME")}

# How alike (0 to 100) a comment and a marker may be before the comment counts as a marker gone wrong.
_ALIKE = 78


@dataclass(frozen=True)
class Region:
    """One solution region: the lines between the markers, and the number of its BEGIN line (from 1)."""

    line: int
    lines: tuple[str, ...]


def find_regions(text, where, code=True):
    """Return the Regions of a text; ReleaseError with file and line where a marker is malformed.

    - where: name of the file or cell, for the message
    - code: in code `###` is kept for nbgrader's markers; in Markdown it opens a heading
    """
    regions, begun, lines = [], None, []
    for number, line in enumerate(text.split("\n"), 1):
        marker = line.strip()
        if marker == BEGIN:
            if begun:
                _refuse(where, number, f"{BEGIN} inside the region that began at line {begun}; close that one first")
            begun, lines = number, []
        elif marker == END:
            if not begun:
                _refuse(where, number, f"{END} without a {BEGIN} before it")
            regions.append(Region(begun, tuple(lines)))
            begun = None
        elif _meant_as_marker(line) or (code and marker.startswith("###") and marker not in _NBGRADER):
            _refuse(where, number, f"{marker!r} is no marker; write {BEGIN!r} or {END!r}, alone on its line")
        elif begun:
            lines.append(line)
    if begun:
        _refuse(where, begun, f"{BEGIN} has no {END} after it")
    return regions


def strip_regions(text: str, where: str) -> str:
    """Return a Python text with every solution region replaced by nbgrader's stub; ReleaseError as find_regions."""
    lines = text.split("\n")
    for region in reversed(find_regions(text, where)):
        begin = region.line - 1
        indent = lines[begin].removesuffix(lines[begin].lstrip())
        lines[begin : begin + len(region.lines) + 2] = [indent + line for line in STUB]
    return "\n".join(lines)


def _meant_as_marker(line):
    """Say whether a comment looks like a marker: misspelt, in another case or order, or after code on its line."""
    _, sign, comment = line.partition("#")
    words = "".join(letter if letter.isalpha() else " " for letter in comment.upper()).split()
    text = " ".join(words)
    return (
        bool(sign)
        and text not in ("SOLUTION", "SOLUTIONS")
        and any(
            marker in text or fuzz.token_sort_ratio(text, marker) >= _ALIKE or fuzz.ratio(text, marker) >= _ALIKE
            for marker in ("BEGIN SOLUTION", "END SOLUTION")
        )
    )


def _refuse(where, line, what):
    raise ReleaseError(f"{where}, line {line}: {what}")
