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
    """Drop one element of a tuple of constants, such as one of several axes."""
    if all(isinstance(element, ast.Constant) for element in node.elts):
        for position in range(len(node.elts)):
            yield copy_with(node, elts=remove_item(node.elts, position))


def drop_transpose(node: ast.Attribute, scope: Scope) -> Replacements:
    """Replace x.T by x."""
    if node.attr == "T":
        yield node.value


def drop_call(node: ast.Call, scope: Scope) -> Replacements:
    """Replace x.reshape(...) by x, and np.sqrt(x) by x; other functions in the same way."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("reshape", "transpose", "astype"):
        yield node.func.value
    if name_of(node.func) in ("sqrt", "exp", "log", "reversed"):
        yield node.args[0]


def drop_new_axis(node: ast.Subscript, scope: Scope) -> Replacements:
    """Replace x[:, np.newaxis] by x."""
    if "newaxis" in ast.unparse(node.slice):
        yield node.value


def move_slice(node: ast.Slice, scope: Scope) -> Replacements:
    """Move the start or the end of a slice by one index; drop the start."""
    if node.lower:
        yield copy_with(node, lower=add_number(node.lower, 1))
        yield copy_with(node, lower=None)
    if node.upper:
        yield copy_with(node, upper=add_number(node.upper, 1))
        yield copy_with(node, upper=add_number(node.upper, -1))


def move_slice_bounds(node: ast.Call, scope: Scope) -> Replacements:
    """Move the start or the end in slice(start, end) by one index."""
    if name_of(node.func) == "slice":
        for position, number in ((0, 1), (1, 1), (1, -1)):
            moved = add_number(node.args[position], number)
            yield copy_with(node, args=replace_item(node.args, position, moved))


def shorten_loop(node: ast.Call, scope: Scope) -> Replacements:
    """Leave out the last index of a range, and the first index of range(n)."""
    if name_of(node.func) == "range":
        yield copy_with(node, args=[*node.args[:-1], add_number(node.args[-1], -1)])
        if len(node.args) == 1:
            yield copy_with(node, args=[ast.Constant(1), *node.args])


def pop_first(node: ast.Call, scope: Scope) -> Replacements:
    """Replace stack.pop() by stack.pop(0)."""
    if name_of(node.func) == "pop":
        yield copy_with(node, args=[ast.Constant(0)])


def replace_function(node: ast.Attribute, scope: Scope) -> Replacements:
    """Replace a NumPy function by a similar one, such as sum by mean."""
    if node.attr in _SIMILAR_FUNCTIONS and isinstance(scope.parent, ast.Call):
        yield copy_with(node, attr=_SIMILAR_FUNCTIONS[node.attr])


def change_argument_in_place(node: ast.Assign, scope: Scope) -> Replacements:
    """Write the result of an operation into an array that belongs to the caller."""
    value, target = node.value, node.targets[0]
    match value, target:
        case ast.BinOp(ast.Name() as argument, op, right), ast.Name(id=result) if argument.id in scope.arguments:
            augmented = ast.AugAssign(argument, op, right)
            yield f"{ast.unparse(augmented)}; {result} = {argument.id}"
    if isinstance(value, ast.Call) and name_of(value.func) == "maximum" and name_of(value.args[1]) in scope.arguments:
        out = ast.keyword("out", value.args[-1])
        yield copy_with(node, value=copy_with(value, keywords=[*value.keywords, out]))
