"""Two texts are the same code if only comments, docstrings, annotations or layout differ."""

import pytest

from autograder.intake.source_text import is_same_code

STUB = '''def affine(x, w):
    """Return x times w."""
    # YOUR CODE HERE
    raise NotImplementedError()
    return out
'''


@pytest.mark.parametrize(
    "text",
    [
        STUB,
        STUB.replace("x times w", "the product"),
        STUB.replace("    # YOUR CODE HERE\n", ""),
        STUB.replace("(x, w)", "(x: np.ndarray, w: np.ndarray) -> tuple"),
        STUB.replace("\n", "\r\n"),
        STUB.replace("(x, w)", "( x, w )"),
        STUB + "\n\n",
    ],
)
def test_is_the_same_without_what_only_readers_see(text):
    assert is_same_code(text, STUB) and is_same_code(STUB, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        STUB.replace("raise", "out = x @ w #"),
        STUB.replace("x, w", "w, x"),
        STUB.replace("return out", "return None"),
        STUB.replace("def affine", "async def affine"),
        STUB.replace("(x, w):", "(x, w"),
        STUB.replace("return out", "return \0"),
        "(" * 1000 + ")" * 1000,
    ],
)
def test_is_other_code_otherwise_even_if_it_cannot_be_parsed(text):
    assert not is_same_code(text, STUB) and not is_same_code(STUB, text)


def test_text_that_cannot_be_parsed_is_the_same_as_itself():
    assert is_same_code("def f(:", "def f(:")
