"""Checks of cs231n/layers.py, one file for each family of layers; they register themselves."""

from autograder.checks.layers import (  # noqa: F401
    affine_relu,
    convolution,
    dropout,
    dropout_backward,
    losses,
    normalization,
    pooling,
    spatial,
)
