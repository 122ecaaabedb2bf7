"""Checks of the TensorFlow notebook. The judge itself does not load TensorFlow: it runs in the worker only."""
