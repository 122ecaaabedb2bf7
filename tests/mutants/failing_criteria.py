"""The table failing_criteria.toml: the criteria that wrong versions of the catalogue fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.kit import PACK

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Entry:
    """A wrong version, the `number`th of its question and misconception (from 0), and what its report must contain.

    - fails: the names of the criteria that fail
    - says: words in a criterion's message or in a diagnosis; the hint of the misconception is expected without an entry
    - passes: questions that build on this one and still pass
    """

    question: str
    wrong: str
    fails: list[str]
    number: int = 0
    verdict: str = "failed"
    says: str = ""
    passes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.question}-{self.wrong}-{self.number}"

    @property
    def version(self):
        """The wrong version of the catalogue."""
        named = [v for v in PACK.wrong_versions()[self.question] if v.misconception.name == self.wrong]
        return named[self.number]


def load_entries() -> list[Entry]:
    """Return the entries of the table, in its order."""
    data = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [Entry(question, **entry) for question, entries in data.items() for entry in entries]
