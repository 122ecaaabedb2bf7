"""Calls of the student's code, and the one error in which a call can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.sandbox.worker.values import Handle

Limit = Literal["time", "memory"]
Target = str | tuple[Any, ...]  # "package.module:function", or (handle, name of an attribute)
Returns = str | list[str]  # "value", "handle", or one of these for each value returned


class CallError(Exception):
    """The student's code failed: `verdict` is one of report.VERDICTS, the message is for the student.

    - file, function: the place in the submission that raised an exception, if that is known
    - raised: the type of the exception, and the first line of its message
    - limit: "time" or "memory" if the call reached a limit that a retry may raise
    """

    limit: Limit | None = None

    def __init__(
        self,
        verdict: str,
        message: str,
        file: str | None = None,
        function: str | None = None,
        raised: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.verdict, self.file, self.function, self.raised = verdict, file, function, raised

    @property
    def is_not_answered(self) -> bool:
        """Whether the student's code called a proxy in a way that the judge cannot answer; the worker's claim."""
        return self.raised is not None and self.raised[0] == "NotAnswered"


class WorkerStartError(Exception):
    """The worker did not start: the grader's fault, never the student's."""


@dataclass(frozen=True)
class Request:
    """A call to be made.

    - is_call: whether the worker calls the target; otherwise it reads an attribute
    - echo: whether the positional arguments are returned as they are after the call
    """

    target: Target
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    returns: Returns = "value"
    is_call: bool = True
    echo: bool = False

    @property
    def name(self) -> str:
        """The name of the target in messages."""
        name = self.target if isinstance(self.target, str) else f"{self.target[0].kind}.{self.target[1]}"
        return name.rpartition(":")[2]

    @property
    def path(self) -> list[str | int]:
        """The target as the worker resolves it."""
        if isinstance(self.target, str):
            module, _, name = self.target.partition(":")
            return ["module", module, *name.split(".")]
        handle, *names = self.target
        assert isinstance(handle, Handle)
        return ["handle", handle.number, *names]

    def is_answered_by(self, value: Any) -> bool:
        """Return whether an answer has the form of `returns`; the checks judge its content."""
        return _has_form(value, self.returns)


@dataclass(frozen=True)
class Call:
    """One call that was made, and its result: a value, or a CallError.

    `after` are the positional arguments as they were after the call, if the call asked for them.
    """

    target: Target
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    returns: Returns
    is_call: bool
    result: Any
    after: list[Any] | None = None


def _has_form(value: Any, returns: Returns) -> bool:
    if isinstance(returns, list):
        return isinstance(value, tuple) and len(value) == len(returns) and all(map(_has_form, value, returns))
    return returns == "value" or isinstance(value, Handle)
