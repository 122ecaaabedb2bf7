"""Grading one submission: attempts, second tries, blame, diagnosis, verdicts, points, report.

A judge loads this package and no nbgrader, Jupyter, SQLAlchemy, Typer, Rich or Jinja2: it starts in half a second.
"""

from autograder.grading.submission import judge

__all__ = ["judge"]
