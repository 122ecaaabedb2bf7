"""The nodes of a syntax tree with their parents, and the names that each node can use."""

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


def find_scope(node: ast.stmt | ast.expr, parents: Parents, vocabulary: Vocabulary) -> Scope:
    """Return the Scope of a node inside a function."""
    function = next(parent for parent in reversed(parents) if isinstance(parent, ast.FunctionDef))
    arguments, unpacked, assigned = _names_in(function, vocabulary.cache_name)
    bound = arguments | {name for name, line in assigned if line < node.lineno}
    return Scope(arguments | unpacked, bound, parents[-1], vocabulary)


def only_assigns(statement: ast.AST, name: str) -> bool:
    """Return whether a statement only assigns to the variable of this name."""
    if isinstance(statement, ast.If):
        return not statement.orelse and all(only_assigns(inner, name) for inner in statement.body)
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name


@cache
def _names_in(
    function: ast.FunctionDef, cache_name: str
) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, int]]]:
    """Return a function's arguments, the names that its cache is unpacked into, and (name, line) of each assignment."""
    nodes = list(ast.walk(function))
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    assigned = {(name.id, name.lineno) for name in names if isinstance(name.ctx, ast.Store)}
    unpacked = {
        name.id
        for node in nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == cache_name
        for name in ast.walk(node.targets[0])
        if isinstance(name, ast.Name)
    }
    return frozenset(arguments), frozenset(unpacked), frozenset(assigned)
