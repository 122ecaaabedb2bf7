"""The command line: the options of every command. What a command does is in the file of its name in commands/.

The imports inside the functions are there on purpose: a command loads what it needs and no more (commands/__init__.py).
"""

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
    "4 the release must not be made or is out of date; 5 a required sandbox is not to be had; "
    "6 another command is at work in this course; 7 the disk, the gradebook or the machine refuses; "
    "130 or 143 stopped; 141 done, and nobody read to the end what was printed.",
)


def _path(text: str) -> Path:
    """Return what was typed as a Path; an unset variable of a script is not the current folder."""
    if not str(text).strip():
        raise typer.BadParameter("it is empty. Give a path.")
    return Path(text)


SubmissionArgument = Annotated[
    Path, typer.Argument(help="A student's folder or zip.", show_default=False, parser=_path, metavar="PATH")
]
CourseOption = Annotated[Path, typer.Option("--course", help="The course's folder (with nbgrader_config.py).")]
AssignmentOption = Annotated[
    Optional[Path],
    typer.Option("--assignment", help="The assignment's folder, with questions.toml (default: this kit's own)."),
]
SeedOption = Annotated[Optional[int], typer.Option(help="Seed of the hidden inputs (default: this kit's own).")]
PatternOption = Annotated[
    Optional[str],
    typer.Option(help="Regular expression with (?P<student>...), for names of another form in what is collected."),
]
RequireOption = Annotated[bool, typer.Option("--require-sandbox", help="The same as --sandbox bubblewrap.")]
SandboxOption = Annotated[
    Optional[str],
    typer.Option(
        "--sandbox",
        help="Run student code in this sandbox only: bubblewrap, landlock or plain (default: the best there is).",
        show_default=False,
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Where another command is at work in this course, wait until it is done.")
]


@app.command()
@handle_stop_signals("The old release is in place, or the next command puts the new one there.")
def release(
    check: Annotated[bool, typer.Option("--check", help="Only say whether release/ is up to date.")] = False,
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
        bool, typer.Option("--for-student", help="Make the HTML page the student's, without hidden inputs.")
    ] = False,
    seed: SeedOption = None,
    assignment: AssignmentOption = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
) -> None:
    """Grade one submission, with no course around it."""
    from autograder.commands.check import check

    check(path, json, html, question or (), for_student, _required(sandbox, require_sandbox), assignment, seed)


@app.command()
def reproduce(
    path: SubmissionArgument,
    question: Annotated[str, typer.Argument(help="The question's id.", show_default=False)],
    criterion: Annotated[str, typer.Argument(help="The criterion's name.", show_default=False)],
    seed: SeedOption = None,
    save: Annotated[Optional[Path], typer.Option(help="Write every array it saw to this .npz file.")] = None,
    course: CourseOption = Path("."),
    assignment: AssignmentOption = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
) -> None:
    """Judge one criterion once more and show all it saw: inputs, what came, what was expected."""
    from autograder.commands.check import reproduce

    reproduce(path, question, criterion, seed, save, course, _required(sandbox, require_sandbox), assignment)


@app.command()
@handle_stop_signals("What is collected is kept; run the same command again to go on.")
def collect(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Folders or zips: one zip or folder a student, or an LMS's bulk download.",
            parser=_path,
            metavar="SOURCES...",
        ),
    ],
    course: CourseOption = Path("."),
    pattern: PatternOption = None,
    wait: WaitOption = False,
) -> None:
    """Take what students handed in into submitted/, and say what cannot be used."""
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
    force: Annotated[bool, typer.Option("--force", help="Judge again even where nothing has changed.")] = False,
    jobs: Annotated[
        Optional[int], typer.Option(min=1, help="Submissions at once (default: one for each core).")
    ] = None,
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
    wait: WaitOption = False,
) -> None:
    """Grade the class in submitted/: reports, gradebook and HTML pages."""
    from autograder.commands import grade

    grade.run(students, course, pattern, force, jobs, _required(sandbox, require_sandbox), wait)


@app.command()
def measure(
    times: Annotated[int, typer.Option(min=1, help="Runs of each question; the least counts.")] = 3,
    course: CourseOption = Path("."),
) -> None:
    """Measure what the reference takes for every question; the limits are made of it (costs.toml)."""
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
    """Say what this machine has and lacks, and which command mends it."""
    from autograder.commands.doctor import examine
    from autograder.report.terminal import print_findings

    if not print_findings(console, examine()):
        raise typer.Exit(3)


def _required(sandbox: str | None, require_sandbox: bool) -> str | None:
    return "bubblewrap" if require_sandbox else sandbox


def main() -> None:
    """Run the command line; a KitError, and what a disk refuses, becomes one message and its exit code."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")
    # The files may be used by the person who grades, and changed by nobody else.
    os.umask((os.umask(0) | 0o022) & 0o077)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    # Installed or run from a checkout without being activated: nbgrader's helpers are beside this interpreter. A
    # service may have no PATH at all, and bubblewrap and du are where every system keeps its programs.
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
