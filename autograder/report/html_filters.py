"""The template environment of the pages: it escapes everything, and its filters turn values into text or HTML."""

import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]  (partly untyped)

from autograder.report.verdicts import MEANINGS, SYMBOLS
from autograder.runtime.text import make_printable

MAX_TEXT = 20_000  # characters of code or output on a page
TEMPLATES = Path(__file__).parent / "templates"


class _InNotebook(Protocol):
    notebook: str


_Item = TypeVar("_Item", bound=_InNotebook)


def highlight_code(code: dict[str, Any]) -> Markup:
    """Return the code of a QuestionResult as coloured HTML; each line is a span, which the style sheet numbers."""
    text, _ = clip_text(make_printable(code["text"]))
    formatter = HtmlFormatter[str](nowrap=True)
    coloured: str = highlight(text, get_lexer_by_name("python", stripnl=False), formatter)
    lines = coloured.rstrip("\n").split("\n")
    spans = "\n".join(f'<span class="line">{line}</span>' for line in lines)
    return Markup(f'<pre class="code" style="counter-reset:line {int(code["line"]) - 1}"><code>{spans}</code></pre>')


def clip_text(text: str) -> tuple[str, int]:
    """Return the first MAX_TEXT characters of a text, and the number of the other characters."""
    return text[:MAX_TEXT], max(0, len(text) - MAX_TEXT)


def group_by_notebook(questions: Iterable[_Item]) -> list[tuple[str, list[_Item]]]:
    """Return [(notebook, its questions)] in the order of the questions, or of columns of the class page."""
    groups: dict[str, list[_Item]] = {}
    for question in questions:
        groups.setdefault(question.notebook, []).append(question)
    return list(groups.items())


def break_identifier(name: str) -> Markup:
    """Return a long identifier with positions where a narrow column may break the line."""
    return Markup("<wbr>").join(re.findall(r"[^_]+?(?:_+|(?<=[a-z0-9])(?=[A-Z])|$)|_+", name) or [name])


def read_template(name: str) -> str:
    """Return the text of a file in the folder of templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _format_number(value: float) -> str:
    """Return points without needless digits: 3, 2.5, 0.33."""
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.6g}"


def _compute_percentage(points: float, maximum: float) -> int:
    """Return the share of the points as a whole number from 0 to 100."""
    return round(100 * min(1, max(0, points / maximum))) if maximum else 100


def _list_inputs(inputs: list[dict[str, Any]]) -> str:
    """Return the calls of a criterion with their arguments, as text."""
    lines: list[str] = []
    for call in inputs:
        lines.append(call["call"])
        for position, argument in enumerate(call["arguments"]):
            lines.append(f"  {argument.get('name', position)}: {_format_value(argument['value'])}")
    return "\n".join(lines)


def _format_value(value: Any) -> str:
    if not isinstance(value, dict) or "values" not in value:
        return json.dumps(value, ensure_ascii=False)
    array = cast(dict[str, Any], value)
    head = f"{array['dtype']} array of shape {tuple(array['shape'])}"
    return f"{head}\n{textwrap.indent(np.array2string(np.array(array['values']), threshold=400), '    ')}"


environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=make_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters |= {  # pyright: ignore[reportUnknownMemberType]  (Jinja2 leaves both dictionaries untyped)
    "number": _format_number,
    "breakable": break_identifier,
    "code": highlight_code,
    "clip": clip_text,
    "url": quote,
    "by_notebook": group_by_notebook,
    "listing": _list_inputs,
}
environment.globals |= {  # pyright: ignore[reportUnknownMemberType]
    "symbols": SYMBOLS,
    "meanings": MEANINGS,
    "share": _compute_percentage,
}
