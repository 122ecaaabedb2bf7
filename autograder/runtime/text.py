"""Text for people: sentences, and a stranger's text made safe to print."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")  # colours, cursor moves, titles


def join_words(texts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def printable(value: Any) -> Any:
    """Return text without terminal sequences, and with every other control character replaced by a visible sign.

    A value that is not exactly a string, such as text that is marked as safe HTML, is returned as it is.
    """
    if type(value) is not str:
        return value
    text = _TERMINAL.sub("", value).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(map(_sign, text)) if not text.isprintable() else text


def one_line(text: str) -> str:
    """Return text as `printable` does, and on one line: no name or reason can write a line of its own."""
    return printable(text).replace("\n", "‹U+000A›")


def file_name(name: str) -> str:
    """Return a file name as it may be printed: control characters and lone surrogates are escaped."""
    return name.encode("unicode_escape", "surrogatepass").decode() if not name.isprintable() else name


def printable_path(path: str) -> str:
    """Return a path that any file can hold: lone surrogates are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _sign(character: str) -> str:
    """Return a visible replacement for a character that draws nothing or turns the reading direction."""
    if character in "\n\t\u200c\u200d" or character.isprintable():  # the joiners belong to Persian and to emoji
        return character
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    return "\ufffd" if kind == "Cs" else f"‹U+{ord(character):04X}›"
