"""Attacks on the score through the files handed in: the notebook's test cells, and modules beside it."""

import json

from .attack import Attack


def _cells(change):
    """Return a function that changes every graded test cell of a notebook."""

    def edit(data):
        notebook = json.loads(data)
        kept = []
        for cell in notebook["cells"]:
            about = cell["metadata"].get("nbgrader", {})
            kept += change(cell, about) if about.get("grade") else [cell]
        return json.dumps(notebook | {"cells": kept}).encode()

    return edit


def _worth_more(cell, about):
    about["points"] = 100
    return [cell]


def _emptied(cell, about):
    about["locked"] = False
    return [cell | {"source": "pass"}]


SHADOW = """
import sys

here = sys.path.pop(0)
sys.modules.pop("numpy", None)
import numpy

sys.path.insert(0, here)
numpy.allclose = numpy.isclose = lambda *arguments, **options: True
open("/srv/outside/shadowed", "w").close()
"""

ATTACKS = [
    Attack("Forgery", "points of the notebook's cells raised to 100", notebook=_cells(_worth_more)),
    Attack("Forgery", "test cells emptied", notebook=_cells(_emptied)),
    Attack("Forgery", "test cells deleted", notebook=_cells(lambda cell, about: [])),
    Attack(
        "Forgery",
        "numpy.py, sitecustomize.py and usercustomize.py beside the notebook",
        files={"numpy.py": SHADOW, "sitecustomize.py": SHADOW, "usercustomize.py": SHADOW},
    ),
]
