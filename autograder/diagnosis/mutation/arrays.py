"""Mutation operators on arrays: axes, shapes, slices, loops over indices, and functions of NumPy."""

import ast

from autograder.diagnosis.mutation.operator_type import (
    Replacements,
    Scope,
    add_number,
    copy_with,
    name_of,
    remove_item,
    replace_item,
)

_SIMILAR_FUNCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "var": "std",
    "max": "min",
    "maximum": "minimum",
    "zeros": "ones",
    "ones": "zeros",
    "random_sample": "standard_normal",
}


def drop_element(node: ast.Tuple, scope: Scope) -> Replacements:
    if all(isinstance(element, ast.Constant) for element in node.elts):
        for place in range(len(node.elts)):
            yield copy_with(node, elts=remove_item(node.elts, place))


def drop_transpose(node: ast.Attribute, scope: Scope) -> Replacements:
    if node.attr == "T":
        yield node.value


def drop_call(node: ast.Call, scope: Scope) -> Replacements:
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("reshape", "transpose", "astype"):
        yield node.func.value
    if name_of(node.func) in ("sqrt", "exp", "log", "reversed"):
        yield node.args[0]


def drop_new_axis(node: ast.Subscript, scope: Scope) -> Replacements:
    if "newaxis" in ast.unparse(node.slice):
        yield node.value


def move_slice(node: ast.Slice, scope: Scope) -> Replacements:
    if node.lower:
        yield copy_with(node, lower=add_number(node.lower, 1))
        yield copy_with(node, lower=None)
    if node.upper:
        yield copy_with(node, upper=add_number(node.upper, 1))
        yield copy_with(node, upper=add_number(node.upper, -1))


def move_slice_bounds(node: ast.Call, scope: Scope) -> Replacements:
    if name_of(node.func) == "slice":
        for place, number in ((0, 1), (1, 1), (1, -1)):
            yield copy_with(node, args=replace_item(node.args, place, add_number(node.args[place], number)))


def shorten_loop(node: ast.Call, scope: Scope) -> Replacements:
    if name_of(node.func) == "range":
        yield copy_with(node, args=[*node.args[:-1], add_number(node.args[-1], -1)])
        if len(node.args) == 1:
            yield copy_with(node, args=[ast.Constant(1), *node.args])


def pop_first(node: ast.Call, scope: Scope) -> Replacements:
    if name_of(node.func) == "pop":
        yield copy_with(node, args=[ast.Constant(0)])


def replace_function(node: ast.Attribute, scope: Scope) -> Replacements:
    if node.attr in _SIMILAR_FUNCTIONS and isinstance(scope.parent, ast.Call):
        yield copy_with(node, attr=_SIMILAR_FUNCTIONS[node.attr])


def change_argument_in_place(node: ast.Assign, scope: Scope) -> Replacements:
    value, target = node.value, node.targets[0]
    if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name) and isinstance(target, ast.Name):
        if value.left.id in scope.arguments:
            augmented = ast.AugAssign(value.left, value.op, value.right)
            yield f"{ast.unparse(augmented)}; {target.id} = {value.left.id}"
    if isinstance(value, ast.Call) and name_of(value.func) == "maximum" and name_of(value.args[1]) in scope.arguments:
        out = ast.keyword("out", value.args[-1])
        yield copy_with(node, value=copy_with(value, keywords=[*value.keywords, out]))
