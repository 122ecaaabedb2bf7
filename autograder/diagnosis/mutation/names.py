"""Mutation operators on the names and settings of an assignment; the Vocabulary of its pack lists them."""

import ast

from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.operator_type import Replacements, Scope, add_number, copy_with


def swap_name(node: ast.Name, scope: Scope) -> Replacements:
    """Replace a name by a similar one that has a value at this line."""
    if isinstance(node.ctx, ast.Load):
        for name in _confusable_with(node.id, scope.vocabulary):
            if name in scope.bound:  # another name would only raise a NameError
                yield copy_with(node, id=name)


def swap_key(node: ast.Constant, scope: Scope) -> Replacements:
    """Replace a string, such as a key, by a similar name."""
    if isinstance(node.value, str):
        for name in _confusable_with(node.value, scope.vocabulary):
            yield ast.Constant(name)


def swap_parameter(node: ast.JoinedStr, scope: Scope) -> Replacements:
    """Replace the prefix of a parameter's name, such as the W of f"W{layer}", or the number."""
    prefixes = scope.vocabulary.parameter_prefixes
    match node.values:
        case [ast.Constant(value=str(prefix)) as first, ast.FormattedValue() as number] if prefix in prefixes:
            yield copy_with(node, values=[ast.Constant(prefixes[prefix]), number])
            yield copy_with(node, values=[first, copy_with(number, value=add_number(number.value, -1))])


def ignore_setting(node: ast.Name | ast.Attribute | ast.Subscript, scope: Scope) -> Replacements:
    """Replace a setting by its usual value, because a student may write the number into the code."""
    key = _setting_read(node) if isinstance(node.ctx, ast.Load) else ""
    if key in scope.vocabulary.usual_values:
        yield ast.Constant(scope.vocabulary.usual_values[key])


def _setting_read(node: ast.Name | ast.Attribute | ast.Subscript) -> str:
    """Return the name of the setting that `name`, `self.name` or `settings["name"]` reads; "" for any other node."""
    match node:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _confusable_with(name: str, vocabulary: Vocabulary) -> list[str]:
    groups = (group for group in vocabulary.confusable_names if name in group)
    return sorted(set[str]().union(*groups) - {name})
