"""What is right for each function of the assignment. The folder mirrors the package it checks.

This is the only part of the autograder that knows the assignment. The engine reads a few names from here: the criteria
of every question, the calls that tell a derived gradient, the wrong versions that have a name, what is answered for
functions that are not right, what the axes of an array are called, how to cut a picture out of two arrays and draw it,
and the models of a good submission.
"""

from autograder.checks import best_models, layers, optimizers, tensorflow_notebook  # noqa: F401  (they register themselves)
from autograder.checks.answers import answers_for
from autograder.checks.axes import axes_of
from autograder.checks.classifiers import cnn, fc_net, fc_net_layers  # noqa: F401
from autograder.checks.pack import LARGE_CALLS, MISCONCEPTIONS, REGISTRY
from autograder.checks.sample_models import model_files
from cs231n.gradient_view import heat_map_html as heat_map
from cs231n.gradient_view import picture_of

CRITERIA = REGISTRY.criteria

__all__ = [
    "CRITERIA",
    "LARGE_CALLS",
    "MISCONCEPTIONS",
    "answers_for",
    "axes_of",
    "heat_map",
    "model_files",
    "picture_of",
]
