"""The shape of the code: the engine does not know the assignment, and every file can be read at one sitting."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = [path for path in sorted((ROOT / "autograder").rglob("*.py")) if "checks" not in path.parts]
CODE = [*sorted((ROOT / "autograder").rglob("*.py")), *sorted((ROOT / "assignment2" / "cs231n").rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST = 350
# The course's contract puts every layer that students write into one file.
LONG_BY_CONTRACT = {"assignment2/cs231n/layers.py"}


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


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_the_engine_names_no_graded_function_and_not_the_package(path, manifest):
    known = {question.id for question in manifest.questions} | {manifest.package}
    allowed = {manifest.package} if path.name == "course.py" else set()  # the course's own id, cs231n
    assert words_of_code(path) & known <= allowed


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_the_engine_imports_nothing_of_the_assignment(path, manifest):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert manifest.package not in imported


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_only_the_reader_of_the_manifest_opens_it(path):
    opens = any(
        isinstance(node, ast.Constant) and node.value == "questions.toml"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert opens == (path.name == "questions.py")


@pytest.mark.parametrize("path", CODE + TESTS, ids=relative)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted({*CODE, *TESTS} - {ROOT / path for path in LONG_BY_CONTRACT}), ids=relative)
def test_no_file_is_too_long_to_be_read_at_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


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
