"""All mutation operators. If two operators make the same code, the mutant has the name of the first."""

import ast

from autograder.diagnosis.mutation import arithmetic, arrays, names, structure
from autograder.diagnosis.mutation.operator_type import Operator

OPERATORS = (
    Operator("operator swapped", (ast.BinOp,), arithmetic.swap_operator),
    Operator("term forgotten", (ast.BinOp,), arithmetic.drop_term),
    Operator("sign flipped", (ast.UnaryOp,), arithmetic.drop_sign),
    Operator("sign flipped", (ast.Assign,), arithmetic.flip_sign_of_result),
    Operator("constant changed", (ast.Constant,), arithmetic.change_constant),
    Operator("entry forgotten", (ast.Dict,), structure.drop_entry),
    Operator("argument forgotten", (ast.Call,), structure.drop_argument),
    Operator("axis or name forgotten", (ast.Tuple,), arrays.drop_element),
    Operator("transpose forgotten", (ast.Attribute,), arrays.drop_transpose),
    Operator("call forgotten", (ast.Call,), arrays.drop_call),
    Operator("new axis forgotten", (ast.Subscript,), arrays.drop_new_axis),
    Operator("slice off by one", (ast.Slice,), arrays.move_slice),
    Operator("slice off by one", (ast.Call,), arrays.move_slice_bounds),
    Operator("loop off by one", (ast.Call,), arrays.shorten_loop),
    Operator("other end of the stack", (ast.Call,), arrays.pop_first),
    Operator("arguments swapped", (ast.Call,), structure.swap_arguments),
    Operator("elements swapped", (ast.Tuple,), structure.swap_elements),
    Operator("function of the same kind", (ast.Attribute,), arrays.replace_function),
    Operator("argument added", (ast.Call,), structure.add_argument),
    Operator("comparison changed", (ast.Compare,), structure.change_comparison),
    Operator("condition forgotten", (ast.BoolOp,), structure.drop_condition),
    Operator("branches swapped", (ast.IfExp,), structure.swap_branches),
    Operator("always or never", (ast.Name, ast.Attribute, ast.Compare), structure.fix_condition),
    Operator("overwritten, not added to", (ast.AugAssign,), structure.overwrite),
    Operator("sign flipped", (ast.AugAssign,), arithmetic.flip_sign_of_addend),
    Operator("statement forgotten", (ast.Assign, ast.AugAssign, ast.Expr), structure.drop_statement),
    Operator("argument changed in place", (ast.Assign,), arrays.change_argument_in_place),
    Operator("name of the same kind", (ast.Name,), names.swap_name),
    Operator("name of the same kind", (ast.Constant,), names.swap_key),
    Operator("another layer's name", (ast.JoinedStr,), names.swap_parameter),
    Operator("setting ignored", (ast.Name, ast.Attribute, ast.Subscript), names.ignore_setting),
)
