"""Print reports to a terminal, after every text of a student is made safe.

A message may have many lines. All of them are indented below the line that they belong to, also where a narrow terminal
breaks them, so that none of them looks like a line of this program.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.report.html_filters import group_by_notebook
from autograder.report.model import CriterionResult, QuestionResult, Report
from autograder.report.verdicts import SYMBOLS, get_colour
from autograder.runtime.text import make_one_line, make_printable

MAX_ROWS = 100


class Reproduced(Protocol):
    """A criterion that was judged again, with its question and {name: array} of everything that it used."""

    @property
    def question(self) -> QuestionResult:
        """The result of the question."""
        ...

    @property
    def criterion(self) -> CriterionResult:
        """The result of the criterion."""
        ...

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return the arrays by name."""
        ...


class ClassEntry(Protocol):
    """The result of grading one student: a report, or the sentence that says why there is none."""

    student: str
    report: Report | None
    problem: str


class ReportFolder(Protocol):
    """A course, as far as this module needs it: the folder of its pages."""

    @property
    def reports(self) -> Path:
        """The folder of the pages."""
        ...


@dataclass(frozen=True)
class Finding:
    """What `doctor` found about one requirement; the kit does not work without the `necessary` ones.

    - what: the name of the requirement
    - ok: whether this machine meets it
    - found: the state of the machine, for the instructor
    - repair: the command that installs or repairs it
    """

    what: str
    ok: bool
    found: str
    repair: str = ""
    necessary: bool = True


def print_question(console: Console, question: QuestionResult) -> None:
    """Print one question: its verdict, points, diagnoses, and the messages of criteria that did not pass."""
    line = Text(f"{SYMBOLS[question.verdict]} {question.id:<26}", get_colour(question.verdict))
    bonus = "bonus " if question.bonus else ""
    line.append(f"{question.points:>6g} / {question.max_points:<4g} {bonus}{question.verdict}", "default")
    console.print(line)
    for diagnosis in question.diagnosis:
        _print_indented(console, 4, diagnosis.text, "bold")
    printed: set[str] = set()
    for criterion in question.criteria:
        if criterion.verdict != "passed" and criterion.message not in printed:
            printed.add(criterion.message)
            _print_indented(console, 4, f"{criterion.name}: {criterion.message}")
    if question.limits:
        _print_indented(console, 4, question.limits["text"])


def print_reproduced(console: Console, reproduced: Reproduced) -> None:
    """Print one criterion with its message, its diagnoses and all arrays that it used."""
    criterion, question = reproduced.criterion, reproduced.question
    line = Text(f"{SYMBOLS[criterion.verdict]} {question.id}, {criterion.name}: ", get_colour(criterion.verdict))
    line.append(f"{criterion.verdict}, {criterion.points:g} of {criterion.max_points:g} points", "default")
    console.print(line)
    for text in (criterion.text, criterion.message, criterion.where):
        if text:
            _print_indented(console, 2, text)
    for diagnosis in question.diagnosis if criterion.verdict != "passed" else ():
        _print_indented(console, 2, f"{diagnosis.name}: {diagnosis.text}", "bold")
    for name, array in reproduced.arrays().items():
        console.print(Text(f"\n{name} {array.shape} {array.dtype}", "bold"))
        console.print(Text(np.array2string(array, precision=6, threshold=200)))


def print_summary(console: Console, report: Report) -> None:
    """Print the score, the notes about the submission, and a warning if the sandbox is weak."""
    console.print(Text(f"\n{report.score:g} of {report.max_score:g} points", "bold"))
    for note in report.submission["notes"]:
        _print_indented(console, 2, f"note: {make_one_line(note)}", "yellow")
    if not report.isolation["strong"]:
        console.print(Text(report.isolation["text"], "bold red"))


@contextmanager
def show_class_progress(console: Console, total: int) -> Generator[Callable[[ClassEntry], None], None, None]:
    """Show a progress bar while the block runs; yield the function to call with each graded student."""
    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[student]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("grading", total=total, student="")
        yield lambda graded: progress.update(task, advance=1, student=make_one_line(graded.student))


def print_class(console: Console, graded_students: Sequence[ClassEntry], course: ReportFolder) -> None:
    """Print the class as a table of students and questions, the problems, and the path of the class page."""
    reports = [graded.report for graded in graded_students if graded.report]
    if reports:
        _print_table(console, reports)
    skipped = [c for r in reports for q in r.questions for c in q.criteria if c.verdict == "skipped"]
    for message in sorted({make_printable(criterion.message) for criterion in skipped}):
        console.print(Text(f"skipped, because {message}; `autograder doctor` says how to install it", "yellow"))
    for graded in graded_students:
        if graded.problem:
            _print_indented(console, 2, f"{make_one_line(graded.student)}: {make_one_line(graded.problem)}", "red")
    if reports and not reports[0].isolation["strong"]:
        console.print(Text(reports[0].isolation["text"], "bold red"))
    console.print(Text(f"reports: {course.reports / 'index.html'}"), soft_wrap=True)


def print_findings(console: Console, findings: Iterable[Finding]) -> bool:
    """Print the findings of `doctor`; return whether everything necessary is ok."""
    findings = list(findings)
    for finding in findings:
        sign = "✓" if finding.ok else "✗" if finding.necessary else "–"
        style = "green" if finding.ok else "red" if finding.necessary else "yellow"
        console.print(Text(f"{sign} {finding.what:<22} {finding.found}", style))
        if not finding.ok:
            console.print(Text(f"  repair it with: {finding.repair}"), soft_wrap=True)
    return all(finding.ok or not finding.necessary for finding in findings)


def _print_indented(console: Console, indent: int, text: str, style: str = "") -> None:
    """Print text, made safe, with every line indented."""
    console.print(Padding.indent(Text(make_printable(text), style), indent))


def _print_table(console: Console, reports: Sequence[Report]) -> None:
    """Print one row for each student, one column for each notebook, with one symbol for each question in it."""
    notebooks = group_by_notebook(reports[0].questions)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("student", no_wrap=True, min_width=7)
    table.add_column(f"of {reports[0].max_score:g}", justify="right", no_wrap=True, min_width=6)
    for name, questions in notebooks:
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=max(len(questions), 10))
    for report in reports[:MAX_ROWS]:
        verdicts = {question.id: question.verdict for question in report.questions}
        cells: list[Text] = []
        for _, questions in notebooks:
            found = [verdicts.get(question.id, "skipped") for question in questions]
            cells.append(Text.assemble(*((SYMBOLS[verdict], get_colour(verdict)) for verdict in found)))
        table.add_row(Text(make_one_line(report.submission["student"])), Text(f"{report.score:g}", "bold"), *cells)
    console.print(table)
    if len(reports) > MAX_ROWS:
        console.print(f"... and {len(reports) - MAX_ROWS} more")
    verdicts = sorted({question.verdict for report in reports for question in report.questions})
    console.print(Text("\n" + "   ".join(f"{SYMBOLS[verdict]} {verdict}" for verdict in verdicts) + "\n"))
    for name, questions in notebooks:
        console.print(Text(f"{name}: {', '.join(question.id for question in questions)}", "bright_black"))
    console.print()
