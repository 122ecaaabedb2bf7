"""The checks of the normalization layers: the parts of dx add up, eps hides where it should, names are told apart."""

import numpy as np
import pytest

from autograder.checking.compare import RTOL, agrees
from autograder.checking.numeric_gradient import copy_inputs
from autograder.checks.layers.normalization import BATCHNORM, LAYERNORM
from autograder.checks.layers.spatial import GROUPNORM, SPATIAL
from autograder.checks.variants import get_variants
from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from cs231n import layers as reference

LAYERS = {layer.forward: layer for layer in (BATCHNORM, LAYERNORM, SPATIAL, GROUPNORM)}
EPS_ONLY = {"eps missing", "eps added after the square root", "eps ignored", "different default of eps"}


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param]


def inputs_of(layer, case):
    return layer.draw(np.random.default_rng(5), **case)


def make_eps_edge(layer):
    return next(edge for edge in layer.edges if edge.name == "eps")


def values(layer, inputs):
    """Return (name, out) of every wrong version of the layer that answers to these inputs."""
    found = []
    for variant in get_variants(layer.forward, 0):
        try:
            found.append((variant.name, variant.function(**copy_inputs(inputs))))
        except (ValueError, KeyError):  # a wrong version may raise
            continue
    return found


def all_cases(layer):
    return [*layer.cases, *(case for edge in layer.edges for case in edge.cases)]


class TestTerms:
    def test_add_up_to_the_gradient_of_the_reference(self, layer):
        for case in all_cases(layer):
            inputs = inputs_of(layer, case)
            out, cache = getattr(reference, layer.forward)(*copy_inputs(inputs).values())
            dout = np.random.default_rng(6).normal(size=out.shape)
            right = dict(zip(layer.gradients, getattr(reference, layer.backward)(dout, cache)))
            for wrt, terms in layer.terms(dout, **inputs).items():
                assert {term.shape for term in terms.values()} == {right[wrt].shape}
                size = max(np.abs(term).max() for term in terms.values())
                np.testing.assert_allclose(sum(terms.values()), right[wrt], rtol=1e-10, atol=1e-12 * size)

    def test_are_the_direct_path_and_those_through_mean_and_variance(self, layer):
        """A dout that is alike wherever a mean is shared goes through the mean alone, and cancels."""
        inputs = inputs_of(layer, layer.cases[0])
        inputs["gamma"] = np.ones_like(inputs["gamma"])
        terms = layer.terms(np.ones_like(inputs["x"]), **inputs)["x"]
        assert list(terms) == ["direct", "through the mean", "through the variance"]
        assert agrees(terms["through the mean"], -terms["direct"])
        assert np.abs(terms["through the variance"]).max() < 1e-12 * np.abs(terms["direct"]).max()


def test_the_main_criterion_does_not_hang_on_eps(layer):
    for case in layer.cases:
        inputs = inputs_of(layer, case)
        for name, value in values(layer, inputs):
            if name in EPS_ONLY - {"different default of eps"}:
                assert agrees(value, layer.value(inputs), RTOL), name


def test_where_eps_matters_one_of_the_two_cases_shows_each_mistake(layer):
    shown = set()
    for case in make_eps_edge(layer).cases:
        inputs = inputs_of(layer, case)
        shown |= {name for name, value in values(layer, inputs) if not agrees(value, layer.value(inputs), 1e-2)}
    assert shown >= EPS_ONLY & {variant.name for variant in get_variants(layer.forward, 0)}


@pytest.mark.parametrize(
    "question, old, new, missing",
    [
        ("batchnorm_backward", "dx = dcentered + dmean / N", "dx = dcentered", "through the mean"),
        ("layernorm_backward", "- x_hat * along_x_hat) / std", ") / std", "through the variance"),
    ],
)
def test_a_path_that_dx_lacks_is_named(manifest, forked, question, old, new, missing):
    change = ({"file": "cs231n/layers.py", "old": old, "new": new},)
    files = Sample("case", "case", change=change).files(manifest)
    judged = judge(Submission("case", files), make_setting(manifest, forked), [question]).question(question)
    assert any(f"the part {missing} is missing" in found.text for found in judged.diagnosis)
