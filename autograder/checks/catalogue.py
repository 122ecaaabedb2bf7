"""The catalogue of misconceptions of this assignment, read once."""

import functools
from collections.abc import Mapping
from pathlib import Path

from autograder.diagnosis import misconceptions
from autograder.report.model import Diagnosis

ASSIGNMENT = Path(__file__).resolve().parents[2] / "assignment2"
FOLDER = Path(__file__).parent / "misconceptions"


@functools.cache
def catalogue() -> Mapping[str, list[misconceptions.Wrong]]:
    """Return the wrong versions of the reference by question."""
    return misconceptions.load(FOLDER, ASSIGNMENT)


def misconception(question: str, title: str) -> Diagnosis:
    """Return the Diagnosis of the catalogue's entry with this title, for a check that recognises it itself."""
    versions = catalogue()[question]
    return next(version.misconception.diagnosis for version in versions if version.misconception.title == title)
