"""Find solution regions, and replace them by stubs.

A region starts at a line `### BEGIN SOLUTION` and ends at a line `### END SOLUTION`. In notebooks, nbgrader's
ClearSolutions removes it. `strip_regions` does exactly the same in `.py` files without loading nbgrader, because every
judge stages the stubs. nbgrader releases the solution without a message if a marker is misspelt or lower-case, or if an
END has no BEGIN. So this module first checks every text for malformed markers.
"""

import functools
from dataclasses import dataclass
from typing import NoReturn

from rapidfuzz import fuzz

from autograder.errors import ReleaseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's replacement of a region

# The other markers of nbgrader; its own preprocessors handle these.
_OTHER_MARKERS = {f"### {edge} {kind}" for edge in ("BEGIN", "END") for kind in ("HIDDEN TESTS", "MARK SCHEME")}

# From this similarity (0 to 100) on, a comment counts as a misspelt marker.
_SIMILARITY = 78


@dataclass(frozen=True)
class Region:
    """One solution region: the lines between the markers, and the number of its BEGIN line (from 1)."""

    line: int
    lines: tuple[str, ...]


def find_regions(text: str, where: str, code: bool = True) -> list[Region]:
    """Return the Regions of a text; raise ReleaseError with file and line if a marker is malformed.

    - where: name of the file or cell, for the message
    - code: whether `###` is reserved for nbgrader's markers; in Markdown it starts a heading
    """
    regions: list[Region] = []
    lines: list[str] = []
    begin = 0  # line of the BEGIN of an open region, else 0
    for number, line in enumerate(text.split("\n"), 1):
        marker = line.strip()
        if marker == BEGIN:
            if begin:
                _refuse(where, number, f"{BEGIN} inside the region that began at line {begin}; end that region first")
            begin, lines = number, []
        elif marker == END:
            if not begin:
                _refuse(where, number, f"{END} without a {BEGIN} before it")
            regions.append(Region(begin, tuple(lines)))
            begin = 0
        elif _resembles_marker(line) or (code and marker.startswith("###") and marker not in _OTHER_MARKERS):
            _refuse(where, number, f"{marker!r} is not a marker; write {BEGIN!r} or {END!r}, alone on its line")
        elif begin:
            lines.append(line)
    if begin:
        _refuse(where, begin, f"{BEGIN} has no {END} after it")
    return regions


@functools.lru_cache(maxsize=256)  # every judge stages the same stubs
def strip_regions(text: str, where: str) -> str:
    """Return a Python text with nbgrader's stub for each solution; raise ReleaseError if a marker is malformed."""
    lines = text.split("\n")
    for region in reversed(find_regions(text, where)):
        begin = region.line - 1
        indent = lines[begin].removesuffix(lines[begin].lstrip())
        lines[begin : begin + len(region.lines) + 2] = [indent + line for line in STUB]
    return "\n".join(lines)


def _resembles_marker(line: str) -> bool:
    """Return whether a comment resembles a marker: misspelt, in another case or order, or after code on its line."""
    _, sign, comment = line.partition("#")
    words = "".join(letter if letter.isalpha() else " " for letter in comment.upper()).split()
    text = " ".join(words)
    return (
        bool(sign)
        and text not in ("SOLUTION", "SOLUTIONS")
        and any(
            marker in text
            or fuzz.token_sort_ratio(text, marker) >= _SIMILARITY
            or fuzz.ratio(text, marker) >= _SIMILARITY
            for marker in ("BEGIN SOLUTION", "END SOLUTION")
        )
    )


def _refuse(where: str, line: int, problem: str) -> NoReturn:
    raise ReleaseError(f"{where}, line {line}: {problem}")
