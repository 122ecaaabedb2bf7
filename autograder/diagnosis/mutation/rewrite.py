"""Replacing one node in a text: how the new code is written, and whether two texts mean the same."""

import ast

_HOLE = "_hole_"


def write_within(before: str, new: ast.AST | str, after: str, first: str) -> str:
    """Return the text of an expression between these two texts: in brackets if its meaning would change without them.

    - first: the first character of the replaced text
    """
    tree = ast.parse(f"({before}{_HOLE}{after})", mode="eval")
    intended = ast.unparse(_HoleFiller(new).visit(tree))
    written = write(new, first)
    plain = ast.unparse(ast.parse(f"({before}{written}{after})", mode="eval"))
    return written if plain == intended else f"({written})"


def write(new: ast.AST | str, first: str) -> str:
    """Return the text of a replacement, in double quotes; a tuple that was written without brackets stays so."""
    text = (new if isinstance(new, str) else ast.unparse(new)).replace("'", '"')
    return text[1:-1] if isinstance(new, ast.Tuple) and first != "(" else text


def normalise(text: str, root: ast.AST) -> str:
    """Return a form of a statement or an expression that two texts share only if they mean the same."""
    return ast.unparse(ast.parse(text if isinstance(root, ast.stmt) else f"({text})"))


class _HoleFiller(ast.NodeTransformer):
    """Puts a node in the place of the hole."""

    def __init__(self, new: ast.AST | str) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST | str:
        return self._new if node.id == _HOLE else node
