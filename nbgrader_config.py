"""This folder as an nbgrader course. Settings of your own (late penalties, PostgreSQL, ...) go below the last line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from autograder.course import configure

c = get_config()  # noqa: F821  (nbgrader provides it)
configure(c, root=Path(__file__).parent)
