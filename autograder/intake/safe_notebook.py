"""Reading notebooks that strangers wrote."""

import re
import warnings

from autograder.runtime.startup import skip_slow_grammars

# Braces and brackets in the file. A notebook of the course has a few thousand; each costs the reader memory and time.
MOST_PARTS = 100_000
HALF = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character as JSON writes it; usually the other half comes next


def read_notebook(data: bytes):
    """Return (notebook in today's format without outputs, "") or (None, why it cannot be read).

    - data: the bytes of an .ipynb file
    """
    skip_slow_grammars()
    import nbformat  # takes a quarter of a second, and many submissions hold no notebook

    if data.count(b"{") + data.count(b"[") > MOST_PARTS:
        return None, "it has far more parts than a notebook of this course can have"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ids that are missing or stand there twice; nbformat mends them itself
            text = data.decode("utf-8-sig")
            notebook = nbformat.reads(text, as_version=4)
            if HALF.search(text):
                notebook = _without_lone_surrogates(notebook)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = []
            nbformat.validate(notebook)
        return notebook, ""
    except UnicodeDecodeError:
        return None, "it is not UTF-8 text; open it in Jupyter and save it again"
    except nbformat.reader.NotJSONError:
        return None, "it is not JSON (cut off on the way?)"
    except Exception as error:  # nbformat raises whatever a malformed file happens to trip
        reason = str(error).strip().split("\n")[0][:200]
        return None, f"it is JSON but no valid notebook ({type(error).__name__}: {reason})"


def _without_lone_surrogates(notebook):
    """Return the notebook with half characters, which JSON can hold and UTF-8 cannot, made question marks."""
    import nbformat

    text = nbformat.writes(notebook)
    try:
        text.encode()
    except UnicodeEncodeError:
        return nbformat.reads(text.encode("utf-8", "replace").decode(), as_version=4)
    return notebook
