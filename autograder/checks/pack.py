"""The ground the checks stand on: the reference made importable, the wrong versions of it, the registry of criteria."""

import os
import sys
from pathlib import Path

from autograder import misconceptions
from autograder.criteria import Registry

ASSIGNMENT = Path(__file__).resolve().parents[2] / "assignment2"
if str(ASSIGNMENT) not in sys.path:
    sys.path.insert(0, str(ASSIGNMENT))

os.environ.setdefault("AUTOGRADER", "1")  # the assignment's own notices are for students

MISCONCEPTIONS = misconceptions.load(Path(__file__).parent / "misconceptions", ASSIGNMENT)

REGISTRY = Registry()
criterion = REGISTRY.criterion

LARGE_CALLS = {}  # question: Trial -> derived.LargeCall


def large_call(question):
    """Decorate what makes the LargeCall of a question, whose gradient may have to be derived."""

    def register(make):
        LARGE_CALLS[question] = make
        return make

    return register


def misconception(question, name):
    """Return the Diagnosis of the catalogue's entry of this name, for a check that recognises it itself."""
    return next(version.diagnosis for version in MISCONCEPTIONS[question] if version.misconception.name == name)
