"""The verdicts: a closed set of words, each with a symbol, a colour on the terminal and a meaning."""

from collections.abc import Iterable

# What can be said of a criterion or a question, worst first: a question's verdict is the worst of its criteria's.
VERDICTS = (
    "forbidden",  # the code tried what the sandbox or the protocol does not allow
    "timeout",  # it ran into the time limit
    "memory",  # it ran into the memory limit
    "missing",  # the stub is still there, or the function is absent
    "error",  # the student's code raised, or its process died
    "failed",  # it ran and gave a wrong answer
    "blocked",  # it could not be judged because a question it needs is not right
    "grader_fault",  # the grader itself failed; a human has to look, and no point is lost meanwhile
    "skipped",  # this machine lacks what the question wants
    "passed",
)


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of some verdicts; without any, `passed`."""
    return min(verdicts, key=VERDICTS.index, default="passed")


# A symbol and a word for every verdict, so that none is told by its colour alone.
SYMBOLS = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "timeout": "◷",
    "memory": "▦",
    "forbidden": "⊘",
    "missing": "○",
    "blocked": "⇥",
    "skipped": "–",
    "grader_fault": "?",
}
MEANINGS = {
    "passed": "right",
    "failed": "ran and gave a wrong answer",
    "error": "the code raised, or its process died",
    "timeout": "ran into the time limit",
    "memory": "ran into the memory limit",
    "forbidden": "tried what is not allowed",
    "missing": "not written yet",
    "blocked": "waits for a question it needs",
    "skipped": "this machine lacks what it wants",
    "grader_fault": "the grader failed; points are held back until a human has looked",
}

_COLOURS = {"passed": "green", "missing": "bright_black", "blocked": "yellow", "skipped": "bright_black"}
_COLOURS |= {"grader_fault": "magenta"}


def colour(verdict: str) -> str:
    """Return the terminal colour of a verdict, by Rich's name."""
    return _COLOURS.get(verdict, "red")
