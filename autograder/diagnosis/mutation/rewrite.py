"""Write the code that replaces one node of a text, and compare the meaning of two texts."""

import ast

_HOLE = "_hole_"


def write_within(before: str, new: ast.AST | str, after: str, first: str) -> str:
    """Return the text of an expression, to be put between two texts; it is in brackets if the code needs them.

    - first: the first character of the replaced text
    """
    tree = ast.parse(f"({before}{_HOLE}{after})", mode="eval")
    intended = ast.unparse(_HoleFiller(new).visit(tree))
    written = write(new, first)
    plain = ast.unparse(ast.parse(f"({before}{written}{after})", mode="eval"))
    return written if plain == intended else f"({written})"


def write(new: ast.AST | str, first: str) -> str:
    """Return the text of a replacement; strings get double quotes.

    A tuple gets no brackets if the replaced text had none.

    - first: the first character of the replaced text
    """
    text = (new if isinstance(new, str) else ast.unparse(new)).replace("'", '"')
    return text[1:-1] if isinstance(new, ast.Tuple) and first != "(" else text


def normalise(text: str, root: ast.AST) -> str:
    """Return the normal form of a statement or an expression; two texts share it only if they mean the same."""
    return ast.unparse(ast.parse(text if isinstance(root, ast.stmt) else f"({text})"))


class _HoleFiller(ast.NodeTransformer):
    """Replaces the hole by a node."""

    def __init__(self, new: ast.AST | str) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST | str:
        return self._new if node.id == _HOLE else node
