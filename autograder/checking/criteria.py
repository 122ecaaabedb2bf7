"""Criteria: the separately scored properties of a question, and how a check states one.

A check is a function whose docstring is the sentence the student reads. It is given a Trial, calls the student's code
through it, and returns an Outcome (or None) when the property holds; it raises Wrong when it does not.

    @criterion("affine_forward", "values", weight=3)
    def affine_values(trial):
        "out is x·w + b for inputs of several shapes."
        ...
"""

import zlib
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.assignment.manifest import Question
from autograder.report.model import Diagnosis
from autograder.sandbox.worker_client import Student, StudentError


@dataclass
class Outcome:
    """What a check found: of a property that holds, and (inside Wrong) of one that does not.

    - max_rel_error, bound: the largest relative error and what it may be
    - arrays: (expected, actual, wrong, worst index, name, labels) to be drawn, or None
    """

    message: str = ""
    max_rel_error: float | None = None
    bound: float | None = None
    worst_index: tuple | None = None
    arrays: tuple | None = None
    diagnosis: list[Diagnosis] = field(default_factory=list)


class Wrong(Exception):
    """The property does not hold."""

    def __init__(self, outcome, verdict="failed"):
        super().__init__(outcome if isinstance(outcome, str) else outcome.message)
        self.outcome = Outcome(outcome) if isinstance(outcome, str) else outcome
        self.verdict = verdict


@dataclass(frozen=True)
class Criterion:
    """A named property: its check, its share of the question's points, and whether it is an edge case.

    `needs` are questions that it builds on besides those that its own question needs.
    """

    name: str
    weight: float
    check: Callable[["Trial"], Outcome | None]
    text: str
    edge: bool = False
    needs: tuple[str, ...] = ()


@dataclass
class Trial:
    """What a check works with: the student's code and files, and random numbers that are the same in every run.

    - question: the manifest's entry, with the settings of the check
    - options: what the manifest says editions of the course differ in
    - secret: integers that no student can know, for images whose labels are hidden
    - handed_in: the bytes of the question's file where that is no module, or None
    """

    student: Student
    seed: int
    question: Question | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    handed_in: bytes | None = None
    secret: tuple[int, ...] = ()

    def rng(self, *path):
        """Return a numpy Generator that depends on the kit's seed and on `path` alone."""
        return np.random.default_rng([self.seed, *(zlib.crc32(str(part).encode()) for part in path)])

    def call(self, *args: Any, **kwargs: Any):
        """Call the student's code; see Student.call."""
        return self.student.call(*args, **kwargs)


class Registry:
    """The criteria of every question, in the order they were stated."""

    def __init__(self):
        self.criteria: dict[str, list[Criterion]] = {}

    def criterion(self, question, name, weight=1.0, edge=False, text=None, needs=()):
        """Decorate a check; `text` replaces the docstring where one function makes several checks."""

        def register(check):
            sentence = text or " ".join(check.__doc__.split())
            self.criteria.setdefault(question, []).append(Criterion(name, weight, check, sentence, edge, tuple(needs)))
            return check

        return register


@contextmanager
def needing(what, function):
    """Turn a failure of a function that is only needed here into a `blocked` verdict."""
    try:
        yield
    except StudentError as error:
        if error.verdict == "forbidden":
            raise
        raise Wrong(f"{what} is fed by your {function}, which failed: {error}", "blocked") from None
