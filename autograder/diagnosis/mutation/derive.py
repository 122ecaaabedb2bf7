"""Derive the mutants of the reference: one for each replacement that an operator has for a node of a region."""

import ast
import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.regions import find_regions
from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.operators import OPERATORS
from autograder.diagnosis.mutation.scopes import Parents, find_scope, only_assigns, walk_with_parents
from autograder.diagnosis.mutation.site import Meaning, Node, Site, Sites

MAX_MUTANTS = 20  # for each function or class

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a file: `new` replaces text[start:end].

    - key: its permanent name, made of the function, the old lines and the new lines
    - file: the path of the file, relative to the manifest
    - function: the graded function or class that contains the change
    - operator: the name of the operator that made it
    - line: the first line of the changed node, from 1
    - changes_cache: whether it changes only the cache that a function returns for a later function
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

    def extract_definition(self, text: str) -> str:
        """Return the source of the function or class with the mistake in it.

        - text: the text of the whole file, without the mistake
        """
        node = _find_definitions(text)[self.function][0]
        lines = text.splitlines(keepends=True)
        start, end = (sum(map(len, lines[:line])) for line in (node.lineno - 1, node.end_lineno))
        return text[start : self.start] + self.new + text[self.end : end]


def derive_mutants(manifest: Manifest, vocabulary: Vocabulary, max_mutants: int | None = MAX_MUTANTS) -> list[Mutant]:
    """Return the mutants of all questions, in the order of the manifest.

    - max_mutants: the largest number for one question; None for all
    """
    return [
        mutant
        for question in manifest.questions
        for mutant in choose_varied_mutants(
            derive_question_mutants(manifest, question, vocabulary), max_mutants, "operator"
        )
    ]


def derive_question_mutants(manifest: Manifest, question: Question, vocabulary: Vocabulary) -> list[Mutant]:
    """Return all mutants of the function or class of a question; [] if the question is not part of a module."""
    if not question.source or question.cells:
        return []
    text = read_reference_texts(manifest)[question.file]
    return list(_derive_definition_mutants(question.file, text, question.id, vocabulary))


def choose_varied_mutants(
    mutants: list[Mutant], max_mutants: int | None, kind: Literal["operator", "function"]
) -> list[Mutant]:
    """Return some of the mutants, in the given order, from as many operators or functions as possible.

    The choice is the same in every run.

    - max_mutants: the largest number of mutants in the result; None for all
    - kind: whether to vary the operator or the function
    """
    if max_mutants is None:
        return mutants
    groups: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in sorted(mutants, key=lambda mutant: zlib.crc32(mutant.key.encode())):
        groups[getattr(mutant, kind)].append(mutant)
    alternating = [mutant for turn in itertools.zip_longest(*groups.values()) for mutant in turn if mutant]
    chosen = {mutant.key for mutant in alternating[:max_mutants]}
    return [mutant for mutant in mutants if mutant.key in chosen]


def derive_file_mutants(file: str, text: str, vocabulary: Vocabulary) -> list[Mutant]:
    """Return the mutants of all functions and classes of a file; no two of one function have the same meaning."""
    return [
        mutant
        for name in _find_definitions(text)
        for mutant in _derive_definition_mutants(file, text, name, vocabulary)
    ]


@cache
def _find_definitions(text: str) -> dict[str, list[Definition]]:
    """Return {name: definitions} of the functions and classes at the top level of a file's text."""
    found: dict[str, list[Definition]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.setdefault(node.name, []).append(node)
    return found


@cache
def _derive_definition_mutants(file: str, text: str, name: str, vocabulary: Vocabulary) -> tuple[Mutant, ...]:
    """Return all mutants of the functions or classes of this name in a file's text."""
    solution_lines = {region.line + n for region in find_regions(text, file) for n in range(1, 1 + len(region.lines))}
    is_caching = any(fnmatchcase(name, pattern) for pattern in vocabulary.caching_functions)
    sites = Sites(text)
    found: list[Mutant] = []
    seen: set[Meaning] = set()
    keys = Counter[str]()
    for node, parents in _walk_nodes(text, name):
        replacements = list(_find_replacements(node, parents, vocabulary)) if node.lineno in solution_lines else []
        if not replacements:
            continue
        site = sites.find(node, parents)
        changes_cache = is_caching and any(only_assigns(each, vocabulary.cache_name) for each in (*parents, node))
        for operator, code in _find_distinct_codes(site, replacements, seen):
            key = f"{name}: {site.describe_change(code)}"
            keys[key] += 1
            key += f" ({keys[key]})" if keys[key] > 1 else ""
            found.append(Mutant(key, file, name, operator, node.lineno, site.start, site.end, code, changes_cache))
    return tuple(found)


def _find_distinct_codes(
    site: Site, replacements: Iterable[tuple[str, ast.AST | str]], seen: set[Meaning]
) -> Iterator[tuple[str, str]]:
    """Yield (operator's name, code) for the replacements with a new meaning, and add each meaning to `seen`."""
    seen.add(site.meaning_with(site.original))
    for operator, new in replacements:
        code = site.write(new)
        meaning = site.meaning_with(code)
        if meaning not in seen:
            seen.add(meaning)
            yield operator, code


def _walk_nodes(text: str, name: str) -> Iterator[tuple[Node, Parents]]:
    """Yield the statements and expressions of the top-level definitions of this name, with their parents."""
    for definition in _find_definitions(text)[name]:
        for node, parents in walk_with_parents(definition):
            if isinstance(node, (ast.stmt, ast.expr)):
                yield node, parents


def _find_replacements(node: Node, parents: Parents, vocabulary: Vocabulary) -> Iterator[tuple[str, ast.AST | str]]:
    """Yield (operator's name, replacement) for each replacement of a node."""
    applicable = [operator for operator in OPERATORS if isinstance(node, operator.kinds)]
    if not applicable:
        return
    scope = find_scope(node, parents, vocabulary)
    for operator in applicable:
        for new in operator.replace(node, scope):
            yield operator.name, new
