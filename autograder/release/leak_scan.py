"""The leak scan: proves that nothing of a solution is in what students get.

A secret is a line that stands inside a solution region (or in a cell that is a solution as a whole) and nowhere in
public text. Lines too common to tell anything, such as `else:` or `return x`, are none. Every released file is
searched, notebooks cell by cell with their outputs and metadata, archives member by member.
"""

import io
import json
import re
import zipfile

from autograder.errors import ReleaseError
from autograder.assignment.regions import find_regions

# What may be released: text, pictures, and archives of these.
READABLE = (".py", ".pyx", ".pxi", ".h", ".ipynb", ".md", ".txt", ".sh", ".toml", ".csv", "makefile")
READABLE += (".png", ".jpg", ".jpeg", ".gif", ".zip")
_LONG = 24  # a secret of this length is also looked for inside other lines


def secret_lines(python_files, notebooks):
    """Return {normalized secret line: where it stands}.

    - python_files: {path: text} of the reference
    - notebooks: {path: notebook as parsed JSON} of the source notebooks
    """
    secret, public = {}, set()
    for path, text in python_files.items():
        _sort_lines(text, path, True, secret, public)
    for path, notebook in notebooks.items():
        for number, cell in enumerate(notebook["cells"], 1):
            where = f"{path}, cell {number} ({cell.get('id', 'no id')})"
            source, code = "".join(cell["source"]), cell["cell_type"] == "code"
            regions = find_regions(source, where, code)
            if cell["metadata"].get("nbgrader", {}).get("solution") and not regions:
                secret.update(dict.fromkeys(_telling(source.split("\n")), where))
            else:
                _sort_lines(source, where, code, secret, public)
    return {line: where for line, where in secret.items() if line not in public}


def find_leaks(files, secrets):
    """Return sentences, one for each secret found in the released files ({path: bytes}); empty where there is none."""
    leaks = [f"{path} is of a kind that cannot be searched" for path in files if not path.lower().endswith(READABLE)]
    for path, data in sorted(files.items()):
        for where, text in _texts(path, data):
            lines = {_normalized(line) for line in text.split("\n")}
            whole = _normalized(text)
            for secret, origin in secrets.items():
                if secret in lines or (len(secret) >= _LONG and secret in whole):
                    leaks.append(f"{where} holds a solution line of {origin}: {secret}")
            if re.search(r"(BEGIN|END) SOLUTION", text):
                leaks.append(f"{where} holds a solution marker")
    return leaks


def refuse_leaks(files, secrets):
    """Raise ReleaseError where find_leaks finds anything."""
    leaks = find_leaks(files, secrets)
    if leaks:
        more = f"\n... and {len(leaks) - 5} more" if len(leaks) > 5 else ""
        raise ReleaseError("the release would give solutions away:\n" + "\n".join(leaks[:5]) + more)


def _sort_lines(text, where, code, secret, public):
    lines = text.split("\n")
    inside = set()
    for region in find_regions(text, where, code):
        numbers = range(region.line, region.line + len(region.lines) + 1)
        inside.update(numbers)
        for number, line in zip(numbers, region.lines):
            secret.update(dict.fromkeys(_telling([line]), f"{where}, line {number + 1}"))
    public.update(_telling(line for number, line in enumerate(lines) if number not in inside))


def _telling(lines):
    """Yield the normalized lines that would tell a student something."""
    for line in lines:
        line = _normalized(line)
        if len(line) >= 8 and (re.search(r"[=(@+*/]", line) or line.count(" ") >= 3) and re.search(r"[A-Za-z]", line):
            yield line


def _normalized(text):
    return " ".join(text.split())


def _texts(path, data):
    """Yield (where, text) for everything readable in a file."""
    if path.lower().endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from _texts(f"{path}/{name}", archive.read(name))
        return
    text = data.decode("utf-8", "replace")
    yield path, text
    if path.endswith(".ipynb"):
        yield path, "\n".join(_strings(json.loads(text)))


def _strings(value):
    """Yield every string in a JSON value; lists of strings, as notebooks write long texts, as one as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield "".join(value)
        yield from value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
