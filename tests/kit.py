"""The kit's own assignment, for tests and for the commands among them."""

import os
from pathlib import Path

from autograder.assignment.manifest import read_manifest
from autograder.checking.pack import load_pack

ALL_CASES = "ALL_CASES" in os.environ  # grade every planted case, in a sandbox; usually a part is graded
ROOT = Path(__file__).resolve().parents[1]
MANIFEST = read_manifest(ROOT / "assignment2")
PACK = load_pack(MANIFEST)
