"""Put all graded files into one zip: `python make_submission.py`, or `make submission`.

The script lists missing files and open questions. It writes the zip in any case, with all files that exist, and a part
of the work earns a part of the points. It needs only Python, reads questions.toml beside it, and changes none of your
files.

Exit code: 0  the zip was written, even if some questions are open
           1  the zip was not written; the message gives the reason
           2  the command line was wrong
"""

import argparse
import ast
import functools
import io
import json
import os
import re
import stat
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

try:
    import tomllib
except ImportError:
    have = sys.version.split()[0]
    sys.exit(f"make_submission.py needs Python 3.11 or later; this is {have}. Activate your environment first.")

Manifest = dict[str, Any]  # the content of questions.toml
Question = dict[str, Any]
Cell = dict[str, Any]  # of a notebook
Files = dict[str, bytes]  # content by path
OpenQuestions = dict[str, tuple[int, list[tuple[str, str]]]]  # notebook: (number of questions, [(open one, why)])

# The largest number of files, and the largest sizes in bytes, that the grader reads. It omits larger files.
MAX_FILES, MAX_FILE, MAX_TOTAL, MAX_SOURCE, MAX_NAME = 500, 32 << 20, 80 << 20, 256 << 10, 100
IGNORED_FOLDERS = {"__pycache__", ".ipynb_checkpoints", "build", "datasets", "__MACOSX"}

# The text of an unanswered question in a released notebook.
NO_ANSWER = "YOUR ANSWER HERE"
_STUB_LINE = re.compile(r"^[ \t]*raise[ \t]+NotImplementedError(\(\s*\))?[ \t]*(#.*)?$", re.M)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class SubmissionError(Exception):
    """The zip cannot be written, or one file cannot be in it; the text is the message for the student."""


def read_manifest(root: Path) -> Manifest:
    """Return questions.toml as a dictionary; raise SubmissionError if it is not beside this file."""
    path = root / "questions.toml"
    try:
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        assignment = manifest["assignment"]
        _ = assignment["name"], [(one["id"], one["notebook"]) for one in manifest["question"]]  # KeyError if one lacks
        assignment.setdefault("editable", [f"{assignment['package']}/[!_]*.py"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SubmissionError(
            f"{path} cannot be read ({type(error).__name__}: {error}). This script must be in the folder of the "
            "assignment, beside questions.toml and your notebooks. Copy both files from the archive you were given."
        ) from None
    return manifest


def notebooks_of(manifest: Manifest) -> list[str]:
    """Return the file names of the notebooks, in the order of the assignment."""
    return list(dict.fromkeys(f"{question['notebook']}.ipynb" for question in manifest["question"]))


def graded_files(root: Path, manifest: Manifest) -> tuple[Files, list[str]]:
    """Return all graded files, in the order of the zip, and remarks on missing and unusable files."""
    paths, remarks = _find_modules(root, manifest["assignment"]), []
    models = {question["file"] for question in manifest["question"] if not question.get("file", ".py").endswith(".py")}
    older = manifest["assignment"].get("aliases", {})
    paths += sorted(models | {older[model] for model in models if model in older})
    paths += notebooks_of(manifest)  # last: they are the largest, and the grader stops at its limit
    paths = [path for path in paths if os.path.lexists(root / path)]
    files = {}
    for path in paths:
        try:
            path.encode()
            files[path] = _read(root / path)
        except (SubmissionError, OSError) as error:
            remarks.append(f"{path} is not in the zip: {error}")
        except UnicodeEncodeError:
            remarks.append(f"{path!a} is not in the zip: rename it, with plain letters, digits, - and _ only.")
    remarks += _list_missing(paths, manifest) + _list_beyond_limits(files)
    for path, data in files.items():
        if path.endswith(".py"):
            _, problem = _parse(data, path)
            remarks += [problem] if problem else []
        elif path.endswith(".ipynb") and _read_cells(data) is None:
            remarks.append(f"{path} is no valid notebook (cut off?). Open it in Jupyter, save it, run this again.")
    return files, remarks


def _read(path: Path) -> bytes:
    """Return the bytes of a file; raise SubmissionError with the reason if the grader does not read such a file."""
    found, limit = path.lstat(), MAX_SOURCE if path.suffix == ".py" else MAX_FILE
    if stat.S_ISLNK(found.st_mode):
        raise SubmissionError("it is a link, and links are not followed. Put a copy of the file in its place.")
    if not stat.S_ISREG(found.st_mode):
        raise SubmissionError("it is not a regular file. Put a file in its place.")
    if found.st_size > limit:
        advice = " Clear its outputs and save it." if path.suffix == ".ipynb" else ""
        size = f"it has {_format_size(found.st_size)}; the grader reads no more than {_format_size(limit)}"
        raise SubmissionError(f"{size}.{advice}")
    with open(path, "rb") as file:
        return file.read(found.st_size)


def _find_modules(root: Path, assignment: Mapping[str, Any]) -> list[str]:
    """Return the paths of the package's editable modules, and of modules that the student added."""
    found = []
    for path in sorted((root / assignment["package"]).rglob("*.py")):
        inside = path.relative_to(root).as_posix()
        editable = any(fnmatchcase(inside, pattern) for pattern in assignment["editable"])
        provided = any(fnmatchcase(inside, pattern) for pattern in assignment.get("provided", ()))
        hidden = any(part in IGNORED_FOLDERS or part.startswith(".") for part in path.relative_to(root).parts)
        if not path.is_dir() and not hidden and (editable or not provided):
            found.append(inside)
    return found


def _list_missing(paths: Collection[str], manifest: Manifest) -> list[str]:
    """Return a remark for each module and notebook that is missing; missing models are open questions instead."""
    expected = [pattern for pattern in manifest["assignment"]["editable"] if not set("*?[") & set(pattern)]
    expected += [question["file"] for question in manifest["question"] if question.get("file", "").endswith(".py")]
    remarks = []
    for path in dict.fromkeys(expected + notebooks_of(manifest)):
        former = manifest["assignment"].get("aliases", {}).get(path)
        if path not in paths:
            instead = f"; the older {former} is graded instead" if former in paths else ""
            remarks.append(f"{path} is missing{instead}.")
    return remarks


def _list_beyond_limits(files: Files) -> list[str]:
    """Return a remark for each limit of the grader that the files exceed."""
    remarks, total = [], sum(map(len, files.values()))
    for path in files:
        if any(len(part.encode()) > MAX_NAME for part in PurePosixPath(path).parts):
            remarks.append(f"{path} has too long a name for the grader (over {MAX_NAME} bytes). Rename it.")
    if total > MAX_TOTAL:
        size, largest = _format_size(total), _format_size(MAX_TOTAL)
        remarks.append(f"All files together have {size}; the grader reads no more than {largest}. Remove large files.")
    if len(files) > MAX_FILES:
        remarks.append(f"There are {len(files)} files; the grader reads no more than {MAX_FILES}. Remove some.")
    return remarks


def open_questions(files: Files, manifest: Manifest) -> OpenQuestions:
    """Return, for each notebook, the number of its questions, and the open ones with what is missing in them."""
    found = {}
    for notebook in notebooks_of(manifest):
        questions = [question for question in manifest["question"] if f"{question['notebook']}.ipynb" == notebook]
        labels = [one["id"] + (" (bonus)" if one.get("bonus") else "") for one in questions]
        states = [(label, _describe_question(one, files, manifest)) for label, one in zip(labels, questions)]
        for cell in _read_cells(files.get(notebook, b"")) or []:
            mark = _get_mark(cell)
            if cell.get("cell_type") == "markdown" and mark.get("grade") and mark.get("solution"):
                text = _get_source(cell)
                states.append((mark["grade_id"], "no answer yet" if not text.strip() or NO_ANSWER in text else ""))
        found[notebook] = len(states), [(name, state) for name, state in states if state]
    return found


def _describe_question(question: Question, files: Files, manifest: Manifest) -> str:
    """Return what is missing in the answer to a question, or ''."""
    path, states = question.get("file", ""), []
    former = manifest["assignment"].get("aliases", {}).get(path)
    if question.get("cells"):  # the answer is the last cell; the others are shared or provided
        states.append(_describe_cell(f"{question['notebook']}.ipynb", question["cells"][-1], files))
    if path and path not in files and former not in files:
        states.append(f"{path} is missing")
    elif path.endswith(".py"):
        in_files = [_describe_definition(name, question["id"], files) for name in (path, former) if name in files]
        states.append("" if "" in in_files else in_files[0])
    return "; ".join(filter(None, states))


def _describe_definition(path: str, name: str, files: Files) -> str:
    """Return what is missing in the function or class `name` of a module, or ''."""
    tree, _ = _parse(files[path], path)
    if tree is None:
        return f"{path} does not parse"
    definitions = [node for node in tree.body if isinstance(node, _DEFINITIONS) and node.name == name]
    if not definitions:
        return "" if {name, "*"} & _list_other_names(tree) else f"there is no {name} in {path}"
    stubs = [node.lineno for node in ast.walk(definitions[-1]) if isinstance(node, ast.Raise) and _is_stub(node)]
    return f"still a stub: {path}, line {min(stubs)}" if stubs else ""


def _is_stub(node: ast.Raise) -> bool:
    """Return whether this is `raise NotImplementedError()`; with a message it is the student's own."""
    raised = node.exc
    if isinstance(raised, ast.Call) and not raised.args and not raised.keywords:
        raised = raised.func
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _list_other_names(tree: ast.Module) -> set[str]:
    """Return the names that a module imports or assigns."""
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {alias.asname or alias.name for node in imports for alias in node.names}


def _describe_cell(notebook: str, name: str, files: Files) -> str:
    """Return what is missing in the cell `name` of a notebook, or ''."""
    if notebook not in files:
        return f"{notebook} is missing"
    cells = _read_cells(files[notebook])
    if cells is None:
        return f"{notebook} is no valid notebook"
    sources = [_get_source(cell) for cell in cells if _get_mark(cell).get("grade_id") == name]
    if not sources:
        return f"the cell {name} is missing in {notebook}"
    return f"still a stub: {notebook}, cell {name}" if _STUB_LINE.search(sources[0]) else ""


@functools.cache
def _parse(data: bytes, path: str) -> tuple[ast.Module | None, str]:
    """Return (syntax tree, ''), or (None, the place and reason of the error) if the module does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data), ""
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        return None, f"{path}{line}: {error.msg}. Nothing in this file can be graded until it parses."
    except (ValueError, RecursionError, MemoryError) as error:
        return None, f"{path} cannot be read as Python ({error}). Nothing in it can be graded."


def _read_cells(data: bytes) -> list[Cell] | None:
    """Return the cells of a notebook, or None if the data is not a notebook."""
    try:
        cells = json.loads(data.decode("utf-8-sig"))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    valid = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    return cells if valid else None


def _get_mark(cell: Cell) -> dict[str, Any]:
    """Return nbgrader's mark of a cell: {grade_id, grade, solution, ...}, or {} if the cell has none."""
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return mark if isinstance(mark, dict) and isinstance(mark.get("grade_id"), str) else {}


def _get_source(cell: Cell) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def write_zip(target: Path, files: Files) -> None:
    """Write the files as a zip, complete or not at all; the same files always give the same bytes."""
    partial = None
    try:
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".submission-", suffix=".part")
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in files.items():
                entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                archive.writestr(entry, data)
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except OSError as error:
        if partial:
            Path(partial).unlink(missing_ok=True)
        raise SubmissionError(
            f"{target} could not be written: {error.strerror}. Close it in other programs, or use --output with a path."
        ) from None


def zip_path(root: Path, name: str, output: str | None, student: str | None) -> Path:
    """Return the path of the zip. Its name begins with the student id, because the grader looks for the id there."""
    student = re.sub(r"[^\w.@+ -]", "-", student or "").strip(" .")[:60]
    default = f"{student}_{name}.zip" if student else f"{name}_submission.zip"
    if output is None:
        return root / default
    if os.path.isdir(output):
        return Path(output).absolute() / default
    if not output.lower().endswith(".zip"):  # so it cannot be one of the graded files
        raise SubmissionError(f"--output {output} is not a folder or .zip. Name a folder, or a file like {default}")
    return Path(output).absolute()


def print_summary(target: Path, files: Files, remarks: Sequence[str], still_open: OpenQuestions) -> None:
    """Print the files of the zip, the answered and open questions, all remarks, and what to do with the zip."""
    tick, cross, dot = ("✓", "✗", "·") if sys.stdout.encoding.lower().startswith("utf") else ("+", "-", "-")
    print(f"\nIn the zip: {len(files)} files, {_format_size(sum(map(len, files.values())))}")
    for path, data in files.items():
        print(f"  {path:<44}{_format_size(len(data)):>10}")
    print("\nAnswered questions (an answer may still be wrong):")
    for notebook, (count, undone) in still_open.items():
        print(f"  {cross if undone else tick} {notebook.removesuffix('.ipynb'):<28}{count - len(undone):>3} of {count}")
        for question, state in undone:
            print(f"      {question:<36}{state}")
    if remarks:
        print("\nPlease look at this:")
        print(*(f"  {dot} {remark}" for remark in remarks), sep="\n")
    print(f"\nThe zip is ready: {target}")
    print("Submit this one file. Open questions earn no points; all others are graded.")
    print("The zip contains the notebooks as you last saved them. After a change, save them and run this script again.")


def _format_size(count: int) -> str:
    for unit, size in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 1000 * size else f"{count // size} {unit}"
    return f"{count} bytes"


def main() -> int:
    """Write the zip and print the summary; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # letters that the console does not have become escape sequences
            stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(description="Put all graded files into one zip.")
    parser.add_argument("--student", metavar="ID", help="your id in the course, for the name of the zip")
    parser.add_argument("--output", metavar="PATH", help="where to write the zip (a file or a folder)")
    options = parser.parse_args()
    root = Path(__file__).resolve().parent
    try:
        manifest = read_manifest(root)
        files, remarks = graded_files(root, manifest)
        if not files:
            package = manifest["assignment"]["package"]
            raise SubmissionError(f"no {package}/ and no notebook is in {root}. Put this script back beside them.")
        target = zip_path(root, manifest["assignment"]["name"], options.output, options.student)
        write_zip(target, files)
    except (SubmissionError, OSError) as error:
        print(f"make_submission.py: {error}", file=sys.stderr)
        return 1
    print_summary(target, files, remarks, open_questions(files, manifest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
