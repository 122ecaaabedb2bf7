"""Messages about wrong results: the two numbers look different, and the advice names the next step."""

import numpy as np
import pytest

from autograder.checking.compare import expect_close, expect_number
from autograder.checking.criteria import Wrong
from autograder.sandbox.python_errors import find_advice
from tests.kit import PACK


def find_message(actual, expected, name="loss"):
    with pytest.raises(Wrong) as caught:
        expect_close(actual, expected, "f(x)", name=name)
    return str(caught.value)


def test_a_number_is_reported_without_counting_entries():
    assert find_message(2.5, 2.0) == "f(x): loss is 2.5, expected 2"


def test_an_array_is_reported_with_its_worst_entry():
    assert (
        find_message(np.array([1.0, 3.0]), [1.0, 2.0], "out")
        == "f(x): 1 of 2 entries are wrong; out[1] is 3, expected 2"
    )


def test_two_numbers_are_shown_with_enough_digits_to_look_different():
    assert find_message(1.0900031, 1.09) == "f(x): loss is 1.0900031, expected 1.09"


@pytest.mark.parametrize(
    "loss", [np.float32(1 / 3), np.array(1 / 3, dtype=np.float32), np.array([[1 / 3]], np.float32)]
)
def test_a_loss_in_float32_has_the_tolerance_of_float32(loss):
    """expect_number keeps the type. An error of 1e-5 is allowed in float32 and too large in float64."""
    value = expect_number(np.asarray(loss), "the loss")
    assert value.dtype == np.float32 and value.shape == ()
    expect_close(value, 1 / 3 * (1 + 1e-5), "f(x)")
    with pytest.raises(Wrong):
        expect_close(expect_number(1 / 3, "the loss"), 1 / 3 * (1 + 1e-5), "f(x)")


@pytest.mark.parametrize(
    "kind, message, expected",
    [
        ("ModuleNotFoundError", "No module named 'past'", "Python 2 too; take it out"),
        ("ModuleNotFoundError", "No module named 'past.builtins'", "Python 2 too; take it out"),
        ("ModuleNotFoundError", "No module named 'pkg.extra'", "The file of pkg.extra is not in the submission"),
        ("ModuleNotFoundError", "No module named 'scipy'", "scipy is not installed where grading happens"),
        ("ModuleNotFoundError", "No module named 'layers'", "import the package's own modules by their full names"),
        ("EOFError", "EOF when reading a line", "take it out"),
        ("NameError", "name 'im2col_indices' is not defined", "im2col_indices belonged to an older edition"),
        ("ImportError", "cannot import name 'conv_forward_strides' from 'pkg.fast'", "call conv_forward_fast"),
        ("NameError", "name 'max_pool_forward_reshape' is not defined", "in a file with a name of your own"),
        ("NameError", "name 'conv_forward_mine' is not defined", ""),
        ("SyntaxError", "Missing parentheses in call to 'print'. Did you mean print(...)?", "This is Python 2 code"),
        ("SyntaxError", "multiple exception types must be parenthesized", "This is Python 2 code"),
        ("TabError", "inconsistent use of tabs and spaces in indentation", "Tabs and spaces are mixed"),
        ("IndentationError", "unindent does not match any outer indentation level", "Tabs and spaces are mixed"),
        ("ValueError", "assignment destination is read-only", "work on a copy"),
        ("ValueError", "something else", ""),
    ],
)
def test_advice_names_the_next_step(kind, message, expected):
    assert expected in find_advice(kind, message, PACK.advice)
    assert bool(find_advice(kind, message, PACK.advice)) == bool(expected)
