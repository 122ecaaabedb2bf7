"""The leak scan: proves that the released files contain no line of a solution.

A secret is a line of a solution region (or of a solution cell without regions) that is not in public text. Common lines
that reveal nothing, such as `else:` or `return x`, are not secrets. The scan searches every released file, including
the outputs and metadata of notebooks and the members of archives.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.assignment.regions import find_regions
from autograder.errors import ReleaseError

# The kinds of files in a release: text, pictures, and archives of these.
READABLE = (".py", ".pyx", ".pxi", ".h", ".ipynb", ".md", ".txt", ".sh", ".toml", ".csv", "makefile")
READABLE += (".png", ".jpg", ".jpeg", ".gif", ".zip")
_LONG = 24  # the scan searches for a secret of this length inside other lines too


def find_secret_lines(python_files: dict[str, str], notebooks: dict[str, Any]) -> dict[str, str]:
    """Return {normalized secret line: its place in the sources}.

    - python_files: {path: text} of the reference
    - notebooks: {path: notebook as parsed JSON} of the source notebooks
    """
    secret: dict[str, str] = {}
    public: set[str] = set()
    for path, text in python_files.items():
        _sort_lines(text, path, True, secret, public)
    for path, notebook in notebooks.items():
        for number, cell in enumerate(notebook["cells"], 1):
            where = f"{path}, cell {number} ({cell.get('id', 'no id')})"
            source, code = "".join(cell["source"]), cell["cell_type"] == "code"
            regions = find_regions(source, where, code)
            if cell["metadata"].get("nbgrader", {}).get("solution") and not regions:
                secret.update(dict.fromkeys(_find_revealing_lines(source.split("\n")), where))
            else:
                _sort_lines(source, where, code, secret, public)
    return {line: where for line, where in secret.items() if line not in public}


def find_leaks(files: dict[str, bytes], secrets: dict[str, str]) -> list[str]:
    """Return one sentence for each secret in the released files ({path: bytes})."""
    leaks = [
        f"{path} is of a kind that the leak scan cannot search" for path in files if not path.lower().endswith(READABLE)
    ]
    for path, data in sorted(files.items()):
        for where, text in _read_texts(path, data):
            lines = {_normalize(line) for line in text.split("\n")}
            whole = _normalize(text)
            for secret, origin in secrets.items():
                if secret in lines or (len(secret) >= _LONG and secret in whole):
                    leaks.append(f"{where} contains a solution line of {origin}: {secret}")
            if re.search(r"(BEGIN|END) SOLUTION", text):
                leaks.append(f"{where} contains a solution marker")
    return leaks


def refuse_leaks(files: dict[str, bytes], secrets: dict[str, str]) -> None:
    """Raise ReleaseError if find_leaks finds anything."""
    leaks = find_leaks(files, secrets)
    if leaks:
        more = f"\n... and {len(leaks) - 5} more" if len(leaks) > 5 else ""
        raise ReleaseError(
            "the release would contain solutions. Mark or remove these lines:\n" + "\n".join(leaks[:5]) + more
        )


def _sort_lines(text: str, where: str, code: bool, secret: dict[str, str], public: set[str]) -> None:
    """Add the lines of a text to the secret ones or to the public ones."""
    lines = text.split("\n")
    inside = set()
    for region in find_regions(text, where, code):
        numbers = range(region.line, region.line + len(region.lines) + 1)
        inside.update(numbers)
        for number, line in zip(numbers, region.lines):
            secret.update(dict.fromkeys(_find_revealing_lines([line]), f"{where}, line {number + 1}"))
    public.update(_find_revealing_lines(line for number, line in enumerate(lines) if number not in inside))


def _find_revealing_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the normalized lines that would reveal a part of a solution."""
    for line in lines:
        line = _normalize(line)
        if len(line) >= 8 and (re.search(r"[=(@+*/]", line) or line.count(" ") >= 3) and re.search(r"[A-Za-z]", line):
            yield line


def _normalize(text: str) -> str:
    return " ".join(text.split())


def _read_texts(path: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (place, text) for all text in a file."""
    if path.lower().endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from _read_texts(f"{path}/{name}", archive.read(name))
        return
    text = data.decode("utf-8", "replace")
    yield path, text
    if path.endswith(".ipynb"):
        yield path, "\n".join(_find_strings(json.loads(text)))


def _find_strings(value: Any) -> Iterator[str]:
    """Yield every string in a JSON value, and every list of strings joined, because notebooks split long texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield "".join(value)
        yield from value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _find_strings(item)
