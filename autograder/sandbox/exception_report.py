"""The worker's report of an exception as a CallError. The report is the student's claim: text, and never trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

from autograder.sandbox.call import CallError
from autograder.sandbox.python_errors import find_advice


def read_exception(report: Any, name: str, advice: Sequence[tuple[str, str]]) -> CallError:
    """Return the CallError for the report of an exception that was raised while the function `name` ran.

    - advice: (regular expression, advice) for exceptions that only this assignment's code raises
    """
    fields = _get_fields(report)
    kind, message = _make_text(fields.get("type", "")), _make_text(fields.get("message", ""))
    steps = fields.get("trail")
    trail = [_get_fields(step) for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    place, file, function = "", None, None
    if trail:
        last = trail[-1]
        file, function = _make_text(last.get("file")), _make_text(last.get("function"))
        where = function if function.isidentifier() or function.startswith("<") else "a function"
        place = f" in {where} ({file}, line {_make_text(last.get('line'))})"
    if kind == "NotImplementedError":
        return CallError("missing", f"not done yet: the stub is still there{place}", file, function)
    if kind == "AttributeError" and message.startswith("module ") and f"'{name}'" in message and not trail:
        return CallError("missing", f"there is no {name} in the submission")
    if kind == "returned":
        return CallError("failed", f"{name} returned {message}")
    if kind == "SystemExit":
        message = "the code calls exit()"
    known = find_advice(kind, message, advice)
    first = message.strip().partition("\n")[0]  # NumPy, for example, adds paragraphs
    text = f"{name} raised {kind}{': ' if first else ''}{first}{place}"
    return CallError("error", f"{text}. {known}" if known else text, file, function, (kind, first))


def read_error_number(report: Any) -> int | None:
    """Return the `errno` in the report of an exception, or None."""
    number = _get_fields(report).get("errno")
    return number if type(number) is int else None


def _get_fields(report: Any) -> Mapping[str, Any]:
    return report if isinstance(report, dict) else {}


def _make_text(value: Any) -> str:
    """Return a value as text that can be written to any file: lone surrogates become visible escapes."""
    return str(value)[:1000].encode("utf-8", "backslashreplace").decode()
