"""HarmlessCells: a submitted notebook as it may be opened by an instructor.

Jupyter, formgrader and nbgrader's feedback render Markdown with any HTML in it, scripts included, put some metadata
and the student's id into pages as they are, and show no page at all where one cell trips the renderer. What a student
wrote is shown as text here: no angle bracket opens a tag, no link runs a script, no picture is fetched from elsewhere,
no character hides or turns the text around it, and of all metadata only nbgrader's own is kept.
"""

import re

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.errors import KitError
from autograder.intake.lms_names import find_id_problem
from autograder.runtime.text import make_printable

_GAP = r"[\s\\]*"  # what a browser or a renderer takes out of an address
_SCRIPTS = "|".join(_GAP.join(name) for name in ("javascript", "vbscript"))
# What turns text into something that acts: a tag, a character reference (which may spell anything), a link that runs.
_ACTIVE = [
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"&(?=[#A-Za-z])"), "& "),
    (re.compile(rf"({_SCRIPTS})(?={_GAP}:)", re.IGNORECASE), r"\1 link"),
    (re.compile(rf"(data)(?={_GAP}:{_GAP}(text|application|image)\b)", re.IGNORECASE), r"\1 link"),
]
_PICTURE, _BASE64 = re.compile(r"image/(png|jpeg|gif)"), re.compile(r"[A-Za-z0-9+/=\s]*")
MOST_TEXT = 20_000  # characters of Markdown: the renderer's time grows with their square


class HarmlessCells(NbGraderPreprocessor):
    """Run first among the sanitizing preprocessors; KitError where the student's id cannot stand in a page."""

    def preprocess(self, nb, resources):
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
                if not _can_be_shown(cell):
                    cell.source = _verbatim(cell.source)
        return nb, resources


def _keep_pictures(cell):
    """Leave of a cell's attachments only pictures that cannot hold a script, and in its text only those pictures.

    One that is fetched from elsewhere would tell there who reads it, and when; it becomes a link.
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


def _is_base64(data):
    return isinstance(data, str) and bool(_BASE64.fullmatch(data))


def _can_be_shown(cell):
    """Say whether nbconvert renders a cell, and soon: one attachment that it misses costs the whole page."""
    if len(cell.source) > MOST_TEXT:
        return False
    try:
        MarkdownWithMath(IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))).render(cell.source)
    except Exception:  # whatever a stranger's text trips in the renderer
        return False
    return True


def _verbatim(text):
    """Return Markdown that shows a text as it is: fenced by more tildes than it has in a row."""
    fence = "~" * max([3, *(len(run) + 1 for run in re.findall("~+", text))])
    return f"{fence}\n{text}\n{fence}"
