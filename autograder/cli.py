"""The command line: thin; every command is a few calls of the modules that do the work."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from autograder.errors import BROKEN_PIPE, KitError, ReleaseError
from autograder.interrupts import interruptible
from autograder.storage import as_storage_error

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


class _Console(Console):
    """A console that goes quiet where nobody reads any more: the command goes on and writes its files."""

    is_broken = False

    def on_broken_pipe(self):
        self.quiet = self.is_broken = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # what is still buffered is flushed at the end
        os.close(nowhere)


console, errors = _Console(highlight=False, markup=False), _Console(stderr=True, highlight=False, markup=False)


def _path(text):
    """Return what was typed as a Path; an unset variable of a script is not the current folder."""
    if not str(text).strip():
        raise typer.BadParameter("it is empty. Give a path.")
    return Path(text)


SubmissionArgument = Annotated[
    Path, typer.Argument(help="A student's folder or zip.", show_default=False, parser=_path, metavar="PATH")
]

CourseOption = Annotated[Path, typer.Option("--course", help="The course's folder (with nbgrader_config.py).")]
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


def _waiting(wait):
    """Return what `locks.alone` wants to know: whether to wait, and how to say so."""
    return (lambda sentence: errors.print(f"autograder: {sentence}", markup=False, soft_wrap=True)) if wait else None


@app.command()
@interruptible("The old release is in place, or the next command puts the new one there.")
def release(
    check: Annotated[bool, typer.Option("--check", help="Only say whether release/ is up to date.")] = False,
    course: CourseOption = Path("."),
    wait: WaitOption = False,
):
    """Make the student release from the reference solution, or check that it is fresh."""
    from autograder.course import Course
    from autograder.release import archive_path, differences, publish

    here = Course(course)
    if check:
        found = differences(here, here.manifest)
        if found:
            raise ReleaseError("release/ is out of date; run: autograder release\n" + "\n".join(found))
        console.print("release/ is fresh")
        return
    folder = publish(here, here.manifest, _waiting(wait))
    console.print(f"released {folder}\n         {archive_path(folder)}", soft_wrap=True)


@app.command()
@interruptible("Nothing was written.")
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
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
):
    """Grade one submission, with no course around it."""
    from autograder import checks
    from autograder.course import ASSIGNMENT, KIT
    from autograder.files import write_to
    from autograder.html import student_page
    from autograder.judge import judge
    from autograder.questions import read_manifest
    from autograder.sandbox import choose_isolation
    from autograder.submission import read_submission
    from autograder.terminal import print_question, print_summary

    manifest = read_manifest(KIT / ASSIGNMENT)
    unknown = set(question or ()) - {known.id for known in manifest.questions}
    if unknown:
        known = ", ".join(known.id for known in manifest.questions)
        raise KitError(f"--question {', '.join(sorted(unknown))}: no such question. There are: {known}")
    submission = read_submission(path, manifest)
    isolation = choose_isolation(_required(sandbox, require_sandbox))
    report = judge(
        submission, manifest, isolation, question or None, progress=lambda found: print_question(console, found)
    )
    if json:
        report.save(json, write_to)
    if html:
        write_to(html, student_page(report, checks.heat_map, to_student=for_student).encode())
    print_summary(console, report)


@app.command()
def reproduce(
    path: SubmissionArgument,
    question: Annotated[str, typer.Argument(help="The question's id.", show_default=False)],
    criterion: Annotated[str, typer.Argument(help="The criterion's name.", show_default=False)],
    seed: Annotated[Optional[int], typer.Option(help="Seed of the hidden inputs (default: this kit's own).")] = None,
    save: Annotated[Optional[Path], typer.Option(help="Write every array it saw to this .npz file.")] = None,
    course: CourseOption = Path("."),
    sandbox: SandboxOption = None,
    require_sandbox: RequireOption = False,
):
    """Judge one criterion once more and show all it saw: inputs, what came, what was expected."""
    from autograder.course import ASSIGNMENT, KIT
    from autograder.questions import read_manifest
    from autograder.reproduce import reproduce as judge_again
    from autograder.sandbox import choose_isolation
    from autograder.secret import known_secret_of
    from autograder.submission import read_submission
    from autograder.terminal import print_reproduced

    manifest = read_manifest(KIT / ASSIGNMENT)
    submission = read_submission(path, manifest)
    isolation, secret = choose_isolation(_required(sandbox, require_sandbox)), known_secret_of(course)
    found = judge_again(submission, manifest, isolation, question, criterion, seed, secret)
    if save:
        found.save(save)
    print_reproduced(console, found)
    if save:
        console.print(f"arrays: {save}", soft_wrap=True)


@app.command()
@interruptible("What is collected is kept; run the same command again to go on.")
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
):
    """Take what students handed in into submitted/, and say what cannot be used."""
    from autograder.course import Course

    _collect(Course(course), sources, pattern, wait)


def _collect(course, sources, pattern, wait):
    """Collect, say what came of it, and return the ids; KitError where there was nothing to be had."""
    from autograder import collect
    from autograder.html import one_line

    collected = collect.collect(course, sources, pattern, _waiting(wait))
    for sentence in collected.sentences():
        console.print(one_line(sentence), soft_wrap=True)
    if not collected.students:
        raise KitError(f"{', '.join(map(str, sources))}: no hand-in was found that can be graded.")
    return collected.students


@app.command()
@interruptible("What is graded is kept; run the same command again to go on.")
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
):
    """Grade the class in submitted/: reports, gradebook and HTML pages."""
    from autograder.classroom import grade_class
    from autograder.collect import students_and_sources
    from autograder.course import Course
    from autograder.terminal import class_progress, print_class

    here = Course(course)
    chosen, sources = students_and_sources(here, students or here.students())
    if sources:
        chosen = sorted({*chosen, *_collect(here, sources, pattern, wait)})
    missing = sorted(set(chosen) - set(here.students()))
    if missing or not chosen:
        raise KitError(_nothing_to_grade(here, missing))
    with class_progress(console, len(chosen)) as advance:
        sandbox_name = _required(sandbox, require_sandbox)
        done = grade_class(here, chosen, force, sandbox_name, jobs, advance, _waiting(wait))
    print_class(console, done, here)
    unjudged = [graded.student for graded in done if graded.report and not graded.report.is_complete]
    said = []
    if any(graded.problem for graded in done):
        said.append("some submissions could not be recorded; see above. Run the command again when mended.")
    if unjudged:
        said.append(
            f"some answers of {', '.join(unjudged)} could not be judged: the grader itself failed (grader_fault), and "
            "they have no points so far. Run the same command again; if it stays so, report it."
        )
    if said:
        raise KitError("\n".join(said))


def _nothing_to_grade(course, missing):
    """Say why none of these students, or nobody, can be graded."""
    top = course.submitted("student").parents[1]
    if not top.is_dir():
        return f"There is no folder {top}. Run: autograder collect DOWNLOAD"
    who = f" of {', '.join(map(repr, missing))}" if missing else ""
    return f"{course.submitted('<student>')}: there is no submission{who} to grade. Run: autograder collect DOWNLOAD"


@app.command()
def measure(
    times: Annotated[int, typer.Option(min=1, help="Runs of each question; the least counts.")] = 3,
    course: CourseOption = Path("."),
):
    """Measure what the reference takes for every question; the limits are made of it (costs.toml)."""
    from autograder.course import Course
    from autograder.files import write_atomically
    from autograder.judge import seed_of
    from autograder.limits import COSTS, costs_text
    from autograder.machine import is_loaded
    from autograder.measure import measure as costs_of
    from autograder.sandbox import choose_isolation

    def show(identifier, cost, measured):
        time, memory = (cost.cpu_seconds, cost.wall_seconds), (cost.memory_mb, cost.address_mb)
        took = " ".join([f"{value:7.2f} s" for value in time] + [f"{value:7.0f} MB" for value in memory])
        console.print(f"{identifier:<28}{took}{'' if measured else '  (on record; not measured here)'}")

    here = Course(course)
    costs = costs_of(here.manifest, choose_isolation(), seed_of(here.manifest), times, show)
    path = here.manifest.root / COSTS
    write_atomically(path, costs_text(costs).encode())
    if is_loaded():
        console.print("This machine is busy, so the seconds on the clock are too many. Measure again when it is quiet.")
    console.print(f"written: {path}", soft_wrap=True)


@app.command()
def demo(folder: Annotated[Path, typer.Argument(help="Where to make the demo course.")] = Path("build/demo")):
    """Make a course with a class of sample submissions and grade it."""
    from autograder.samples.demo_course import make_course

    course = make_course(folder)
    grade(course=course.root)


@app.command()
def doctor():
    """Say what this machine has and lacks, and which command mends it."""
    from autograder.doctor import examine
    from autograder.terminal import print_findings

    if not print_findings(console, examine()):
        raise typer.Exit(3)


def _required(sandbox, require_sandbox):
    return "bubblewrap" if require_sandbox else sandbox


def main():
    """Run the command line; a KitError, and what a disk refuses, becomes one message and its exit code."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")
    # Whoever grades may use what is written, and nobody else may change it.
    os.umask((os.umask(0) | 0o022) & 0o077)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    # Installed or run from a checkout without being activated: nbgrader's helpers lie beside this interpreter. A
    # service may have no PATH at all, and bubblewrap and du lie where every system keeps its programs.
    programs = (str(Path(sys.executable).parent), os.environ.get("PATH"), os.defpath)
    os.environ["PATH"] = os.pathsep.join(filter(None, programs))
    try:
        app()
    except SystemExit as end:
        if not end.code and console.is_broken:
            sys.exit(BROKEN_PIPE)
        raise
    except (KitError, OSError) as error:
        from autograder.html import visible

        said = error if isinstance(error, KitError) else as_storage_error(error)
        if said is None:
            raise
        errors.print(f"autograder: {visible(str(said))}".replace("\n", "\n  "), soft_wrap=True)
        sys.exit(said.exit_code)
