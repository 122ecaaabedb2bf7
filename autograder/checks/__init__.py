"""What is right for each function of the assignment. The folder mirrors the package it checks.

This is the only part of the autograder that knows the assignment. The engine reads three names from here: the
criteria of every question, how to cut a picture out of two arrays, and how to draw it.
"""

from autograder.checks import layers, optimizers  # noqa: F401  (they register themselves)
from autograder.checks.classifiers import fc_net  # noqa: F401
from autograder.checks.pack import REGISTRY
from cs231n.gradient_view import heat_map_html as heat_map
from cs231n.gradient_view import picture_of

CRITERIA = REGISTRY.criteria

__all__ = ["CRITERIA", "heat_map", "picture_of"]
