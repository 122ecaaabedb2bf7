"""Checks of the TensorFlow notebook. The judge itself has no need of TensorFlow: it runs in the worker only."""

from autograder.checks.tensorflow_notebook import complex_model, loss_and_gradients  # noqa: F401  (they register)
