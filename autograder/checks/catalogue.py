"""The catalogue of misconceptions of this assignment, read once."""

import functools
from collections.abc import Mapping
from pathlib import Path

from autograder.diagnosis import misconceptions
from autograder.diagnosis.wrong_version import WrongVersion
from autograder.report.model import Diagnosis

ASSIGNMENT = Path(__file__).resolve().parents[2] / "assignment2"
FOLDER = Path(__file__).parent / "misconceptions"


@functools.cache
def load_catalogue() -> Mapping[str, list[WrongVersion]]:
    """Return the wrong versions of the reference by question."""
    return misconceptions.load(FOLDER, ASSIGNMENT)


def find_misconception(question: str, name: str) -> Diagnosis:
    """Return the Diagnosis of the catalogue's entry of this name, for a check that recognises the mistake itself."""
    return next(version.diagnosis for version in load_catalogue()[question] if version.misconception.name == name)
