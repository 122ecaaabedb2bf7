"""The type of an attack: one text of student code, which every grader gets in its own format."""

from collections.abc import Callable
from dataclasses import dataclass, field

ARENA = "/srv"  # where a grader's world is mounted while it runs, see arena.py

PRELUDE = f'''
import os
import sys
import time

import numpy as np

ARENA = "{ARENA}"


def tell(*words):
    """Show what was found: print it, and write it to a folder that everybody may write to."""
    print(*words)
    try:
        with open(ARENA + "/loot/found.txt", "a") as file:
            print(*words, file=file)
    except OSError:
        pass


def mark(name):
    """Leave a mark in a folder that no submission may write to."""
    try:
        open(ARENA + "/outside/" + name, "w").close()
    except OSError:
        pass


def files(*endings):
    """Yield the path and the text of every file here and in the grader's world with one of these endings."""
    for top in (".", ARENA):
        for folder, _, names in os.walk(top):
            for name in names:
                if name.endswith(endings) and "/loot" not in folder:
                    try:
                        with open(os.path.join(folder, name), errors="replace") as file:
                            yield os.path.join(folder, name), file.read()
                    except OSError:
                        pass


def try_all(*steps):
    """Do every step; each is meant for one grader and raises elsewhere."""
    for step in steps:
        try:
            step()
        except Exception as error:
            print("not here:", error)
'''

WRONG = """

def relu_forward(x):
    return np.zeros_like(x), x


def relu_backward(dout, cache):
    return np.zeros_like(dout)


def affine_forward(x, w, b):
    return np.zeros((len(x), len(b))), (x, w, b)
"""

RIGHT = """

def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)
"""


@dataclass(frozen=True, eq=False)
class Attack:
    """One submission.

    - group: Forgery, Theft, Harm, Reports, Broken input, or Control
    - code: the text after the answers; it may define them again
    - right: whether the answers deserve all points; if not, they deserve none
    - lost: whether answers in a notebook cannot be read any more, so that any number of points is fair
    - files: {name: text} handed in beside the notebook
    - notebook: changes the notebook's bytes before they are handed in
    - encode: writes the code of a module as bytes
    - seconds: how long a grader may take before it is stopped from outside
    """

    group: str
    name: str
    code: str = ""
    right: bool = False
    lost: bool = False
    files: dict[str, str] = field(default_factory=dict)
    notebook: Callable[[bytes], bytes] | None = None
    encode: Callable[[str], bytes] = str.encode
    seconds: int = 100

    @property
    def source(self):
        """The whole text of the student's code."""
        return PRELUDE + (RIGHT if self.right else WRONG) + "\n" + self.code
