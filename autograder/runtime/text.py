"""Text for people: join words, and make a student's text safe to print."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")  # colours, cursor moves, titles


def join_words(texts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"; `texts` needs at least one."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def make_printable(value: Any) -> Any:
    """Return text without terminal sequences and with a visible sign for every other control character.

    A value that is not exactly a `str`, such as a Markup of safe HTML, is returned unchanged.
    """
    if type(value) is not str:
        return value
    text = _TERMINAL.sub("", value).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(map(_replace_character, text)) if not text.isprintable() else text


def make_one_line(text: str) -> str:
    """Return text as `make_printable` does, on one line, so that no name or reason looks like a line of output."""
    return make_printable(text).replace("\n", "‹U+000A›")


def escape_file_name(name: str) -> str:
    """Return a file name that is safe to print, with control characters and lone surrogates escaped."""
    return name.encode("unicode_escape", "surrogatepass").decode() if not name.isprintable() else name


def escape_path(path: str) -> str:
    """Return a path that UTF-8 can encode, with lone surrogates escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _replace_character(character: str) -> str:
    """Return a visible replacement for a character that is invisible or changes the reading direction."""
    if character in "\n\t\u200c\u200d" or character.isprintable():  # Persian and emoji need the joiners
        return character
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    return "\ufffd" if kind == "Cs" else f"‹U+{ord(character):04X}›"
