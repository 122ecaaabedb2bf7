"""Grading one submission: attempts, second tries, blame, diagnosis, verdicts, points, report.

A judge imports this package. It imports no nbgrader, Jupyter, SQLAlchemy, Typer, Rich or Jinja2, so that a judge
starts in half a second.
"""

from autograder.grading.setting import make_setting
from autograder.grading.submission import judge

__all__ = ["judge", "make_setting"]
