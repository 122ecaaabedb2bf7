"""Pages for people: one for a class, one for each student, and a fragment for the output of a test cell.

Nearly every word here comes from students, and some of them know HTML. Three fences stand one behind the other: the
templates escape everything; control characters, terminal colours and characters that turn the reading direction are
made visible or dropped; and each page forbids itself, by a Content-Security-Policy, to load anything and to run any
script but the one whose hash it names.

`heat_map` is throughout a function from a criterion's `picture` to HTML, which the caller brings. What it returns is
trusted to be escaped already.
"""

import base64
import hashlib
import json
import os
import re
import textwrap
from collections import Counter
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.report.redact import for_student, path_of, reproduce_command
from autograder.report.verdicts import MEANINGS, SYMBOLS
from autograder.runtime.atomic import write_atomically
from autograder.runtime.text import make_printable

LONGEST_TEXT = 20_000  # characters of code or output shown on a page


def student_page(report, heat_map, class_link=None, to_student=False):
    """Return the page of one submission.

    - class_link: the address of the class page, if there is one
    - to_student: whether the student is to read it, and not whoever grades
    """
    questions = [for_student(question) for question in report.questions] if to_student else report.questions
    path = "." if to_student else path_of(report)
    return _page(
        "student.html.j2",
        report=report,
        questions=questions,
        heat_map=_marked(heat_map),
        class_link=class_link,
        to_student=to_student,
        command=partial(_command, path, None if to_student else report.seed),
    )


def class_page(reports):
    """Return the table of students and questions, each linked to the student's page in the folder of that name."""
    asked = {question.id: question for report in reports for question in report.questions}
    columns = [
        {"id": name, "title": question.title, "notebook": question.notebook, "bonus": question.bonus}
        | _mean(reports, name)
        for name, question in asked.items()
    ]
    rows = [
        {"report": report, "link": link_to(report), "cells": {question.id: question for question in report.questions}}
        for report in reports
    ]
    scores = [report.score for report in reports]
    return _page(
        "class.html.j2",
        reports=reports,
        columns=columns,
        rows=rows,
        mean=sum(scores) / len(scores) if scores else 0,
        max_score=max((report.max_score for report in reports), default=0),
        weak=[report for report in reports if not report.isolation["strong"]],
        kits=sorted({(report.kit["version"], report.kit["digest"]) for report in reports}),
        counts=Counter(question.verdict for report in reports for question in report.questions),
        script=Markup(_template_text("sort.js")),
    )


def question_fragment(question, heat_map):
    """Return what a student may see of one question, with all styles inside, as a cell's output can show it."""
    template = _environment.from_string('{% import "question.html.j2" as parts with context %}{{ parts.fragment(q) }}')
    command = partial(_command, ".", None)
    return template.render(q=for_student(question), heat_map=_marked(heat_map), command=command).strip() + "\n"


def _command(path, seed, question, criterion):
    return reproduce_command(path, question.id, criterion.name, seed)


def write_class(reports, folder, heat_map):
    """Write `index.html`, and for every report `<student>/index.html` and the student's own `<student>/student.html`.

    Each file is written whole or not at all.
    """
    folder = Path(folder)
    for report in reports:
        page = student_page(report, heat_map, class_link="../index.html")
        write_atomically(folder / folder_of(report) / "index.html", page.encode())
        page = student_page(report, heat_map, to_student=True)
        write_atomically(folder / folder_of(report) / "student.html", page.encode())
    write_atomically(folder / "index.html", class_page(reports).encode())


def name_of(report):
    """Return whom a report is about: the student, or outside a course the submission's own name."""
    return report.submission["student"] or report.submission["name"]


def folder_of(report):
    """Return the name of a student's folder: the id itself, or quoted where it would lead elsewhere."""
    name = name_of(report)
    if name in ("", ".", "..", "index.html") or set(name) & set("/\\\0"):
        return quote(name, safe="", errors="replace").replace(".", "%2E") or "%20"
    return name


def link_to(report):
    """Return the relative address of a student's page, quoted so that any id stays one step of a path."""
    return quote(os.fsencode(folder_of(report)), safe="") + "/index.html"


def code_html(code):
    """Return lines of Python, coloured and escaped, each in a span of its own that the style sheet numbers."""
    text, _ = clip(make_printable(code["text"]))
    formatter = HtmlFormatter(nowrap=True)
    lines = highlight(text, PythonLexer(stripnl=False), formatter).rstrip("\n").split("\n")
    spans = "\n".join(f'<span class="line">{line}</span>' for line in lines)
    return Markup(f'<pre class="code" style="counter-reset:line {int(code["line"]) - 1}"><code>{spans}</code></pre>')


def clip(text):
    """Return the start of a text that may be very long, and how many characters are left out."""
    return text[:LONGEST_TEXT], max(0, len(text) - LONGEST_TEXT)


def _page(name, **values):
    """Render one whole page with its style, its script and the policy that allows nothing else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    if "script" in values:
        digest = base64.b64encode(hashlib.sha256(values["script"].encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
    style = Markup(_template_text("style.css"))
    return _environment.get_template(name).render(policy=policy, style=style, **values)


def _mean(reports, name):
    """Return the mean of the points earned in one question over the students who have it, and what was possible."""
    found = [question for report in reports for question in report.questions if question.id == name]
    return {
        "mean": sum(question.points for question in found) / len(found),
        "max_points": max(question.max_points for question in found),
    }


def _marked(heat_map):
    return lambda picture: Markup(heat_map(picture))


def _number(value):
    """Return points without needless digits: 3, 2.5, 0.33."""
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.6g}"


def _share(points, maximum):
    """Return the share of the points as a whole number from 0 to 100."""
    return round(100 * min(1, max(0, points / maximum))) if maximum else 100


def by_notebook(questions):
    """Return [(notebook, its questions)] in the order in which they come; for questions and for columns of them."""
    groups = {}
    for question in questions:
        name = question["notebook"] if isinstance(question, dict) else question.notebook
        groups.setdefault(name, []).append(question)
    return list(groups.items())


def _listing(inputs):
    """Return what a criterion called the student's code with, as text."""
    lines = []
    for call in inputs:
        lines.append(call["call"])
        for position, argument in enumerate(call["arguments"]):
            lines.append(f"  {argument.get('name', position)}: {_value(argument['value'])}")
    return "\n".join(lines)


def _value(value):
    if not isinstance(value, dict) or "values" not in value:
        return json.dumps(value, ensure_ascii=False)
    head = f"{value['dtype']} array of shape {tuple(value['shape'])}"
    return f"{head}\n{textwrap.indent(np.array2string(np.array(value['values']), threshold=400), '    ')}"


def _breakable(name):
    """Return a long identifier with places where a narrow column may break it."""
    return Markup("<wbr>").join(re.findall(r"[^_]+?(?:_+|(?<=[a-z0-9])(?=[A-Z])|$)|_+", name) or [name])


def _template_text(name):
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=make_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"number": _number, "breakable": _breakable, "code": code_html, "clip": clip, "url": quote}
_environment.filters |= {"by_notebook": by_notebook, "listing": _listing}
_environment.globals |= {
    "symbols": SYMBOLS,
    "meanings": MEANINGS,
    "share": _share,
    "name_of": name_of,
}
