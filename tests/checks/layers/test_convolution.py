"""The judge's own convolution and pooling against the reference layers, and the wrong ones that have a name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checking.compare import agrees
from autograder.checks.layers import convolution, pooling
from autograder.checks.variants import find_matching_variants, get_variants
from autograder.diagnosis.replayed_answers import describe_exception
from cs231n import layers as reference
from tests.kit import PACK

CONVOLUTION, POOLING = convolution.LAYER, pooling.LAYER


def cases(layer):
    return [*layer.cases, *(case for edge in layer.edges for case in edge.cases)]


def drawn(layer, case):
    rng = np.random.default_rng(sorted(map(ord, str(case))))
    inputs = layer.draw(rng, **case)
    return inputs, rng.normal(size=layer.value(inputs).shape)


def answers(module, layer, function):
    """What a function of the layer returns in each case, by the reference or a wrong version of it."""
    found = []
    for case in cases(layer):
        inputs, dout = drawn(layer, case)
        try:
            with np.errstate(all="ignore"):
                out, cache = getattr(module, layer.forward)(*inputs.values())
                found.append(out if function == layer.forward else getattr(module, layer.backward)(dout, cache))
        except Exception as error:  # its answer, as it would be the student's
            found.append(describe_exception(error))
    return found


def alike(one, other):
    """Say whether two answers are the same array, gradients, or exception."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other if isinstance(one, str) else agrees(one, other)


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
    out, _ = reference.conv_forward_naive(*inputs.values())
    np.testing.assert_allclose(convolution.convolution(**inputs), out, rtol=1e-12, atol=1e-12)


@given(sizes(), st.integers(1, 3))
def test_the_judges_max_pooling_is_that_of_the_reference(size, N):
    window, stride, image = size
    inputs = pooling._draw(np.random.default_rng(1), N, 2, image, window, stride)
    out, _ = reference.max_pool_forward_naive(*inputs.values())
    np.testing.assert_array_equal(pooling.max_pool(**inputs), out)


def test_entries_to_be_pooled_differ_by_more_than_a_numeric_gradient_moves_them():
    for case in cases(POOLING):
        x = np.sort(drawn(POOLING, case)[0]["x"], axis=None)
        assert np.diff(x).min() > 10 * 1e-4 * np.abs(x).max()


@pytest.mark.parametrize("layer", [CONVOLUTION, POOLING], ids=lambda layer: layer.forward)
class TestWrongVersions:
    @pytest.mark.parametrize("way", ["forward", "backward"])
    def test_are_told_from_the_right_one_and_from_those_of_other_entries(self, layer, way):
        function = getattr(layer, way)
        seen = {"the right one": [answers(reference, layer, function)]}
        for version in PACK.wrong_versions()[function]:
            given = answers(version.module, layer, function)
            for name, others in seen.items():
                same = [other for other in others if all(map(alike, given, other))]
                assert name == version.misconception.name or not same, (name, version)
            seen.setdefault(version.misconception.name, []).append(given)
        assert len(seen) > 10

    def test_are_no_name_for_an_unknown_mistake(self, layer):
        for case in layer.cases:
            inputs, _ = drawn(layer, case)
            right = layer.value(inputs)
            assert not find_matching_variants(get_variants(layer.forward, 0), inputs, 1.5 * right, right)
            assert not find_matching_variants(get_variants(layer.forward, 0), inputs, right[:, :0], right)


def test_a_bias_added_twice_is_not_taken_for_one_of_each_channel():
    inputs, _ = drawn(CONVOLUTION, CONVOLUTION.cases[0])
    twice = convolution.convolution(**inputs | {"b": 2 * inputs["b"]})
    assert not find_matching_variants(get_variants("conv_forward_naive", 0), inputs, twice, CONVOLUTION.value(inputs))


def test_images_have_fewer_and_more_channels_than_colours():
    channels = {drawn(CONVOLUTION, case)[0]["x"].shape[1] for case in cases(CONVOLUTION)}
    assert min(channels) == 1 and max(channels) > 3


@pytest.mark.parametrize(
    "question", ["conv_forward_naive", "conv_backward_naive", "max_pool_forward_naive", "max_pool_backward_naive"]
)
def test_an_edge_case_never_costs_the_points_of_ordinary_ones(question):
    criteria = PACK.criteria[question]
    total = sum(criterion.weight for criterion in criteria)
    ordinary = sum(criterion.weight for criterion in criteria if not criterion.edge)
    assert 0.7 <= ordinary / total <= 0.8
    assert max(criterion.weight for criterion in criteria if criterion.edge) <= 0.05 * total
