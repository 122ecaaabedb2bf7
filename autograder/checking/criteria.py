"""Criteria: the separately scored properties of a question, and how a check states one.

A check is a function. Its docstring is the sentence that the student reads. It receives a Trial, calls the student's
code through it, and returns an Outcome (or None) if the property holds; otherwise it raises Wrong.

    CHECKS = Checks()

    @CHECKS.criterion("affine_forward", "values", weight=3)
    def affine_values(trial):
        "out is x·w + b for inputs of several shapes."
        ...
"""

import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.assignment.manifest import Question
from autograder.report.model import Diagnosis
from autograder.sandbox.worker_client import CallError, WorkerClient


@dataclass
class Outcome:
    """The result of a check, for a property that holds and (inside Wrong) for one that does not.

    - max_rel_error, bound: the largest relative error, and the largest that a right answer may have
    - arrays: (expected, actual, wrong, worst index, name, labels) for a picture, or None
    """

    message: str = ""
    max_rel_error: float | None = None
    bound: float | None = None
    worst_index: tuple[int, ...] | None = None
    arrays: tuple[Any, ...] | None = None
    diagnosis: list[Diagnosis] = field(default_factory=list[Diagnosis])


class Wrong(Exception):
    """The property does not hold."""

    def __init__(self, outcome: Outcome | str, verdict: str = "failed") -> None:
        super().__init__(outcome if isinstance(outcome, str) else outcome.message)
        self.outcome = Outcome(outcome) if isinstance(outcome, str) else outcome
        self.verdict = verdict


@dataclass(frozen=True)
class Criterion:
    """A named property: its check, its share of the question's points, and whether it is an edge case.

    - text: the sentence that the student reads
    - needs: needed questions, in addition to those of its own question
    """

    name: str
    weight: float
    check: Callable[["Trial"], Outcome | None]
    text: str
    edge: bool = False
    needs: tuple[str, ...] = ()


@dataclass
class Trial:
    """The arguments of a check: the student's code and files, and random numbers that are the same in every run.

    - question: the manifest's entry, with the settings of the check
    - options: the manifest's options, in which editions of the course differ
    - secret: integers that no student can know, for images with hidden labels
    - submitted_file: the bytes of the question's file if it is not a module, else None
    """

    worker: WorkerClient
    seed: int
    question: Question | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    submitted_file: bytes | None = None
    secret: tuple[int, ...] = ()

    def rng(self, *path: object) -> np.random.Generator:
        """Return a numpy Generator that depends only on the kit's seed and on `path`."""
        return np.random.default_rng([self.seed, *(zlib.crc32(str(part).encode()) for part in path)])

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's code; see WorkerClient.call."""
        return self.worker.call(*args, **kwargs)


Check = Callable[["Trial"], Outcome | None]
MakeLargeCall = Callable[["Trial"], Any]  # returns a checking.large_call.LargeCall


class Checks:
    """The checks that one module states: criteria of every question in their order, and large calls.

    - large_calls: question -> a function that makes its LargeCall from a Trial
    """

    def __init__(self) -> None:
        self.criteria: dict[str, list[Criterion]] = {}
        self.large_calls: dict[str, MakeLargeCall] = {}

    def criterion(
        self,
        question: str,
        name: str,
        weight: float = 1.0,
        edge: bool = False,
        text: str | None = None,
        needs: Sequence[str] = (),
    ) -> Callable[[Check], Check]:
        """Decorate a check; `text` replaces the docstring if one function makes several checks."""

        def state(check: Check) -> Check:
            sentence = text or " ".join((check.__doc__ or "").split())
            self.criteria.setdefault(question, []).append(Criterion(name, weight, check, sentence, edge, tuple(needs)))
            return check

        return state

    def large_call(self, question: str) -> Callable[[MakeLargeCall], MakeLargeCall]:
        """Decorate the function that makes the LargeCall of a question; it shows whether a gradient is derived."""

        def state(make: MakeLargeCall) -> MakeLargeCall:
            self.large_calls[question] = make
            return make

        return state


@contextmanager
def block_if_failed(what: str, function: str) -> Generator[None]:
    """Turn a failure of a needed function into the verdict `blocked`.

    - what: the function or class that this criterion grades
    """
    try:
        yield
    except CallError as error:
        if error.verdict == "forbidden":
            raise
        raise Wrong(f"{what} is fed by your {function}, which failed: {error}", "blocked") from None
