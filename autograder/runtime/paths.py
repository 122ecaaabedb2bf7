"""The folders of this kit."""

from pathlib import Path

KIT = Path(__file__).resolve().parents[2]  # the repository: the package runs from a checkout
PACKAGE = KIT / "autograder"
