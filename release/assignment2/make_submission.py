"""Put everything that is graded into one zip: `python make_submission.py`, or `make submission`.

It says what is missing and which questions are still open, and it refuses nothing: whatever is there goes into the
zip and is graded. It needs Python alone, reads questions.toml beside it, and changes none of your files.

Exit code: 0  the zip was written, however unfinished the work
           1  it was not: the message says why
           2  the command line was wrong
"""

import argparse
import ast
import functools
import json
import os
import re
import stat
import sys
import tempfile
import warnings
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

try:
    import tomllib
except ImportError:
    sys.exit(
        f"make_submission.py needs Python 3.11 or later, and this is Python {sys.version.split()[0]}. "
        "Activate the environment of the assignment first, or name a newer Python: python3.12 make_submission.py"
    )

# The largest sizes that the grader reads, in bytes; it leaves out larger files.
MAX_FILES, MAX_FILE, MAX_TOTAL, MAX_SOURCE, MAX_NAME = 500, 32 << 20, 80 << 20, 256 << 10, 100
PASSED_OVER = {"__pycache__", ".ipynb_checkpoints", "build", "datasets", "__MACOSX"}

# The text that an unanswered question in a notebook has as it is handed out.
NO_ANSWER = "YOUR ANSWER HERE"
_STUB_LINE = re.compile(r"^[ \t]*raise[ \t]+NotImplementedError(\(\s*\))?[ \t]*(#.*)?$", re.M)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Stop(Exception):
    """No zip can be written; the text is all that is printed."""


def read_manifest(root):
    """Return questions.toml as a dictionary; Stop where it is not beside this file."""
    path = root / "questions.toml"
    try:
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        for question in manifest["question"]:
            question["id"], question["notebook"]
        manifest["assignment"]["name"]
        manifest["assignment"].setdefault("editable", [f"{manifest['assignment']['package']}/[!_]*.py"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Stop(
            f"{path} cannot be read ({type(error).__name__}: {error}). This script has to lie in the assignment's "
            "folder, beside questions.toml and your notebooks: take both from the archive you were given."
        ) from None
    return manifest


def notebooks_of(manifest):
    """Return the names of the notebooks, in the order of the assignment."""
    return list(dict.fromkeys(f"{question['notebook']}.ipynb" for question in manifest["question"]))


def graded_files(root, manifest):
    """Return ({path: bytes} of everything that is graded, in the order of the zip, and what is wrong with it)."""
    paths, remarks = _modules(root, manifest["assignment"]), []
    models = {question["file"] for question in manifest["question"] if not question.get("file", ".py").endswith(".py")}
    older = manifest["assignment"].get("aliases", {})
    paths += sorted(models | {older[model] for model in models if model in older})
    paths += notebooks_of(manifest)  # last: they are the largest, and the grader stops at its limit
    paths = [path for path in paths if os.path.lexists(root / path)]
    files = {}
    for path in paths:
        try:
            path.encode()
            files[path] = _content(root / path)
        except (Stop, OSError) as error:
            remarks.append(f"{path} is not in the zip: {error}")
        except UnicodeEncodeError:
            remarks.append(f"{path!a} is not in the zip: rename it, in plain letters.")
    remarks += _missing(paths, manifest) + _beyond_limits(files)
    for path, data in files.items():
        if path.endswith(".py"):
            remarks += [said for said in [_parsed(data, path)[1]] if said]
        elif path.endswith(".ipynb") and _cells(data) is None:
            remarks.append(f"{path} is no valid notebook (cut off?). Open it in Jupyter, save it, run this again.")
    return files, remarks


def _content(path):
    """Return the bytes of a file; Stop with the reason where the grader would not read it."""
    found, limit = path.lstat(), MAX_SOURCE if path.suffix == ".py" else MAX_FILE
    if stat.S_ISLNK(found.st_mode):
        raise Stop("it is a link, and links are not followed. Put a copy of the file in its place.")
    if not stat.S_ISREG(found.st_mode):
        raise Stop("it is no regular file.")
    if found.st_size > limit:
        advice = " Clear its outputs and save it." if path.suffix == ".ipynb" else ""
        raise Stop(f"it has {_size(found.st_size)}; the grader reads no more than {_size(limit)}.{advice}")
    with open(path, "rb") as file:
        return file.read(found.st_size)


def _modules(root, assignment):
    """Return the editable modules of the package, and those that are neither editable nor provided."""
    found = []
    for path in sorted((root / assignment["package"]).rglob("*.py")):
        inside = path.relative_to(root).as_posix()
        editable, provided = (
            any(fnmatchcase(inside, pattern) for pattern in assignment.get(key, ())) for key in ("editable", "provided")
        )
        hidden = any(part in PASSED_OVER or part.startswith(".") for part in path.relative_to(root).parts)
        if not path.is_dir() and not hidden and (editable or not provided):
            found.append(inside)
    return found


def _missing(files, manifest):
    expected = [pattern for pattern in manifest["assignment"]["editable"] if not set("*?[") & set(pattern)]
    # A model that is missing is said with its question.
    expected += [question["file"] for question in manifest["question"] if question.get("file", "").endswith(".py")]
    said = []
    for path in dict.fromkeys(expected + notebooks_of(manifest)):
        former = manifest["assignment"].get("aliases", {}).get(path)
        if path not in files and former in files:
            said.append(f"{path} is missing; the older {former} stands in for it.")
        elif path not in files:
            said.append(f"{path} is missing.")
    return said


def _beyond_limits(files):
    said, total = [], sum(map(len, files.values()))
    for path in files:
        if any(len(part.encode()) > MAX_NAME for part in PurePosixPath(path).parts):
            said.append(f"{path} has too long a name for the grader (over {MAX_NAME} bytes).")
    if total > MAX_TOTAL:
        said.append(f"All files together have {_size(total)}; the grader reads no more than {_size(MAX_TOTAL)}.")
    if len(files) > MAX_FILES:
        said.append(f"These are {len(files)} files; the grader reads no more than {MAX_FILES}.")
    return said


def open_questions(files, manifest):
    """Return {notebook: (number of questions, [(question, what is still to be done)])}."""
    found = {}
    for notebook in notebooks_of(manifest):
        asked = [question for question in manifest["question"] if f"{question['notebook']}.ipynb" == notebook]
        states = [(_label(question), _state(question, files, manifest)) for question in asked]
        for cell in _cells(files.get(notebook)) or []:
            mark = _mark(cell)
            if cell.get("cell_type") == "markdown" and mark.get("grade") and mark.get("solution"):
                text = _source(cell)
                states.append((mark["grade_id"], "no answer yet" if not text.strip() or NO_ANSWER in text else ""))
        found[notebook] = len(states), [(name, state) for name, state in states if state]
    return found


def _label(question):
    return question["id"] + (" (bonus)" if question.get("bonus") else "")


def _state(question, files, manifest):
    """Return what a question still lacks, or ''."""
    path, said = question.get("file", ""), []
    former = manifest["assignment"].get("aliases", {}).get(path)
    if question.get("cells"):  # the answer is the last cell; the others are shared or provided
        said.append(_state_of_cell(f"{question['notebook']}.ipynb", question["cells"][-1], files))
    if path and path not in files and former not in files:
        said.append(f"{path} is missing")
    elif path.endswith(".py"):
        states = [_state_in(name, question["id"], files) for name in (path, former) if name in files]
        said.append("" if "" in states else states[0])
    return "; ".join(filter(None, said))


def _state_in(path, name, files):
    """Return what the function or class `name` of a module still lacks, or ''."""
    tree, _ = _parsed(files[path], path)
    if tree is None:
        return f"{path} does not parse"
    definitions = [node for node in tree.body if isinstance(node, _DEFINITIONS) and node.name == name]
    if not definitions:
        return "" if {name, "*"} & _other_names(tree) else f"there is no {name} in {path}"
    stubs = [node.lineno for node in ast.walk(definitions[-1]) if _is_stub(node)]
    return f"still a stub: {path}, line {min(stubs)}" if stubs else ""


def _is_stub(node):
    """Say whether this is `raise NotImplementedError()`; with a message in it, it is somebody's own."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    plain = isinstance(node.exc, ast.Call) and not node.exc.args and not node.exc.keywords
    raised = node.exc.func if plain else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _other_names(tree):
    """Return the names a module imports or assigns."""
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {alias.asname or alias.name for node in imports for alias in node.names}


def _state_of_cell(notebook, name, files):
    if notebook not in files:
        return f"{notebook} is missing"
    cells = _cells(files[notebook])
    if cells is None:
        return f"{notebook} is no valid notebook"
    sources = [_source(cell) for cell in cells if _mark(cell).get("grade_id") == name]
    if not sources:
        return f"{notebook} has lost its cell {name}"
    return f"still a stub: {notebook}, cell {name}" if _STUB_LINE.search(sources[0]) else ""


@functools.cache
def _parsed(data, path):
    """Return (syntax tree, '') or (None, where and why the module does not parse)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data), ""
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        return None, f"{path}{line}: {error.msg}. Nothing in this file can be graded until it parses."
    except (ValueError, RecursionError, MemoryError) as error:
        return None, f"{path} cannot be read as Python ({error}). Nothing in it can be graded."


def _cells(data):
    """Return the cells of a notebook, or None where it is not one."""
    try:
        cells = json.loads(data.decode("utf-8-sig"))["cells"]
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError):
        return None
    whole = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    return cells if whole else None


def _mark(cell):
    """Return nbgrader's mark of a cell: {grade_id, grade, solution, ...}, {} where it has none."""
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return mark if isinstance(mark, dict) and isinstance(mark.get("grade_id"), str) else {}


def _source(cell):
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def write_zip(target, files):
    """Write {path: bytes} as a zip beside `target`, then rename it: there is never half a zip. Stop where it fails.

    The same files give the same zip to the byte, whenever it is made.
    """
    aside = None
    try:
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=".submission-", suffix=".part")
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in files.items():
                entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                archive.writestr(entry, data)
        os.chmod(aside, 0o644)
        os.replace(aside, target)
    except OSError as error:
        if aside:
            Path(aside).unlink(missing_ok=True)
        raise Stop(
            f"{target} could not be written: {error.strerror}. Close it if it is open somewhere, or name another "
            "place with --output."
        ) from None


def zip_path(root, name, output, student):
    """Return where the zip goes. A student id stands first in its name, which is where the grader looks for it."""
    student = re.sub(r"[^\w.@+ -]", "-", student or "").strip(" .")[:60]
    default = f"{student}_{name}.zip" if student else f"{name}_submission.zip"
    if output is None:
        return root / default
    if os.path.isdir(output):
        return Path(output).absolute() / default
    if not output.lower().endswith(".zip"):  # so it cannot be one of the files that go in
        raise Stop(f"--output {output} is no folder, and does not end in .zip. Name a folder, or a file like {default}")
    return Path(output).absolute()


def print_summary(target, files, remarks, still_open):
    """Print what went in, what is answered, what is missing, and what to do with the zip."""
    tick, cross, dot = ("✓", "✗", "·") if sys.stdout.encoding.lower().startswith("utf") else ("+", "-", "-")
    print(f"\nIn the zip: {len(files)} files, {_size(sum(map(len, files.values())))}")
    for path, data in files.items():
        print(f"  {path:<44}{_size(len(data)):>10}")
    print("\nAnswered (which does not mean right):")
    for notebook, (asked, undone) in still_open.items():
        name = notebook.removesuffix(".ipynb")
        print(f"  {cross if undone else tick} {name:<28}{asked - len(undone):>3} of {asked}")
        for question, state in undone:
            print(f"      {question:<36}{state}")
    if remarks:
        print("\nPlease look at this:")
        for remark in remarks:
            print(f"  {dot} {remark}")
    print(f"\nThe zip is ready: {target}")
    print("Hand in this one file. Whatever is still open earns no points, everything else is graded as it is.")
    print("Notebooks went in as they were last saved: after a change save them, and run this again.")


def _size(count):
    for unit, size in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 1000 * size else f"{count // size} {unit}"
    return f"{count} bytes"


def main():
    """Write the zip and print the summary; return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a console of another alphabet shows what it can
        stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(description="Put everything that is graded into one zip.")
    parser.add_argument("--student", metavar="ID", help="your id in the course, to stand in the name of the zip")
    parser.add_argument("--output", metavar="PATH", help="where to write the zip (a file or a folder)")
    options = parser.parse_args()
    root = Path(__file__).resolve().parent
    try:
        manifest = read_manifest(root)
        files, remarks = graded_files(root, manifest)
        if not files:
            raise Stop(
                f"{root} holds neither {manifest['assignment']['package']}/ nor a notebook. Put this script back "
                "into the folder in which you work on the assignment, and run it there."
            )
        target = zip_path(root, manifest["assignment"]["name"], options.output, options.student)
        write_zip(target, files)
    except (Stop, OSError) as stop:
        print(f"make_submission.py: {stop}", file=sys.stderr)
        return 1
    print_summary(target, files, remarks, open_questions(files, manifest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
