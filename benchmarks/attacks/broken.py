"""Submissions that are broken by accident. The answers are right; everyone must get a grade or a reason."""

import json

from .attack import Attack


def _json(change):
    """Return a function that changes a notebook as a dictionary."""

    def edit(data):
        notebook = json.loads(data)
        change(notebook)
        return json.dumps(notebook).encode()

    return edit


def _one_id(notebook):
    for cell in notebook["cells"]:
        cell["id"] = "same"


def _doubled(notebook):
    notebook["cells"] += notebook["cells"]


def _large(notebook):
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (50 << 20)}
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [output]


def _version_3(notebook):
    cells = [
        {"cell_type": "code", "language": "python", "input": cell["source"], "outputs": [], "metadata": {}}
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    notebook.clear()
    notebook.update(nbformat=3, nbformat_minor=0, metadata={"name": "hw"}, worksheets=[{"cells": cells}])


def _kernel(notebook):
    notebook["metadata"]["kernelspec"] = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}


def _utf16(text):
    return (text if isinstance(text, str) else text.decode()).encode("utf-16")


def _with_bom(text):
    return b"\xef\xbb\xbf" + (text if isinstance(text, bytes) else text.encode())


def _broken(name, **fields):
    return Attack("Broken input", name, right=True, **fields)


ATTACKS = [
    _broken("saved as UTF-16", notebook=_utf16, encode=_utf16),
    _broken("a byte order mark at the start", notebook=_with_bom, encode=_with_bom),
    _broken("notebook cut off in the middle", notebook=lambda data: data[: len(data) // 2], lost=True),
    _broken("notebook of 0 bytes", notebook=lambda data: b"", lost=True),
    _broken("notebook that is a ZIP", notebook=lambda data: b"PK\x03\x04" + bytes(200), lost=True),
    _broken("all cells missing", notebook=_json(lambda notebook: notebook["cells"].clear()), lost=True),
    _broken("every cell twice", notebook=_json(_doubled)),
    _broken("all cells with one id", notebook=_json(_one_id)),
    _broken("notebook of format 3", notebook=_json(_version_3)),
    _broken("a kernel that is not installed", notebook=_json(_kernel)),
    _broken("code of Python 2", code='print "done"\n', lost=True),
    _broken("50 MB of output in the notebook", notebook=_json(_large)),
]
