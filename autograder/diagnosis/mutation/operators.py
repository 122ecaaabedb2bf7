"""Mutation operators: each takes a piece of right code and yields pieces that are wrong in one small way.

An operator is a generator function of (node, scope): a node of the syntax tree, and the Scope that it stands in. What
it yields is another node, or the text of a statement, to stand in the node's place. Its name is the docstring.
"""

import ast
import copy
from dataclasses import dataclass

OPERATORS = []


@dataclass(frozen=True)
class Scope:
    """What is known around a node.

    - arguments: names of what belongs to the caller: the function's arguments, and what it took out of its cache
    - bound: names that have a value on the lines before
    - parent: the node that holds it
    """

    arguments: frozenset
    bound: frozenset
    parent: ast.AST


def operator(*kinds):
    """Register a generator function as operator on nodes of these kinds."""

    def register(function):
        OPERATORS.append((function.__doc__, kinds, function))
        return function

    return register


def changed(node, **fields):
    """Return a copy of a node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def name_of(node):
    """Return the last name of `a`, `a.b` and `a.b.c`; '' for anything else."""
    return getattr(node, "id", getattr(node, "attr", ""))


def _without(items, position):
    return [*items[:position], *items[position + 1 :]]


def _with(items, position, item):
    return [*items[:position], item, *items[position + 1 :]]


def _neighbours_swapped(items):
    for place in range(len(items) - 1):
        if not any(isinstance(item, ast.Starred) for item in items[place : place + 2]):
            yield [*items[:place], items[place + 1], items[place], *items[place + 2 :]]


def plus(node, number):
    sign = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(node, sign, ast.Constant(abs(number)))


# Arithmetic

OTHER_SIGN = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


@operator(ast.BinOp)
def operator_swapped(node, scope):
    """operator swapped"""
    if type(node.op) in OTHER_SIGN:
        yield changed(node, op=OTHER_SIGN[type(node.op)]())
    elif isinstance(node.op, ast.MatMult):
        yield changed(node, left=node.right, right=node.left)


@operator(ast.BinOp)
def term_forgotten(node, scope):
    """term forgotten"""
    yield node.left
    if isinstance(node.op, (ast.Add, ast.Mult, ast.MatMult, ast.Sub)):
        yield node.right


@operator(ast.UnaryOp)
def sign_forgotten(node, scope):
    """sign flipped"""
    if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node.operand


@operator(ast.Assign)
def sign_flipped(node, scope):
    """sign flipped"""
    target = name_of(node.targets[0])
    if (target[:1] == "d" or target in ("loss", "next_w", "out")) and not isinstance(node.value, ast.UnaryOp):
        yield changed(node, value=ast.UnaryOp(ast.USub(), node.value))


@operator(ast.Constant)
def constant_changed(node, scope):
    """constant changed"""
    if isinstance(scope.parent, ast.UnaryOp) or name_of(getattr(scope.parent, "func", None)) == "transpose":
        return  # -1 is not 1 the wrong way, and an axis named twice is only an error
    if type(node.value) is int:
        for value in {0: (1,), 1: (0, 2)}.get(node.value, (node.value - 1, node.value + 1)):
            yield ast.Constant(value)
    elif type(node.value) is float:
        yield ast.Constant(2 * node.value)


# Axes and shapes


@operator(ast.Dict)
def entry_forgotten(node, scope):
    """entry forgotten"""
    for place in range(len(node.keys)):
        yield changed(node, keys=_without(node.keys, place), values=_without(node.values, place))


@operator(ast.Call)
def argument_forgotten(node, scope):
    """argument forgotten"""
    for place, keyword in enumerate(node.keywords):
        if keyword.arg != "dtype":  # a type is not demanded
            yield changed(node, keywords=_without(node.keywords, place))


@operator(ast.Tuple)
def element_forgotten(node, scope):
    """axis or name forgotten"""
    if all(isinstance(element, ast.Constant) for element in node.elts):
        for place in range(len(node.elts)):
            yield changed(node, elts=_without(node.elts, place))


@operator(ast.Attribute)
def transpose_forgotten(node, scope):
    """transpose forgotten"""
    if node.attr == "T":
        yield node.value


@operator(ast.Call)
def method_forgotten(node, scope):
    """call forgotten"""
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("reshape", "transpose", "astype"):
        yield node.func.value
    if name_of(node.func) in ("sqrt", "exp", "log", "reversed"):
        yield node.args[0]


@operator(ast.Subscript)
def new_axis_forgotten(node, scope):
    """new axis forgotten"""
    if "newaxis" in ast.unparse(node.slice):
        yield node.value


# Places


@operator(ast.Slice)
def slice_moved(node, scope):
    """slice off by one"""
    if node.lower:
        yield changed(node, lower=plus(node.lower, 1))
        yield changed(node, lower=None)
    if node.upper:
        yield changed(node, upper=plus(node.upper, 1))
        yield changed(node, upper=plus(node.upper, -1))


@operator(ast.Call)
def bounds_moved(node, scope):
    """slice off by one"""
    if name_of(node.func) == "slice":
        for place, number in ((0, 1), (1, 1), (1, -1)):
            yield changed(node, args=_with(node.args, place, plus(node.args[place], number)))


@operator(ast.Call)
def loop_shortened(node, scope):
    """loop off by one"""
    if name_of(node.func) == "range":
        yield changed(node, args=[*node.args[:-1], plus(node.args[-1], -1)])
        if len(node.args) == 1:
            yield changed(node, args=[ast.Constant(1), *node.args])


@operator(ast.Call)
def other_end(node, scope):
    """other end of the stack"""
    if name_of(node.func) == "pop":
        yield changed(node, args=[ast.Constant(0)])


# Order and kind


@operator(ast.Call)
def arguments_swapped(node, scope):
    """arguments swapped"""
    for args in _neighbours_swapped(node.args):
        yield changed(node, args=args)


@operator(ast.Tuple)
def elements_swapped(node, scope):
    """elements swapped"""
    if not isinstance(scope.parent, ast.Subscript) and not all(isinstance(e, ast.Constant) for e in node.elts):
        for elts in _neighbours_swapped(node.elts):
            yield changed(node, elts=elts)


RELATIVES = {
    "sum": "mean",
    "mean": "sum",
    "var": "std",
    "max": "min",
    "maximum": "minimum",
    "zeros": "ones",
    "ones": "zeros",
    "random_sample": "standard_normal",
}


@operator(ast.Attribute)
def function_mistaken(node, scope):
    """function of the same kind"""
    if node.attr in RELATIVES and isinstance(scope.parent, ast.Call):
        yield changed(node, attr=RELATIVES[node.attr])


@operator(ast.Call)
def argument_added(node, scope):
    """argument added"""
    given = {keyword.arg for keyword in node.keywords}
    if "axis" in given and "keepdims" not in given:
        yield changed(node, keywords=[*node.keywords, ast.keyword("keepdims", ast.Constant(True))])
    if name_of(node.func) == "var":
        yield changed(node, keywords=[*node.keywords, ast.keyword("ddof", ast.Constant(1))])


# Decisions


@operator(ast.Compare)
def comparison_changed(node, scope):
    """comparison changed"""
    others = {ast.Gt: (ast.GtE, ast.Lt), ast.Lt: (ast.LtE, ast.Gt), ast.Eq: (ast.NotEq,)}
    for other in others.get(type(node.ops[0]), ()):
        yield changed(node, ops=[other()])


@operator(ast.BoolOp)
def condition_forgotten(node, scope):
    """condition forgotten"""
    yield from node.values


@operator(ast.IfExp)
def choice_changed(node, scope):
    """branches swapped"""
    yield changed(node, body=node.orelse, orelse=node.body)
    yield node.body
    yield node.orelse


@operator(ast.Name, ast.Attribute, ast.Compare)
def always_or_never(node, scope):
    """always or never"""
    if isinstance(scope.parent, ast.If) and node is scope.parent.test:
        yield ast.Constant(True)
        yield ast.Constant(False)


# Statements


@operator(ast.AugAssign)
def overwritten(node, scope):
    """overwritten, not added to"""
    yield ast.Assign([node.target], node.value, lineno=node.lineno)


@operator(ast.AugAssign)
def taken_away(node, scope):
    """sign flipped"""
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield changed(node, op=OTHER_SIGN[type(node.op)]())


@operator(ast.Assign, ast.AugAssign, ast.Expr)
def statement_forgotten(node, scope):
    """statement forgotten"""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, (ast.Name, ast.Tuple)):
        # What no line before has defined would only be a NameError; `dx = dx / N` without its N is a forgotten term.
        if name_of(target) not in scope.bound or ast.unparse(node.value).startswith(target.id):
            return
    yield "pass"


@operator(ast.Assign)
def in_place(node, scope):
    """argument changed in place"""
    value, target = node.value, node.targets[0]
    if isinstance(value, ast.BinOp) and name_of(value.left) in scope.arguments and isinstance(target, ast.Name):
        augmented = ast.AugAssign(value.left, value.op, value.right)
        yield f"{ast.unparse(augmented)}; {target.id} = {ast.unparse(value.left)}"
    if isinstance(value, ast.Call) and name_of(value.func) == "maximum" and name_of(value.args[1]) in scope.arguments:
        out = ast.keyword("out", value.args[-1])
        yield changed(node, value=changed(value, keywords=[*value.keywords, out]))
