"""What the commands print: text on a terminal, with everything a student wrote made harmless first.

A message may have many lines. All of them, and what a narrow terminal breaks them into, stand indented below the line
they belong to, so that none of them passes for a line of this program's own.
"""

from contextlib import contextmanager

import numpy as np
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.report.html import by_notebook
from autograder.report.verdicts import SYMBOLS, colour
from autograder.runtime.text import make_one_line, make_printable

MOST_ROWS = 100


def _print_below(console, indent, text, style=""):
    """Print text, made harmless, with every line indented."""
    console.print(Padding.indent(Text(make_printable(text), style), indent))


def print_question(console, question):
    """Print one question as it is done: its points, and what is wrong with it."""
    line = Text(f"{SYMBOLS[question.verdict]} {question.id:<26}", colour(question.verdict))
    bonus = "bonus " if question.bonus else ""
    line.append(f"{question.points:>6g} / {question.max_points:<4g} {bonus}{question.verdict}", "default")
    console.print(line)
    for finding in question.diagnosis:
        _print_below(console, 4, finding.text, "bold")
    said = set()
    for criterion in question.criteria:
        if criterion.verdict != "passed" and criterion.message not in said:
            said.add(criterion.message)
            _print_below(console, 4, f"{criterion.name}: {criterion.message}")
    if question.limits:
        _print_below(console, 4, question.limits["text"])


def print_reproduced(console, found):
    """Print one criterion with everything it saw."""
    criterion, question = found.criterion, found.question
    line = Text(f"{SYMBOLS[criterion.verdict]} {question.id}, {criterion.name}: ", colour(criterion.verdict))
    line.append(f"{criterion.verdict}, {criterion.points:g} of {criterion.max_points:g} points", "default")
    console.print(line)
    for text in (criterion.text, criterion.message, criterion.where):
        if text:
            _print_below(console, 2, text)
    for finding in question.diagnosis if criterion.verdict != "passed" else ():
        _print_below(console, 2, f"{finding.name}: {finding.text}", "bold")
    for name, array in found.arrays().items():
        console.print(Text(f"\n{name} {array.shape} {array.dtype}", "bold"))
        console.print(Text(np.array2string(array, precision=6, threshold=200)))


def print_summary(console, report):
    """Print the score, and what has to be known about how it came about."""
    console.print(Text(f"\n{report.score:g} of {report.max_score:g} points", "bold"))
    for note in report.submission["notes"]:
        _print_below(console, 2, f"note: {make_one_line(note)}", "yellow")
    if not report.isolation["strong"]:
        console.print(Text(report.isolation["text"], "bold red"))


@contextmanager
def class_progress(console, total):
    """Show a progress bar; yield the function that is called with each classroom.Graded."""
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


def print_class(console, done, course):
    """Print the class as a table, students by questions, and where the pages are."""
    reports = [graded.report for graded in done if graded.report]
    if reports:
        _print_table(console, reports)
    skipped = [c for r in reports for q in r.questions for c in q.criteria if c.verdict == "skipped"]
    for message in sorted({make_printable(criterion.message) for criterion in skipped}):
        console.print(Text(f"skipped, because {message}; `autograder doctor` says how to mend it", "yellow"))
    for graded in done:
        if graded.problem:
            _print_below(console, 2, f"{make_one_line(graded.student)}: {make_one_line(graded.problem)}", "red")
    if reports and not reports[0].isolation["strong"]:
        console.print(Text(reports[0].isolation["text"], "bold red"))
    console.print(Text(f"reports: {course.reports / 'index.html'}"), soft_wrap=True)


def _print_table(console, reports):
    """One row a student, one column a notebook, in it one symbol for each question: forty still fit a line."""
    notebooks = by_notebook(reports[0].questions)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("student", no_wrap=True, min_width=7)
    table.add_column(f"of {reports[0].max_score:g}", justify="right", no_wrap=True, min_width=6)
    for name, questions in notebooks:
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=max(len(questions), 10))
    for report in reports[:MOST_ROWS]:
        verdicts = {question.id: question.verdict for question in report.questions}
        cells = []
        for _, questions in notebooks:
            found = [verdicts.get(question.id, "skipped") for question in questions]
            cells.append(Text.assemble(*((SYMBOLS[verdict], colour(verdict)) for verdict in found)))
        table.add_row(Text(make_one_line(report.submission["student"])), Text(f"{report.score:g}", "bold"), *cells)
    console.print(table)
    if len(reports) > MOST_ROWS:
        console.print(f"... and {len(reports) - MOST_ROWS} more")
    verdicts = sorted({question.verdict for report in reports for question in report.questions})
    console.print(Text("\n" + "   ".join(f"{SYMBOLS[verdict]} {verdict}" for verdict in verdicts) + "\n"))
    for name, questions in notebooks:
        console.print(Text(f"{name}: {', '.join(question.id for question in questions)}", "bright_black"))
    console.print()


def print_findings(console, findings):
    """Print what `doctor` found; return whether nothing that is necessary is missing."""
    for finding in findings:
        sign = "✓" if finding.ok else "✗" if finding.necessary else "–"
        style = "green" if finding.ok else "red" if finding.necessary else "yellow"
        console.print(Text(f"{sign} {finding.what:<22} {finding.found}", style))
        if not finding.ok:
            console.print(Text(f"  mend it with: {finding.mend}"), soft_wrap=True)
    return all(finding.ok or not finding.necessary for finding in findings)
