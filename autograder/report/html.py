"""Pages for people: one for a class, one for each student, and a fragment for the output of a test cell.

Nearly every word on a page comes from students, and some students know HTML. Three defences protect the reader. The
templates escape everything. Control characters, terminal colours and characters that change the reading direction
become visible or are removed. Each page has a Content-Security-Policy that forbids loading anything, and forbids every
script except the one whose hash it names.

`heat_map` is always a function from a criterion's `picture` to HTML, which the caller passes. Its result is trusted to
be escaped.
"""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from autograder.report.html_filters import environment, read_template
from autograder.report.model import CriterionResult, QuestionResult, Report
from autograder.report.redact import find_submission_path, make_reproduce_command, redact_question
from autograder.runtime.atomic import write_atomically

HeatMap = Callable[[dict[str, Any]], str]


@dataclass
class _Column:
    """One question of the class page, with the mean points of the students who have it, and the largest maximum."""

    id: str
    title: str
    notebook: str
    bonus: bool
    mean: float
    max_points: float


def render_student_page(
    report: Report, heat_map: HeatMap, class_link: str | None = None, to_student: bool = False
) -> str:
    """Return the page of one submission.

    - class_link: the address of the class page, if there is one
    - to_student: whether the page is for the student, without hidden inputs, and not for an instructor
    """
    questions = [redact_question(question) for question in report.questions] if to_student else report.questions
    path = "." if to_student else find_submission_path(report)
    return _render_page(
        "student.html.j2",
        report=report,
        questions=questions,
        heat_map=_trust(heat_map),
        class_link=class_link,
        to_student=to_student,
        command=partial(_make_command, path, None if to_student else report.seed),
    )


def render_class_page(reports: Sequence[Report]) -> str:
    """Return the table of students and questions, with a link from each cell to the page of the student."""
    questions = {question.id: question for report in reports for question in report.questions}
    columns = [_make_column(question, reports) for question in questions.values()]
    rows = [
        {
            "report": report,
            "link": make_page_link(report),
            "cells": {question.id: question for question in report.questions},
        }
        for report in reports
    ]
    scores = [report.score for report in reports]
    return _render_page(
        "class.html.j2",
        reports=reports,
        columns=columns,
        rows=rows,
        mean=sum(scores) / len(scores) if scores else 0,
        max_score=max((report.max_score for report in reports), default=0),
        weak=[report for report in reports if not report.isolation["strong"]],
        kits=sorted({(report.kit["version"], report.kit["digest"]) for report in reports}),
        counts=Counter(question.verdict for report in reports for question in report.questions),
        script=Markup(read_template("sort.js")),
    )


def render_question(question: QuestionResult, heat_map: HeatMap) -> str:
    """Return the result of one question for its student, as HTML with inline styles for the output of a cell."""
    template = environment.from_string('{% import "question.html.j2" as parts with context %}{{ parts.fragment(q) }}')
    command = partial(_make_command, ".", None)
    return template.render(q=redact_question(question), heat_map=_trust(heat_map), command=command).strip() + "\n"


def write_class_pages(reports: Sequence[Report], folder: Path | str, heat_map: HeatMap) -> None:
    """Write `index.html`, and for each report `<student>/index.html` and the student's own `<student>/student.html`.

    Each file is written completely or not at all. Raises StorageError if a file cannot be written.
    """
    folder = Path(folder)
    for report in reports:
        own_folder = folder / make_folder_name(report)
        page = render_student_page(report, heat_map, class_link="../index.html")
        write_atomically(own_folder / "index.html", page.encode())
        page = render_student_page(report, heat_map, to_student=True)
        write_atomically(own_folder / "student.html", page.encode())
    write_atomically(folder / "index.html", render_class_page(reports).encode())


def make_folder_name(report: Report) -> str:
    """Return the name of a student's folder: the id, quoted if it would lead to another folder."""
    name = report.name
    if name in ("", ".", "..", "index.html") or set(name) & set("/\\\0"):
        return quote(name, safe="", errors="replace").replace(".", "%2E") or "%20"
    return name


def make_page_link(report: Report) -> str:
    """Return the relative address of a student's page, quoted so that any id is one step of a path."""
    return quote(os.fsencode(make_folder_name(report)), safe="") + "/index.html"


def _render_page(template: str, **values: Any) -> str:
    """Render one complete page with its style, its script and the policy that allows nothing else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    if "script" in values:
        digest = base64.b64encode(hashlib.sha256(values["script"].encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
    style = Markup(read_template("style.css"))
    return environment.get_template(template).render(policy=policy, style=style, **values)


def _make_column(question: QuestionResult, reports: Sequence[Report]) -> _Column:
    found = [each for report in reports for each in report.questions if each.id == question.id]
    return _Column(
        question.id,
        question.title,
        question.notebook,
        question.bonus,
        mean=sum(each.points for each in found) / len(found),
        max_points=max(each.max_points for each in found),
    )


def _trust(heat_map: HeatMap) -> Callable[[dict[str, Any]], Markup]:
    """Return a heat map function whose HTML the templates do not escape."""
    return lambda picture: Markup(heat_map(picture))


def _make_command(path: str, seed: int | None, question: QuestionResult, criterion: CriterionResult) -> str:
    return make_reproduce_command(path, question.id, criterion.name, seed)
