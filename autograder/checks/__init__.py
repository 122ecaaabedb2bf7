"""The checks of assignment 2: what is right for each of its functions. The folder mirrors the package it checks.

This is the only part of the autograder that knows the assignment. The engine gets it as one value, `PACK`.
"""

from autograder.checking.pack import Pack, merged
from autograder.checks import best_models, optimizers
from autograder.checks.answers import answers_for
from autograder.checks.axes import axes_of
from autograder.checks.catalogue import catalogue
from autograder.checks.classifiers import cnn, fc_net, fc_net_layers
from autograder.checks.layers import (
    affine_relu,
    convolution,
    dropout,
    dropout_backward,
    losses,
    normalization,
    pooling,
    spatial,
)
from autograder.checks.names import ADVICE, VOCABULARY
from autograder.checks.sample_models import model_files
from autograder.checks.tensorflow_notebook import complex_model, loss_and_gradients
from cs231n.gradient_view import heat_map_html, picture_of

_LAYERS = (affine_relu, convolution, dropout, dropout_backward, losses, normalization, pooling, spatial)
_OTHERS = (best_models, optimizers, complex_model, loss_and_gradients, cnn, fc_net, fc_net_layers)
_CHECKS = merged([module.CHECKS for module in (*_LAYERS, *_OTHERS)])

PACK = Pack(
    criteria=_CHECKS.criteria,
    large_calls=_CHECKS.large_calls,
    wrong_versions=catalogue,
    answers_for=answers_for,
    axes_of=axes_of,
    picture_of=picture_of,
    heat_map=heat_map_html,
    model_files=model_files,
    advice=ADVICE,
    vocabulary=VOCABULARY,
)
