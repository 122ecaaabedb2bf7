"""HarmlessCells: makes a submitted notebook safe for an instructor to open.

Jupyter, formgrader and nbgrader's feedback render all HTML in Markdown, including scripts. They copy some metadata and
the student's id into pages, and show no page if the renderer fails at one cell. This preprocessor turns the student's
Markdown into plain text: no tags, no links with scripts, no pictures from other servers, no characters that hide or
reverse text. It keeps only nbgrader's own metadata.
"""

import re
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.errors import KitError
from autograder.intake.lms_names import find_id_problem
from autograder.runtime.text import make_printable

_GAP = r"[\s\\]*"  # characters that a browser or a renderer removes from an address
_SCRIPTS = "|".join(_GAP.join(name) for name in ("javascript", "vbscript"))
# Active text: a tag, a character reference (which may encode anything), a link with a script.
_ACTIVE = [
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"&(?=[#A-Za-z])"), "& "),
    (re.compile(rf"({_SCRIPTS})(?={_GAP}:)", re.IGNORECASE), r"\1 link"),
    (re.compile(rf"(data)(?={_GAP}:{_GAP}(text|application|image)\b)", re.IGNORECASE), r"\1 link"),
]
_PICTURE, _BASE64 = re.compile(r"image/(png|jpeg|gif)"), re.compile(r"[A-Za-z0-9+/=\s]*")
MOST_TEXT = 20_000  # characters of Markdown: the renderer's time grows with their square


class HarmlessCells(NbGraderPreprocessor):
    """Run first among the sanitizing preprocessors; raise KitError if the student's id is not safe in a page."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Make all cells harmless; return the notebook and the resources."""
        student = resources["nbgrader"]["student"]
        if reason := find_id_problem(student):
            raise KitError(f"{reason}. Give its folder in submitted/ another name.")
        kernel = nb.metadata.get("kernelspec", {})
        nb.metadata = type(nb.metadata)(kernelspec=kernel if isinstance(kernel, dict) else {})
        for cell in nb.cells:
            own = cell.metadata.get("nbgrader")
            cell.metadata = type(cell.metadata)({"nbgrader": own} if own is not None else {})
            cell.source = make_printable(cell.source)
            if cell.cell_type != "code":
                cell.cell_type = "markdown"  # a raw cell may declare itself HTML
                for pattern, plain in _ACTIVE:
                    cell.source = pattern.sub(plain, cell.source)
                _keep_pictures(cell)
                if not _is_renderable(cell):
                    cell.source = _quote(cell.source)
        return nb, resources


def _keep_pictures(cell: NotebookNode) -> None:
    """Keep only attached pictures without scripts, and only references to them in the text.

    A picture on another server would tell that server who reads it, and when; it becomes a link.
    """
    attachments = cell.pop("attachments", None)
    kept = {
        name: {kind: data for kind, data in bundle.items() if _PICTURE.fullmatch(kind) and _is_base64(data)}
        for name, bundle in (attachments if isinstance(attachments, dict) else {}).items()
        if isinstance(bundle, dict)
    }
    kept = {name: bundle for name, bundle in kept.items() if bundle}
    if kept:
        cell["attachments"] = kept
    own = "|".join(map(re.escape, kept)) or "(?!)"
    cell.source = re.sub(rf"!(?=\[(?![^][]*\]\(attachment:({own})\)))", "! ", cell.source)


def _is_base64(data: Any) -> bool:
    return isinstance(data, str) and bool(_BASE64.fullmatch(data))


def _is_renderable(cell: NotebookNode) -> bool:
    """Return whether nbconvert renders a cell in a short time: one missing attachment costs the whole page."""
    if len(cell.source) > MOST_TEXT:
        return False
    try:
        MarkdownWithMath(IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))).render(cell.source)
    except Exception:  # untrusted text may raise anything in the renderer
        return False
    return True


def _quote(text: str) -> str:
    """Return Markdown that shows a text unchanged, between more tildes than it has in a row."""
    fence = "~" * max([3, *(len(run) + 1 for run in re.findall("~+", text))])
    return f"{fence}\n{text}\n{fence}"
