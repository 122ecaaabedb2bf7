"""Mutation operators on arithmetic: operations, terms, signs and constants."""

import ast
from fnmatch import fnmatchcase

from autograder.diagnosis.mutation.operator_type import Replacements, Scope, copy_with, name_of

_OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def swap_operator(node: ast.BinOp, scope: Scope) -> Replacements:
    """Replace + by -, * by /, and the reverse; swap the factors of a matrix product."""
    if type(node.op) in _OPPOSITE:
        yield copy_with(node, op=_OPPOSITE[type(node.op)]())
    elif isinstance(node.op, ast.MatMult):
        yield copy_with(node, left=node.right, right=node.left)


def drop_term(node: ast.BinOp, scope: Scope) -> Replacements:
    """Replace an operation by one of its operands: a sum loses a term, a product loses a factor."""
    yield node.left
    if isinstance(node.op, (ast.Add, ast.Mult, ast.MatMult, ast.Sub)):
        yield node.right


def drop_sign(node: ast.UnaryOp, scope: Scope) -> Replacements:
    """Replace -x by x."""
    if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node.operand


def flip_sign_of_result(node: ast.Assign, scope: Scope) -> Replacements:
    """Replace `name = x` by `name = -x` for the names whose sign matters."""
    target = name_of(node.targets[0])
    is_signed = any(fnmatchcase(target, pattern) for pattern in scope.vocabulary.signed_names)
    if is_signed and not isinstance(node.value, ast.UnaryOp):
        yield copy_with(node, value=ast.UnaryOp(ast.USub(), node.value))


def flip_sign_of_addend(node: ast.AugAssign, scope: Scope) -> Replacements:
    """Replace += by -=, and the reverse."""
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield copy_with(node, op=_OPPOSITE[type(node.op)]())


def change_constant(node: ast.Constant, scope: Scope) -> Replacements:
    """Replace an integer by its neighbours, and double a float."""
    if isinstance(scope.parent, ast.UnaryOp) or name_of(getattr(scope.parent, "func", None)) == "transpose":
        return  # the 1 of -1 belongs to its sign, and a transpose with a repeated axis would only raise an error
    if type(node.value) is int:
        for value in {0: (1,), 1: (0, 2)}.get(node.value, (node.value - 1, node.value + 1)):
            yield ast.Constant(value)
    elif type(node.value) is float:
        yield ast.Constant(2 * node.value)
