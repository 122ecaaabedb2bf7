"""The tutorial of docs/author.md as data: its files, its commands, and a folder in which to run them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "author.md"
FOLDER = "ecology"  # the folder of the course in the tutorial

_FILE = re.compile(rf"^`{FOLDER}/([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Step:
    """One command of the page and its output; `...` stands for any text, alone on a line for any number of lines."""

    command: str
    expected: str

    def matches(self, output: str) -> bool:
        """Return whether an output is the one on the page; spaces at the ends of lines have no effect."""
        parts = re.split(r"^\.\.\.\n|\.\.\.", _strip_line_ends(self.expected), flags=re.M)
        pattern = ".*".join(map(re.escape, parts))
        return re.fullmatch(pattern, _strip_line_ends(output), re.S) is not None


def _strip_line_ends(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def find_files(text: str) -> dict[str, str]:
    """Return {path: text} of the files that a page shows; paths are relative to the folder of the course."""
    return dict(_FILE.findall(text))


def find_steps(text: str) -> list[Step]:
    """Return the commands of a page, in their order."""
    found = []
    for block in _CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            found.append(Step(command, expected))
    return found


class TutorialFolder:
    """A folder outside this repository, in which the tutorial is followed.

    - course: the folder of the course
    """

    def __init__(self, top: Path) -> None:
        self.course = top / FOLDER
        self._programs = top / "bin"
        self._programs.mkdir(parents=True)
        program = self._programs / "autograder"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m autograder "$@"\n')
        program.chmod(0o755)

    def write(self, contents: dict[str, str]) -> None:
        """Write {path: text} into the folder of the course."""
        for path, text in contents.items():
            (self.course / path).parent.mkdir(parents=True, exist_ok=True)
            (self.course / path).write_text(text, encoding="utf-8")

    def run(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess:
        """Run one shell command in the folder of the course, or in another folder; 300 s is the limit."""
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
