"""The small assignment all graders get: three functions, their points, and the hidden test of each."""

from nbformat.v4 import new_code_cell, new_notebook

from .attack import RIGHT

POINTS = {"relu_forward": 2, "relu_backward": 3, "affine_forward": 3}
ALL = sum(POINTS.values())

STUB = """import numpy as np


def relu_forward(x):
    raise NotImplementedError()


def relu_backward(dout, cache):
    raise NotImplementedError()


def affine_forward(x, w, b):
    raise NotImplementedError()
"""

TESTS = {
    "relu_forward": """
x = np.random.default_rng(231).normal(size=(4, 5))
expected = np.maximum(x, 0)
out, cache = relu_forward(x)
assert np.allclose(out, expected)
""",
    "relu_backward": """
x, dout = np.random.default_rng(231).normal(size=(2, 4, 5))
expected = np.where(x > 0, dout, 0)
_, cache = relu_forward(x)
assert np.allclose(relu_backward(dout, cache), expected)
""",
    "affine_forward": """
rng = np.random.default_rng(231)
x, w, b = rng.normal(size=(3, 2, 2)), rng.normal(size=(4, 5)), rng.normal(size=5)
expected = x.reshape(3, 4) @ w + b
out, cache = affine_forward(x, w, b)
assert np.allclose(out, expected)
""",
}


def solution(tokens):
    """Return the instructor's answers, with the token that a thief would have to show."""
    return f"import numpy as np\n# {tokens['solution']}{RIGHT}"


def notebook(cells):
    """Return a notebook of cells [(source, metadata)]; ids and kernel are the same every time."""
    made = [new_code_cell(source, id=f"cell-{i}", metadata=about) for i, (source, about) in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel})
