"""The checks of assignment 2. The folder mirrors the package that it checks, cs231n/.

Only this part of the autograder knows the assignment. The engine gets it as one value, `PACK`.
"""

from autograder.checking.pack import Pack, merge_checks
from autograder.checks import optimizers
from autograder.checks.axes import axes_of
from autograder.checks.catalogue import load_catalogue
from autograder.checks.classifiers import cnn, fc_net, fc_net_batchnorm, fc_net_dropout
from autograder.checks.exception_advice import ADVICE
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
from autograder.checks.reference_answers import answers_for
from autograder.checks.saved_models import best_models
from autograder.checks.saved_models.sample_models import model_files
from autograder.checks.tensorflow_notebook import complex_model, loss_and_gradients
from autograder.checks.vocabulary import VOCABULARY
from cs231n.gradient_view import heat_map_html, picture_of

_LAYERS = (affine_relu, convolution, dropout, dropout_backward, losses, normalization, pooling, spatial)
_OTHERS = (best_models, optimizers, complex_model, loss_and_gradients, cnn, fc_net, fc_net_batchnorm, fc_net_dropout)
_CHECKS = merge_checks([module.CHECKS for module in (*_LAYERS, *_OTHERS)])

PACK = Pack(
    criteria=_CHECKS.criteria,
    large_calls=_CHECKS.large_calls,
    wrong_versions=load_catalogue,
    answers_for=answers_for,
    axes_of=axes_of,
    picture_of=picture_of,
    heat_map=heat_map_html,
    model_files=model_files,
    advice=ADVICE,
    vocabulary=VOCABULARY,
)
