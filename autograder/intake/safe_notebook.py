"""Read notebooks that students wrote."""

import re
import warnings
from typing import Any

from autograder.runtime.startup import skip_slow_grammars

# Braces and brackets in the file. A notebook of the course has a few thousand; each needs memory and time.
MAX_PARTS = 100_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character in JSON; usually the other half follows


def read_notebook(data: bytes) -> tuple[Any, str]:
    """Return (notebook in nbformat 4 without outputs, "") or (None, the reason why it cannot be read).

    - data: the bytes of an .ipynb file

    nbformat has no types, so the notebook is Any.
    """
    skip_slow_grammars()
    import nbformat  # takes a quarter of a second, and many submissions contain no notebook

    if data.count(b"{") + data.count(b"[") > MAX_PARTS:
        return None, "it has far more parts than a notebook of this course"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about missing or duplicate ids, which nbformat repairs
            text = data.decode("utf-8-sig")
            notebook = nbformat.reads(text, as_version=4)
            if _SURROGATE.search(text):
                notebook = _replace_surrogates(notebook)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = []
            nbformat.validate(notebook)
        return notebook, ""
    except UnicodeDecodeError:
        return None, "it is not UTF-8 text; open it in Jupyter and save it again"
    except nbformat.reader.NotJSONError:
        return None, "it is not JSON; the file may be cut off"
    except Exception as error:  # a malformed file makes nbformat raise many kinds of exceptions
        reason = str(error).strip().split("\n")[0][:200]
        return None, f"it is JSON but no valid notebook ({type(error).__name__}: {reason})"


def _replace_surrogates(notebook: Any) -> Any:
    """Return the notebook with a question mark for each lone surrogate, which JSON can contain and UTF-8 cannot."""
    import nbformat

    text = nbformat.writes(notebook)
    try:
        text.encode()
    except UnicodeEncodeError:
        return nbformat.reads(text.encode("utf-8", "replace").decode(), as_version=4)
    return notebook
