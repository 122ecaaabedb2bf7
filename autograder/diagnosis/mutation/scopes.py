"""The nodes of a syntax tree with their parents, and the names that are known at each."""

import ast
from collections.abc import Iterator
from functools import cache

from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.operator_type import Scope

Parents = tuple[ast.AST, ...]  # from the module down


def walk_with_parents(node: ast.AST, parents: Parents = ()) -> Iterator[tuple[ast.AST, Parents]]:
    """Yield every node below this one, with its parents from the module down; formatted strings are one node."""
    for child in ast.iter_child_nodes(node):
        yield child, (*parents, node)
        if not isinstance(child, ast.JoinedStr):
            yield from walk_with_parents(child, (*parents, node))


def scope_of(node: ast.stmt | ast.expr, parents: Parents, vocabulary: Vocabulary) -> Scope:
    """Return the Scope of a node inside a function."""
    function = next(each for each in reversed(parents) if isinstance(each, ast.FunctionDef))
    arguments, unpacked, stored = _names_in(function, vocabulary.cache_name)
    bound = arguments | {name for name, line in stored if line < node.lineno}
    return Scope(arguments | unpacked, bound, parents[-1], vocabulary)


def only_sets(statement: ast.AST, name: str) -> bool:
    """Say whether a statement does nothing but assign to the variable of this name."""
    if isinstance(statement, ast.If):
        return not statement.orelse and all(only_sets(each, name) for each in statement.body)
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name


@cache
def _names_in(
    function: ast.FunctionDef, cache_name: str
) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, int]]]:
    """Return a function's arguments, the names that its cache is unpacked into, and (name, line) of each assignment."""
    inner = list(ast.walk(function))
    arguments = {each.arg for each in inner if isinstance(each, ast.arg)}
    used = [each for each in inner if isinstance(each, ast.Name)]
    stored = {(each.id, each.lineno) for each in used if isinstance(each.ctx, ast.Store)}
    unpacked = {
        name.id
        for each in inner
        if isinstance(each, ast.Assign) and ast.unparse(each.value) == cache_name
        for name in ast.walk(each.targets[0])
        if isinstance(name, ast.Name)
    }
    return frozenset(arguments), frozenset(unpacked), frozenset(stored)
