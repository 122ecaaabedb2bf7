"""The tutorial of docs/author.md as data: its files and its commands, and a folder in which they are run."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "author.md"
FOLDER = "ecology"  # of the course, on the page

_FILE = re.compile(rf"^`{FOLDER}/([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Step:
    """One command of the page and what it prints; `...` stands for any text, alone on a line for any lines."""

    command: str
    expected: str

    def fits(self, printed: str) -> bool:
        """Return whether an output is the one on the page; spaces at the ends of lines do not count."""
        parts = re.split(r"^\.\.\.\n|\.\.\.", _stripped(self.expected), flags=re.M)
        pattern = ".*".join(map(re.escape, parts))
        return re.fullmatch(pattern, _stripped(printed), re.S) is not None


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def files(text: str) -> dict[str, str]:
    """Return {path: text} of the files that a page shows in full."""
    return dict(_FILE.findall(text))


def steps(text: str) -> list[Step]:
    """Return the commands of a page in their order."""
    found = []
    for block in _CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            found.append(Step(command, expected))
    return found


class Desk:
    """A folder away from this repository, in which a stranger follows the page."""

    def __init__(self, top: Path) -> None:
        self.course = top / FOLDER
        self._programs = top / "bin"
        self._programs.mkdir(parents=True)
        program = self._programs / "autograder"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m autograder "$@"\n')
        program.chmod(0o755)

    def write(self, contents: dict[str, str]) -> None:
        """Write files of the course."""
        for path, text in contents.items():
            (self.course / path).parent.mkdir(parents=True, exist_ok=True)
            (self.course / path).write_text(text, encoding="utf-8")

    def run(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess:
        """Run one command of the shell in the course's folder (or another), as a stranger would."""
        path = os.pathsep.join([str(self._programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            ["bash", "-c", command],
            cwd=folder or self.course,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
