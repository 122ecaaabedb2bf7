"""The judge's own convolution and pooling against the reference layers, and the mistakes it can name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import checks
from autograder.checks.gradients import named_variant
from autograder.checks.layers import convolution, pooling
from autograder.compare import agrees
from cs231n import layers as reference

CONVOLUTION, POOLING = convolution.LAYER, pooling.LAYER


def cases(layer):
    return [*layer.cases, *(case for edge in layer.edges for case in edge.cases)]


def drawn(layer, case):
    rng = np.random.default_rng(sorted(map(ord, str(case))))
    inputs = layer.draw(rng, **case)
    return inputs, rng.normal(size=layer.value(inputs).shape)


def right_gradients(layer, inputs, dout):
    _, cache = getattr(reference, layer.forward)(*inputs.values())
    found = getattr(reference, layer.backward)(dout, cache)
    return dict(zip(layer.gradients, found if isinstance(found, tuple) else (found,)))


@st.composite
def sizes(draw):
    """Windows that fit: (window, stride, how many there are), each down and across, but for the stride."""
    side = st.integers(1, 4)
    window, count, stride = draw(st.tuples(side, side)), draw(st.tuples(side, side)), draw(side)
    return window, stride, tuple((n - 1) * stride + size for n, size in zip(count, window))


@given(sizes(), st.integers(0, 2), st.integers(1, 3), st.integers(1, 3))
def test_the_judges_convolution_is_that_of_the_reference(size, pad, N, F):
    filters, stride, (height, width) = size
    image = (max(1, height - 2 * pad), max(1, width - 2 * pad))
    if (image[0] + 2 * pad, image[1] + 2 * pad) != (height, width):
        image, pad = (height, width), 0
    inputs = convolution._draw(np.random.default_rng(1), N, 2, image, F, filters, stride, pad)
    out, cache = reference.conv_forward_naive(*inputs.values())
    np.testing.assert_allclose(convolution.convolution(**inputs), out, rtol=1e-12, atol=1e-12)

    dout = np.random.default_rng(2).normal(size=out.shape)
    ours = convolution.gradients(dout, **inputs)
    for name, right in zip("xwb", reference.conv_backward_naive(dout, cache)):
        np.testing.assert_allclose(ours[name], right, rtol=1e-12, atol=1e-12)


@given(sizes(), st.integers(1, 3))
def test_the_judges_max_pooling_is_that_of_the_reference(size, N):
    window, stride, image = size
    inputs = pooling._draw(np.random.default_rng(1), N, 2, image, window, stride)
    out, cache = reference.max_pool_forward_naive(*inputs.values())
    np.testing.assert_array_equal(pooling.max_pool(**inputs), out)

    dout = np.random.default_rng(2).normal(size=out.shape)
    right = reference.max_pool_backward_naive(dout, cache)
    np.testing.assert_allclose(pooling.gradient(dout, **inputs)["x"], right, rtol=1e-12, atol=1e-12)


def test_entries_to_be_pooled_differ_by_more_than_a_numeric_gradient_moves_them():
    for case in cases(POOLING):
        x = np.sort(drawn(POOLING, case)[0]["x"], axis=None)
        assert np.diff(x).min() > 10 * 1e-4 * np.abs(x).max()


@pytest.mark.parametrize("layer", [CONVOLUTION, POOLING], ids=lambda layer: layer.forward)
class TestNamedMistakes:
    def test_of_the_forward_pass_are_computed_in_every_case_and_wrong_in_some(self, layer):
        for variant in layer.variants:
            wrong = 0
            for case in cases(layer):
                inputs, _ = drawn(layer, case)
                wrong += not agrees(variant.function(**inputs), layer.value(inputs))
            assert wrong, variant.name

    def test_of_the_backward_pass_are_computed_in_every_case_and_wrong_in_some(self, layer):
        for slip in layer.slips:
            wrong = 0
            for case in cases(layer):
                inputs, dout = drawn(layer, case)
                right, given = right_gradients(layer, inputs, dout), slip.function(dout, **inputs)
                wrong += sum(not agrees(given[wrt], right[wrt]) for wrt in layer.gradients if wrt in given)
            assert wrong, slip.name

    def test_are_told_from_each_other(self, layer):
        """A diagnosis names the mistake that was made, in some case at least."""
        for variant in layer.variants:
            names = set()
            for case in cases(layer):
                inputs, _ = drawn(layer, case)
                value = variant.function(**inputs)
                if not agrees(value, layer.value(inputs)):
                    found = named_variant(layer.variants, inputs, value)
                    names.add(found.name if found else None)  # nan, where such a forward pass would have raised
            assert variant.name in names, variant.name

    def test_are_no_name_for_an_unknown_mistake(self, layer):
        for case in cases(layer):
            inputs, dout = drawn(layer, case)
            assert named_variant(layer.variants, inputs, 1.5 * layer.value(inputs)) is None
            assert named_variant(layer.variants, inputs, layer.value(inputs)[:, :0]) is None


def test_a_bias_added_twice_is_not_taken_for_one_of_each_channel():
    inputs, _ = drawn(CONVOLUTION, CONVOLUTION.cases[0])
    twice = convolution.convolution(**inputs | {"b": 2 * inputs["b"]})
    assert named_variant(CONVOLUTION.variants, inputs, twice) is None


def test_images_have_fewer_and_more_channels_than_colours():
    channels = {drawn(CONVOLUTION, case)[0]["x"].shape[1] for case in cases(CONVOLUTION)}
    assert min(channels) == 1 and max(channels) > 3


@pytest.mark.parametrize(
    "question", ["conv_forward_naive", "conv_backward_naive", "max_pool_forward_naive", "max_pool_backward_naive"]
)
def test_an_edge_case_never_costs_the_points_of_ordinary_ones(question):
    criteria = checks.CRITERIA[question]
    total = sum(criterion.weight for criterion in criteria)
    ordinary = sum(criterion.weight for criterion in criteria if not criterion.edge)
    assert 0.7 <= ordinary / total <= 0.8
    assert max(criterion.weight for criterion in criteria if criterion.edge) <= 0.05 * total
