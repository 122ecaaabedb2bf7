"""The ground the checks stand on: the reference solution made importable, and the registry they add themselves to."""

import os
import sys
from pathlib import Path

from autograder.criteria import Registry

ASSIGNMENT = Path(__file__).resolve().parents[2] / "assignment2"
if str(ASSIGNMENT) not in sys.path:
    sys.path.insert(0, str(ASSIGNMENT))

os.environ.setdefault("AUTOGRADER", "1")  # the assignment's own notices are for students

REGISTRY = Registry()
criterion = REGISTRY.criterion
