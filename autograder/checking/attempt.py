"""One try of one criterion, as a value that later stages read and never change."""

from dataclasses import dataclass

from autograder.checking.criteria import Criterion, Outcome
from autograder.sandbox.worker_client import Call, CallError


@dataclass(frozen=True)
class Attempt:
    """What a check found, the verdict, and the calls that it made.

    - unmet: needed questions that are not right and may be to blame
    - given: needed questions that the judge answered for
    - error: what ended the check, where the student's side failed
    - excuse: why this may not be a mistake of its own
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
