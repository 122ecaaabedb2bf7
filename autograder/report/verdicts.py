"""The verdicts: a closed set of words, each with a symbol, a colour and a meaning."""

from collections.abc import Iterable

# Worst first: (verdict, symbol, colour on the terminal by Rich's name, meaning). The verdict of a question is the worst
# verdict of its criteria. Each verdict has a symbol and a word, so that no reader depends on colours.
_TABLE = (
    ("forbidden", "⊘", "red", "tried an action that the sandbox or the protocol does not allow"),
    ("timeout", "◷", "red", "reached a time limit"),
    ("memory", "▦", "red", "reached the memory limit"),
    ("missing", "○", "bright_black", "the stub is unchanged, or the function is absent"),
    ("error", "!", "red", "the code raised an exception, or its process died"),
    ("failed", "✗", "red", "ran and gave a wrong answer"),
    ("blocked", "⇥", "yellow", "waits for a needed question"),
    (
        "grader_fault",
        "?",
        "magenta",
        "the grader failed; a person must grade the question, and no point is lost meanwhile",
    ),
    ("skipped", "–", "bright_black", "this machine lacks a requirement of the question"),
    ("passed", "✓", "green", "right"),
)
VERDICTS = tuple(verdict for verdict, *_ in _TABLE)
SYMBOLS = {verdict: symbol for verdict, symbol, _, _ in reversed(_TABLE)}
MEANINGS = {verdict: meaning for verdict, _, _, meaning in reversed(_TABLE)}
_COLOURS = {verdict: colour for verdict, _, colour, _ in _TABLE}


def find_worst_verdict(verdicts: Iterable[str]) -> str:
    """Return the worst verdict, or `passed` if there is none; raise ValueError for a word that is not a verdict."""
    return min(verdicts, key=VERDICTS.index, default="passed")


def get_colour(verdict: str) -> str:
    """Return the terminal colour of a verdict, by Rich's name; raise KeyError for a word that is not a verdict."""
    return _COLOURS[verdict]
