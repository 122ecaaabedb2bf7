"""`autograder grade`: a class, from submitted/ to reports, gradebook and pages."""

from collections.abc import Sequence
from pathlib import Path

from autograder.commands import collect
from autograder.commands.console import console, make_wait_printer
from autograder.course import Course
from autograder.errors import KitError
from autograder.grade_class import GradedStudent, grade_class
from autograder.intake.collect import split_arguments
from autograder.report.terminal import print_class, show_class_progress


def run(
    students: Sequence[str] | None,
    course: Path,
    pattern: str | None,
    force: bool,
    jobs: int | None,
    sandbox: str | None,
    wait: bool,
) -> None:
    """Collect the sources, grade, and print the class; raise KitError if not everything was graded."""
    here = Course(course)
    chosen, sources = split_arguments(here, students or here.students())
    if sources:
        chosen = sorted({*chosen, *collect.run(here, sources, pattern, wait)})
    missing = sorted(set(chosen) - set(here.students()))
    if missing or not chosen:
        raise KitError(_nothing_to_grade(here, missing))
    with show_class_progress(console, len(chosen)) as advance:
        done = grade_class(here, chosen, force, sandbox, jobs, advance, make_wait_printer(wait))
    print_class(console, done, here)
    _expect_complete(done)


def _expect_complete(done: Sequence[GradedStudent]) -> None:
    """Raise KitError if a submission was not recorded, or an answer was not judged."""
    unjudged = [graded.student for graded in done if graded.report and not graded.report.is_complete]
    sentences = []
    if any(graded.problem for graded in done):
        sentences.append("some submissions were not recorded; see above. Fix the causes and run the command again.")
    if unjudged:
        sentences.append(
            f"some answers of {', '.join(unjudged)} were not judged: the grader failed (grader_fault), and "
            "they have no points yet. Run the same command again; if it fails again, report it."
        )
    if sentences:
        raise KitError("\n".join(sentences))


def _nothing_to_grade(course: Course, missing: Sequence[str]) -> str:
    """Return the reason why these students cannot be graded, or why there is nothing to grade."""
    top = course.submitted("student").parents[1]
    if not top.is_dir():
        return f"There is no folder {top}. Run: autograder collect DOWNLOAD"
    who = f" of {', '.join(map(repr, missing))}" if missing else ""
    return f"{course.submitted('<student>')}: there is no submission{who} to grade. Run: autograder collect DOWNLOAD"
