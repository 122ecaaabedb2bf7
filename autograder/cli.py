"""The command line: the options of every command. Each command itself is in commands/.

The functions contain imports on purpose: each command loads only the modules that it needs (commands/__init__.py).
"""

import io
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from autograder.commands.console import console, errors
from autograder.errors import BROKEN_PIPE, KitError
from autograder.runtime.os_errors import find_storage_error
from autograder.runtime.signals import handle_stop_signals
from autograder.runtime.startup import skip_slow_grammars
from autograder.runtime.text import make_printable

app = typer.Typer(
    help="Release an assignment, grade a class in a sandbox, read why a gradient is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done; 1 a fault of this program; 2 wrong usage; 3 the input cannot be used; "
    "4 the release must not be made or is out of date; 5 a required sandbox does not work here; "
    "6 another command is running in this course; 7 the disk, the gradebook or the machine failed; "
    "130 or 143 stopped; 141 done, but the reader of the output has gone.",
)


def _parse_path(text: str) -> Path:
    """Return the argument as a Path; refuse an empty one, such as an unset variable of a script."""
    if not str(text).strip():
        raise typer.BadParameter("the path is empty; give a path.")
    return Path(text)


SubmissionArgument = Annotated[
    Path, typer.Argument(help="A student's folder or zip.", show_default=False, parser=_parse_path, metavar="PATH")
]
CourseOption = Annotated[Path, typer.Option("--course", help="The course's folder (with nbgrader_config.py).")]
AssignmentOption = Annotated[
    Optional[Path],
    typer.Option("--assignment", help="The assignment's folder, with questions.toml (default: this kit's own)."),
]
SeedOption = Annotated[Optional[int], typer.Option(help="Seed of the hidden inputs (default: this kit's own).")]
PatternOption = Annotated[
    Optional[str],
    typer.Option(help="Regular expression with (?P<student>...), for file names of another form."),
]
RequireOption = Annotated[bool, typer.Option("--require-sandbox", help="The same as --sandbox bubblewrap.")]
SandboxOption = Annotated[
    Optional[str],
    typer.Option(
        "--sandbox",
        help="Run student code in this sandbox only: bubblewrap, landlock or plain (default: the strongest here).",
        show_default=False,
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="If another command is running in this course, wait until it is done.")
]


@app.command()
@handle_stop_signals("The old release is in place, or the next command puts the new one there.")
def release(
    check: Annotated[bool, typer.Option("--check", help="Only check whether release/ is up to date.")] = False,
    course: CourseOption = Path("."),
    wait: WaitOption = False,
) -> None:
    """Make the student release from the reference solution, or check that it is fresh."""
    from autograder.commands import release

    release.run(check, course, wait)


@app.command()
@handle_stop_signals("Nothing was written.")
def check(
    path: SubmissionArgument,
    json: Annotated[Optional[Path], typer.Option("--json", help="Write the report here as JSON.")] = None,
    html: Annotated[Optional[Path], typer.Option("--html", help="Write the report here as one HTML page.")] = None,
    question: Annotated[
        Optional[list[str]], typer.Option(help="Only this question and what it needs (repeatable).")
    ] = None,
    for_student: Annotated[
        bool, typer.Option("--for-student", help="Make the HTML page for the student, without hidden inputs.")
    ] = False,
    seed: SeedOption = None,
    assignment: AssignmentOption = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
) -> None:
    """Grade one submission, without a course."""
    from autograder.commands.check import check

    check(path, json, html, question or (), for_student, _choose_sandbox(sandbox, require_sandbox), assignment, seed)


@app.command()
def reproduce(
    path: SubmissionArgument,
    question: Annotated[str, typer.Argument(help="The question's id.", show_default=False)],
    criterion: Annotated[str, typer.Argument(help="The criterion's name.", show_default=False)],
    seed: SeedOption = None,
    save: Annotated[Optional[Path], typer.Option(help="Write all its arrays to this .npz file.")] = None,
    course: CourseOption = Path("."),
    assignment: AssignmentOption = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
) -> None:
    """Judge one criterion again; show its inputs, the answer and the expected answer."""
    from autograder.commands.check import reproduce

    reproduce(path, question, criterion, seed, save, course, _choose_sandbox(sandbox, require_sandbox), assignment)


@app.command()
@handle_stop_signals("What is collected is kept; run the same command again to go on.")
def collect(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Folders or zips: one zip or folder a student, or an LMS's bulk download.",
            parser=_parse_path,
            metavar="SOURCES...",
        ),
    ],
    course: CourseOption = Path("."),
    pattern: PatternOption = None,
    wait: WaitOption = False,
) -> None:
    """Copy submissions into submitted/, and list those that cannot be used."""
    from autograder.commands import collect
    from autograder.course import Course

    collect.run(Course(course), sources, pattern, wait)


@app.command()
@handle_stop_signals("What is graded is kept; run the same command again to go on.")
def grade(
    students: Annotated[
        Optional[list[str]],
        typer.Argument(help="Student ids, or folders and zips to collect first (default: everyone in submitted/)."),
    ] = None,
    course: CourseOption = Path("."),
    pattern: PatternOption = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again even if nothing has changed.")] = False,
    jobs: Annotated[
        Optional[int], typer.Option(min=1, help="Submissions at once (default: one for each core).")
    ] = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
    wait: WaitOption = False,
) -> None:
    """Grade the class in submitted/: reports, gradebook and HTML pages."""
    from autograder.commands import grade

    grade.run(students, course, pattern, force, jobs, _choose_sandbox(sandbox, require_sandbox), wait)


@app.command()
def measure(
    times: Annotated[int, typer.Option(min=1, help="Runs of each question; the least counts.")] = 3,
    course: CourseOption = Path("."),
) -> None:
    """Measure the cost of the reference for every question, which determines the limits (costs.toml)."""
    from autograder.commands import measure

    measure.run(times, course)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the demo course.")] = Path("build/demo"),
) -> None:
    """Make a course with a class of sample submissions and grade it."""
    from autograder.samples.demo_course import make_course

    grade(course=make_course(folder).root)


@app.command()
def doctor() -> None:
    """List the requirements that this machine meets or lacks, and the commands to install them."""
    from autograder.commands.doctor import examine
    from autograder.report.terminal import print_findings

    if not print_findings(console, examine()):
        raise typer.Exit(3)


def _choose_sandbox(sandbox: str | None, require_sandbox: bool) -> str | None:
    return "bubblewrap" if require_sandbox else sandbox


def main() -> None:
    """Run the command line; a KitError or an error of the disk becomes one message and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # Nobody but the user of this account may change the files.
    os.umask((os.umask(0) | 0o022) & 0o077)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    # If the environment is not activated, nbgrader's helpers are next to this interpreter. A service may have no PATH,
    # and bubblewrap and du are in the default folders of the system.
    programs = (str(Path(sys.executable).parent), os.environ.get("PATH"), os.defpath)
    os.environ["PATH"] = os.pathsep.join(filter(None, programs))
    skip_slow_grammars()
    try:
        app()
    except SystemExit as end:
        if not end.code and console.is_broken:
            sys.exit(BROKEN_PIPE)
        raise
    except (KitError, OSError) as error:
        known = error if isinstance(error, KitError) else find_storage_error(error)
        if known is None:
            raise
        errors.print(f"autograder: {make_printable(str(known))}".replace("\n", "\n  "), soft_wrap=True)
        sys.exit(known.exit_code)
