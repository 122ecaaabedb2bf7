"""Mutation operators on the structure of code: arguments, order, conditions and whole statements."""

import ast

from autograder.diagnosis.mutation.operator_type import (
    Replacements,
    Scope,
    copy_with,
    name_of,
    remove_item,
    swap_neighbours,
)


def drop_entry(node: ast.Dict, scope: Scope) -> Replacements:
    """Drop one entry of a dictionary."""
    for position in range(len(node.keys)):
        yield copy_with(node, keys=remove_item(node.keys, position), values=remove_item(node.values, position))


def drop_argument(node: ast.Call, scope: Scope) -> Replacements:
    """Drop one keyword argument of a call."""
    for position, keyword in enumerate(node.keywords):
        if keyword.arg != "dtype":  # no check requires a type
            yield copy_with(node, keywords=remove_item(node.keywords, position))


def add_argument(node: ast.Call, scope: Scope) -> Replacements:
    """Add keepdims=True to a call with an axis, and ddof=1 to a variance."""
    names = {keyword.arg for keyword in node.keywords}
    if "axis" in names and "keepdims" not in names:
        yield copy_with(node, keywords=[*node.keywords, ast.keyword("keepdims", ast.Constant(True))])
    if name_of(node.func) == "var":
        yield copy_with(node, keywords=[*node.keywords, ast.keyword("ddof", ast.Constant(1))])


def swap_arguments(node: ast.Call, scope: Scope) -> Replacements:
    """Swap two neighbouring arguments of a call."""
    for args in swap_neighbours(node.args):
        yield copy_with(node, args=args)


def swap_elements(node: ast.Tuple, scope: Scope) -> Replacements:
    """Swap two neighbouring elements of a tuple that is not an index and contains a variable."""
    if not isinstance(scope.parent, ast.Subscript) and not all(isinstance(e, ast.Constant) for e in node.elts):
        for elts in swap_neighbours(node.elts):
            yield copy_with(node, elts=elts)


def change_comparison(node: ast.Compare, scope: Scope) -> Replacements:
    """Replace > by >= and <, < by <= and >, and == by !=."""
    others = {ast.Gt: (ast.GtE, ast.Lt), ast.Lt: (ast.LtE, ast.Gt), ast.Eq: (ast.NotEq,)}
    for other in others.get(type(node.ops[0]), ()):
        yield copy_with(node, ops=[other()])


def drop_condition(node: ast.BoolOp, scope: Scope) -> Replacements:
    """Replace `a and b`, or `a or b`, by one of its conditions."""
    yield from node.values


def swap_branches(node: ast.IfExp, scope: Scope) -> Replacements:
    """Swap the two cases of `a if test else b`, and keep only one of them."""
    yield copy_with(node, body=node.orelse, orelse=node.body)
    yield node.body
    yield node.orelse


def fix_condition(node: ast.Name | ast.Attribute | ast.Compare, scope: Scope) -> Replacements:
    """Replace the condition of an if statement by True and by False."""
    if isinstance(scope.parent, ast.If) and node is scope.parent.test:
        yield ast.Constant(True)
        yield ast.Constant(False)


def overwrite(node: ast.AugAssign, scope: Scope) -> Replacements:
    """Replace `x += y` by `x = y`."""
    yield ast.Assign([node.target], node.value, lineno=node.lineno)


def drop_statement(node: ast.Assign | ast.AugAssign | ast.Expr, scope: Scope) -> Replacements:
    """Replace a statement by `pass`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Tuple):
        return  # the names would be undefined, which would only raise a NameError
    # Without its first assignment, a name would only raise a NameError. Another operator drops the N of `dx = dx / N`.
    if isinstance(target, ast.Name) and (target.id not in scope.bound or ast.unparse(node.value).startswith(target.id)):
        return
    yield "pass"
