"""`autograder collect`: take submissions from downloads into submitted/."""

from collections.abc import Sequence
from pathlib import Path

from autograder.commands.console import console, make_wait_printer
from autograder.course import Course
from autograder.errors import KitError
from autograder.intake.collect import collect
from autograder.runtime.text import make_one_line


def run(course: Course, sources: Sequence[Path], pattern: str | None, wait: bool) -> list[str]:
    """Collect, print the results, and return the students' ids; raise KitError if nothing can be graded."""
    collected = collect(course, sources, pattern, make_wait_printer(wait))
    for sentence in collected.describe():
        console.print(make_one_line(sentence), soft_wrap=True)
    if not collected.students:
        names = ", ".join(map(str, sources))
        raise KitError(
            f"{names}: found no submission that can be graded; expected folders or zips of students. "
            "See docs/instructor.md for the accepted forms."
        )
    return list(collected.students)
