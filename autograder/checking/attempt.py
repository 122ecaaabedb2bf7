"""One attempt at one criterion, as a value that later stages read and never change."""

from dataclasses import dataclass

from autograder.checking.criteria import Criterion, Outcome
from autograder.sandbox.worker_client import Call, CallError


@dataclass(frozen=True)
class Attempt:
    """The outcome of one check, its verdict, and the calls that it made.

    - found: the outcome
    - unmet: needed questions that are not right and may be the cause of a failure
    - given: needed questions for which the judge answered
    - error: the error of the student's code that ended the check, or None
    - excuse: the reason why another question may be the cause of this failure, or ''
    """

    criterion: Criterion
    found: Outcome
    verdict: str
    calls: tuple[Call, ...] = ()
    unmet: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    error: CallError | None = None
    excuse: str = ""

    @property
    def passed(self) -> bool:
        """Whether the criterion holds."""
        return self.verdict == "passed"
