"""The type of a mutation operator, and helpers for all operators.

The function of an operator takes a node of the syntax tree of right code, and the node's Scope. It yields replacements
for the node: other nodes, or the text of a statement. Each replacement is one small mistake.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from autograder.checking.pack import Vocabulary

Node = TypeVar("Node", bound=ast.AST)
Replacements = Iterator[ast.AST | str]


@dataclass(frozen=True)
class Scope:
    """The surroundings of a node.

    - arguments: names of arrays that belong to the caller: the function's arguments, and the variables that its cache
      is unpacked into
    - bound: names that have a value before the node's line
    - parent: the node that contains this node
    - vocabulary: names of the assignment
    """

    arguments: frozenset[str]
    bound: frozenset[str]
    parent: ast.AST
    vocabulary: Vocabulary


@dataclass(frozen=True)
class Operator:
    """An operator: the name of its kind of mistake, the types of nodes that it applies to, and its function."""

    name: str
    kinds: tuple[type[ast.AST], ...]
    replace: Callable[[Any, Scope], Replacements]


def copy_with(node: Node, **fields: object) -> Node:
    """Return a copy of a node in which these fields have other values."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def name_of(node: ast.AST | None) -> str:
    """Return the last name of `a`, `a.b` or `a.b.c`; "" for any other node."""
    return getattr(node, "id", getattr(node, "attr", ""))


def add_number(node: ast.expr, number: int) -> ast.BinOp:
    """Return the expression `node + number`, or `node - abs(number)` for a negative number."""
    sign = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(node, sign, ast.Constant(abs(number)))


def remove_item(items: Sequence[Any], position: int) -> list[Any]:
    """Return the items without the one at this position."""
    return [*items[:position], *items[position + 1 :]]


def replace_item(items: Sequence[Any], position: int, item: Any) -> list[Any]:
    """Return the items with `item` at this position."""
    return [*items[:position], item, *items[position + 1 :]]


def swap_neighbours(items: Sequence[ast.expr]) -> Iterator[list[ast.expr]]:
    """Yield the items with one pair of neighbours swapped, for each pair without a starred item."""
    for i in range(len(items) - 1):
        if not any(isinstance(item, ast.Starred) for item in items[i : i + 2]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
