"""The shape of the code: layers that import downwards, an engine that does not know the assignment, short files."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = [path for path in sorted((ROOT / "autograder").rglob("*.py")) if "checks" not in path.parts]
CODE = [*sorted((ROOT / "autograder").rglob("*.py")), *sorted((ROOT / "assignment2" / "cs231n").rglob("*.py"))]
PLANTED = ROOT / "tests" / "golden" / "submissions"
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if not path.is_relative_to(PLANTED)]
LONGEST = 350
# The course's contract puts every layer that students write into one file.
LONG_BY_CONTRACT = {ROOT / "assignment2" / "cs231n" / "layers.py"}
JUDGE_LOADS_NOT = ("nbgrader", "nbconvert", "nbformat", "jupyter", "sqlalchemy", "typer", "rich", "jinja2")


def relative(path):
    return path.relative_to(ROOT).as_posix()


def words_of_code(path):
    """Return every word in a module's names and strings; comments and docstrings may give examples."""
    text = path.read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(text))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = [node.body[0].value for node in nodes if isinstance(node, kinds) and ast.get_docstring(node)]
    docstrings = {(node.lineno, node.col_offset) for node in documented}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kept = [token.string for token in tokens if token.type != tokenize.COMMENT and token.start not in docstrings]
    return set(re.findall(r"\w+", "\n".join(kept)))


def test_the_import_contracts_hold():
    """The contracts are in pyproject.toml; `make lint` checks them too."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "assignment2")}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_judge_loads_no_library_that_it_does_not_need():
    command = [sys.executable, "-c", "import autograder.grading, sys; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert sorted(name for name in loaded if name.startswith(JUDGE_LOADS_NOT)) == []


def test_reading_a_notebook_builds_no_parsers():
    """A newer jsonschema builds them when it is imported: more than a second for every command and every judge."""
    code = "import sys, nbformat; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "nbformat" in loaded and not {"lark", "rfc3987_syntax"} & set(loaded)


def test_importing_a_module_changes_no_path_no_environment_and_no_other_module():
    """Statements outside functions do not touch sys.path, sys.modules and os.environ, not even to read them."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = []

    def search(node, path):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.path", "sys.modules", "os.environ"):
            found.append(f"{relative(path)}, line {node.lineno}")
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, functions):
                search(child, path)

    for path in CODE:
        search(ast.parse(path.read_text(encoding="utf-8")), path)
    assert found == []


def test_the_engine_names_no_graded_function_and_not_the_package(manifest):
    known = {question.id for question in manifest.questions} | {manifest.package, manifest.name}
    assert {relative(path): sorted(found) for path in ENGINE if (found := words_of_code(path) & known)} == {}


def test_only_the_reader_of_the_manifest_opens_it():
    opening = [
        relative(path)
        for path in ENGINE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == "questions.toml"
    ]
    assert opening == ["autograder/assignment/manifest.py"]


def test_every_module_says_what_it_is():
    silent = [path for path in CODE + TESTS if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert list(map(relative, silent)) == []


def test_no_file_is_too_long_to_be_read_at_one_sitting():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in {*CODE, *TESTS} - LONG_BY_CONTRACT}
    assert {relative(path): length for path, length in lengths.items() if length > LONGEST} == {}


class TestTheSearchItself:
    def words(self, tmp_path, text):
        (tmp_path / "module.py").write_text(text)
        return words_of_code(tmp_path / "module.py")

    @pytest.mark.parametrize(
        "text", ["import adam", "x = adam(1)", "x = 'adam'", "x = f'{1} adam'", "x = a['adam:b']", "x.adam"]
    )
    def test_finds_a_name_in_code_and_in_strings(self, tmp_path, text):
        assert "adam" in self.words(tmp_path, text)

    def test_passes_over_comments_and_docstrings(self, tmp_path):
        text = (
            '"""adam"""\n# adam\ndef f():\n    "adam"\nclass A:\n    """adam"""\n    async def g():\n        "adam"\n'
        )
        assert "adam" not in self.words(tmp_path, text)
