"""Gradient checkers side by side: which planted bugs each of them finds, and which right code it refuses."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "assignment2"))  # the layers that the cases are made of
