"""Every wrong version of the reference: where an operator applies inside a solution region, one mutant."""

import ast
import itertools
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache

from autograder.assignment.reference import read_reference_texts
from autograder.assignment.regions import find_regions
from autograder.diagnosis.mutation import names  # noqa: F401  (its operators register themselves)
from autograder.diagnosis.mutation.operators import OPERATORS, Scope

MOST = 20  # mutants of one function or class
HOLE = "_hole_"


@dataclass(frozen=True)
class Mutant:
    """One wrong version: text[start:end] of a file replaced by `new`.

    - key: names it for good: the function, its lines as they were and as they are now
    - function: the graded function or class that it is in
    - cache: whether it only changes what a forward function puts aside
    """

    key: str
    file: str
    function: str
    operator: str
    line: int
    start: int
    end: int
    new: str
    cache: bool

    def applied(self, text):
        """Return the file's text with the mistake in it."""
        return text[: self.start] + self.new + text[self.end :]

    def definition(self, text):
        """Return the function or class that it is in, with the mistake in it; `text` is that of the file."""
        node = next(node for node in _tree(text).body if getattr(node, "name", None) == self.function)
        lines = text.splitlines(keepends=True)
        start, end = (sum(map(len, lines[:line])) for line in (node.lineno - 1, node.end_lineno))
        return text[start : self.start] + self.new + text[self.end : end]


@cache
def _tree(text):
    return ast.parse(text)


def derive(manifest, most=MOST):
    """Return the Mutants of every graded function in the order of the manifest, at most `most` of each unless None."""
    return [
        mutant
        for question in manifest.questions
        for mutant in spread(derive_question(manifest, question), most, "operator")
    ]


def derive_question(manifest, question):
    """Return every Mutant of the function or class that answers a question; none where it is no part of a module."""
    if not question.source or question.cells:
        return []
    return mutants_in(question.file, read_reference_texts(manifest)[question.file], question.id)


def spread(mutants, most, kind):
    """Return at most so many mutants in their order, of as many kinds as can be; the same ones in every run.

    - kind: "operator" or "function"
    """
    if most is None:
        return mutants
    groups = defaultdict(list)
    for mutant in sorted(mutants, key=lambda mutant: zlib.crc32(mutant.key.encode())):
        groups[getattr(mutant, kind)].append(mutant)
    in_turn = [mutant for turn in itertools.zip_longest(*groups.values()) for mutant in turn if mutant]
    chosen = {mutant.key for mutant in in_turn[:most]}
    return [mutant for mutant in mutants if mutant.key in chosen]


def mutants_of(file, text):
    """Return every mutant of a file's text, without those that mean the same."""
    defined = dict.fromkeys(node.name for node in _tree(text).body if hasattr(node, "name"))
    return [mutant for name in defined for mutant in mutants_in(file, text, name)]


@cache
def mutants_in(file, text, name):
    """Return every mutant of the functions or classes of this name in a file's text."""
    lines = text.splitlines(keepends=True)
    starts = list(itertools.accumulate(map(len, lines), initial=0))
    solved = {region.line + n for region in find_regions(text, file) for n in range(1, 1 + len(region.lines))}

    def span(node):
        ends = ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        return tuple(starts[line - 1] + len(lines[line - 1].encode()[:column].decode()) for line, column in ends)

    found, seen, keys = [], set(), Counter()
    for node, parents in _nodes_in(_tree(text), name):
        made = list(_replacements(node, parents)) if getattr(node, "lineno", None) in solved else []
        if not made:
            continue
        start, end = span(node)
        root = next((each for each in parents if isinstance(each, ast.expr)), node)
        root_start, root_end = span(root)
        before, after = text[root_start:start], text[end:root_end]
        seen.add((root_start, _meaning(text[root_start:root_end], root)))
        for operator, new in made:
            new = _written(new, text[start]) if isinstance(node, ast.stmt) else _within(before, new, after, text[start])
            meaning = (root_start, _meaning(before + new + after, root))
            if meaning in seen:
                continue
            seen.add(meaning)
            first, last = starts[node.lineno - 1], starts[node.end_lineno]
            old_line, new_line = text[first:last], text[first:start] + new + text[end:last]
            key = f"{parents[1].name}: {_one_line(old_line)} -> {_one_line(new_line)}"
            keys[key] += 1
            key += f" ({keys[key]})" if keys[key] > 1 else ""
            cache = "_forward" in parents[1].name and any(map(_only_sets_cache, (*parents, node)))
            found.append(Mutant(key, file, parents[1].name, operator, node.lineno, start, end, new, cache))
    return found


def _nodes_in(tree, name):
    """Yield the nodes of the top-level definitions of this name, as _nodes does."""
    for definition in tree.body:
        if getattr(definition, "name", None) == name:
            yield from _nodes(definition, (tree,))


def _nodes(node, parents=()):
    """Yield every node below this one, with its parents from the module down; formatted strings are one node."""
    for child in ast.iter_child_nodes(node):
        yield child, (*parents, node)
        if not isinstance(child, ast.JoinedStr):
            yield from _nodes(child, (*parents, node))


def _scope(node, parents):
    function = next(each for each in reversed(parents) if isinstance(each, ast.FunctionDef))
    arguments, unpacked, stored = _names_in(function)
    bound = arguments | {name for name, line in stored if line < node.lineno}
    return Scope(arguments | unpacked, bound, parents[-1])


@cache
def _names_in(function):
    """Return a function's arguments, the names that its cache is unpacked into, and (name, line) of what is stored."""
    inner = list(ast.walk(function))
    arguments = {each.arg for each in inner if isinstance(each, ast.arg)}
    used = [each for each in inner if isinstance(each, ast.Name)]
    stored = {(each.id, each.lineno) for each in used if isinstance(each.ctx, ast.Store)}
    unpacked = {
        name.id
        for each in inner
        if isinstance(each, ast.Assign) and ast.unparse(each.value) == "cache"
        for name in ast.walk(each.targets[0])
        if isinstance(name, ast.Name)
    }
    return frozenset(arguments), frozenset(unpacked), frozenset(stored)


def _replacements(node, parents):
    fitting = [(name, function) for name, kinds, function in OPERATORS if isinstance(node, kinds)]
    scope = _scope(node, parents) if fitting else None
    for name, function in fitting:
        for new in function(node, scope):
            yield name, new


def _within(before, new, after, first):
    """Return how `new` is written between these two texts: in brackets where it would fall apart without."""
    tree = ast.parse(f"({before}{HOLE}{after})", mode="eval")
    intended = ast.unparse(_Filled(new).visit(tree))
    written = _written(new, first)
    plain = ast.unparse(ast.parse(f"({before}{written}{after})", mode="eval"))
    return written if plain == intended else f"({written})"


class _Filled(ast.NodeTransformer):
    """Puts a node where the hole is."""

    def __init__(self, new):
        self.new = new

    def visit_Name(self, node):
        return self.new if node.id == HOLE else node


def _written(new, first):
    """Return the text of a replacement, in the quotes of the house; a tuple without brackets stays without."""
    text = (new if isinstance(new, str) else ast.unparse(new)).replace("'", '"')
    return text[1:-1] if isinstance(new, ast.Tuple) and first != "(" else text


def _meaning(text, root):
    return ast.unparse(ast.parse(text if isinstance(root, ast.stmt) else f"({text})"))


def _one_line(text):
    return " ".join(text.split())


def _only_sets_cache(statement):
    if isinstance(statement, ast.If):
        return not statement.orelse and all(map(_only_sets_cache, statement.body))
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "cache"
