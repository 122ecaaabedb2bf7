"""`autograder collect`: take submissions from downloads into submitted/."""

from collections.abc import Sequence
from pathlib import Path

from autograder.commands.console import console, waiting
from autograder.course import Course
from autograder.errors import KitError
from autograder.intake.collect import collect
from autograder.runtime.text import make_one_line


def run(course: Course, sources: Sequence[Path], pattern: str | None, wait: bool) -> list[str]:
    """Collect, print what was done, and return the students' ids; KitError where nothing can be graded."""
    collected = collect(course, sources, pattern, waiting(wait))
    for sentence in collected.describe():
        console.print(make_one_line(sentence), soft_wrap=True)
    if not collected.students:
        raise KitError(f"{', '.join(map(str, sources))}: no submission was found that can be graded.")
    return list(collected.students)
