"""HarmlessCells: a submitted notebook as it may be opened by an instructor.

Jupyter, formgrader and nbgrader's feedback render Markdown with any HTML in it, scripts included, and put some
metadata into pages as it is. What a student wrote is shown as text here: no angle bracket opens a tag, no link runs a
script, and of all metadata only nbgrader's own is kept.
"""

import re

from nbgrader.preprocessors import NbGraderPreprocessor

# What turns text into something that acts: a tag, a character reference (which may spell anything), a link that runs.
_ACTIVE = [
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"&(?=[#A-Za-z])"), "& "),
    (re.compile(r"(javascript|vbscript)(?=[\s\\]*:)", re.IGNORECASE), r"\1 link"),
    (re.compile(r"(data)(?=[\s\\]*:[\s\\]*(text|application|image)\b)", re.IGNORECASE), r"\1 link"),
]
_PICTURE = re.compile(r"image/(png|jpeg|gif)")


class HarmlessCells(NbGraderPreprocessor):
    """Run first among the sanitizing preprocessors."""

    def preprocess(self, nb, resources):
        kernel = nb.metadata.get("kernelspec", {})
        nb.metadata = type(nb.metadata)(kernelspec=kernel if isinstance(kernel, dict) else {})
        for cell in nb.cells:
            own = cell.metadata.get("nbgrader")
            cell.metadata = type(cell.metadata)({"nbgrader": own} if own is not None else {})
            if cell.cell_type != "code":
                cell.cell_type = "markdown"  # a raw cell may declare itself HTML
                for pattern, plain in _ACTIVE:
                    cell.source = pattern.sub(plain, cell.source)
                _keep_pictures(cell)
        return nb, resources


def _keep_pictures(cell):
    """Leave of a cell's attachments only pictures that cannot hold a script."""
    attachments = cell.pop("attachments", None)
    if not isinstance(attachments, dict):
        return
    kept = {
        name: {kind: data for kind, data in bundle.items() if _PICTURE.fullmatch(kind) and isinstance(data, str)}
        for name, bundle in attachments.items()
        if isinstance(bundle, dict)
    }
    cell["attachments"] = {name: bundle for name, bundle in kept.items() if bundle}
