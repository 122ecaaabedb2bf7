"""Every wrong version of the reference: a mutant for each place in a solution region where an operator applies."""

import ast
import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.regions import find_regions
from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.operators import OPERATORS
from autograder.diagnosis.mutation.rewrite import normalise, write, write_within
from autograder.diagnosis.mutation.scopes import Parents, only_sets, scope_of, walk_with_parents

MAX_MUTANTS = 20  # of one function or class

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Mutant:
    """One wrong version: text[start:end] of a file replaced by `new`.

    - key: its permanent name: the function, the old lines and the new lines
    - function: the graded function or class that contains the change
    - changes_cache: whether it changes nothing but the cache that a function returns for a later function
    """

    key: str
    file: str
    function: str
    operator: str
    line: int
    start: int
    end: int
    new: str
    changes_cache: bool

    def apply(self, text: str) -> str:
        """Return the file's text with the mistake in it."""
        return text[: self.start] + self.new + text[self.end :]

    def definition(self, text: str) -> str:
        """Return the function or class with the mistake in it; `text` is that of the file."""
        node = _definitions(text)[self.function][0]
        lines = text.splitlines(keepends=True)
        start, end = (sum(map(len, lines[:line])) for line in (node.lineno - 1, node.end_lineno))
        return text[start : self.start] + self.new + text[self.end : end]


def derive(manifest: Manifest, vocabulary: Vocabulary, most: int | None = MAX_MUTANTS) -> list[Mutant]:
    """Return the Mutants of every graded function in the order of the manifest, at most `most` of each unless None."""
    return [
        mutant
        for question in manifest.questions
        for mutant in choose_varied(derive_question(manifest, question, vocabulary), most, "operator")
    ]


def derive_question(manifest: Manifest, question: Question, vocabulary: Vocabulary) -> list[Mutant]:
    """Return every Mutant of the function or class that answers a question; [] if it is no part of a module."""
    if not question.source or question.cells:
        return []
    return list(_mutants_in(question.file, read_reference_texts(manifest)[question.file], question.id, vocabulary))


def choose_varied(mutants: list[Mutant], most: int | None, kind: Literal["operator", "function"]) -> list[Mutant]:
    """Return at most so many mutants in their order, of as many operators or functions as possible.

    The choice is the same in every run.
    """
    if most is None:
        return mutants
    groups: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in sorted(mutants, key=lambda mutant: zlib.crc32(mutant.key.encode())):
        groups[getattr(mutant, kind)].append(mutant)
    in_turn = [mutant for turn in itertools.zip_longest(*groups.values()) for mutant in turn if mutant]
    chosen = {mutant.key for mutant in in_turn[:most]}
    return [mutant for mutant in mutants if mutant.key in chosen]


def mutants_of(file: str, text: str, vocabulary: Vocabulary) -> list[Mutant]:
    """Return every mutant of a file's text, without those that mean the same."""
    return [mutant for name in _definitions(text) for mutant in _mutants_in(file, text, name, vocabulary)]


@cache
def _definitions(text: str) -> dict[str, list[Definition]]:
    """Return the functions and classes of a file's text by name."""
    found: dict[str, list[Definition]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.setdefault(node.name, []).append(node)
    return found


@cache
def _mutants_in(file: str, text: str, name: str, vocabulary: Vocabulary) -> tuple[Mutant, ...]:
    """Return every mutant of the functions or classes of this name in a file's text."""
    solved = {region.line + n for region in find_regions(text, file) for n in range(1, 1 + len(region.lines))}
    offsets = _Offsets(text)
    caches = any(fnmatchcase(name, pattern) for pattern in vocabulary.caching_functions)
    found: list[Mutant] = []
    seen: set[tuple[int, str]] = set()
    keys = Counter[str]()
    for node, parents in _nodes_in(text, name):
        made = list(_replacements(node, parents, vocabulary)) if node.lineno in solved else []
        if not made:
            continue
        start, end = offsets.span(node)
        root = next((each for each in parents if isinstance(each, ast.expr)), node)
        root_start, root_end = offsets.span(root)
        before, after = text[root_start:start], text[end:root_end]
        seen.add((root_start, normalise(text[root_start:root_end], root)))
        changes_cache = caches and any(only_sets(each, vocabulary.cache_name) for each in (*parents, node))
        for operator, new in made:
            is_statement = isinstance(node, ast.stmt)
            code = write(new, text[start]) if is_statement else write_within(before, new, after, text[start])
            meaning = (root_start, normalise(before + code + after, root))
            if meaning in seen:
                continue
            seen.add(meaning)
            first, last = offsets.lines(node)
            old_line, new_line = text[first:last], text[first:start] + code + text[end:last]
            key = f"{name}: {_one_line(old_line)} -> {_one_line(new_line)}"
            keys[key] += 1
            key += f" ({keys[key]})" if keys[key] > 1 else ""
            found.append(Mutant(key, file, name, operator, node.lineno, start, end, code, changes_cache))
    return tuple(found)


class _Offsets:
    """Places of nodes in a text, as numbers of characters from its start."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._starts = list(itertools.accumulate(map(len, self._lines), initial=0))

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return where a node starts and ends."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def lines(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return where the lines of a node start and end."""
        return self._starts[node.lineno - 1], self._starts[node.end_lineno or node.lineno]

    def _offset(self, line: int, column: int) -> int:
        # ast counts columns in bytes of UTF-8
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _nodes_in(text: str, name: str) -> Iterator[tuple[ast.stmt | ast.expr, Parents]]:
    """Yield the statements and expressions of the top-level definitions of this name, with their parents."""
    for definition in _definitions(text)[name]:
        for node, parents in walk_with_parents(definition):
            if isinstance(node, (ast.stmt, ast.expr)):
                yield node, parents


def _replacements(
    node: ast.stmt | ast.expr, parents: Parents, vocabulary: Vocabulary
) -> Iterator[tuple[str, ast.AST | str]]:
    """Yield (operator's name, replacement) for a node."""
    fitting = [operator for operator in OPERATORS if isinstance(node, operator.kinds)]
    if not fitting:
        return
    scope = scope_of(node, parents, vocabulary)
    for operator in fitting:
        for new in operator.replace(node, scope):
            yield operator.name, new


def _one_line(text: str) -> str:
    return " ".join(text.split())
