"""The checks of the normalization layers: what they take for right is right, and no two mistakes look alike."""

import numpy as np
import pytest

from autograder.checks.gradients import fresh, named_variant
from autograder.checks.layers import running
from autograder.checks.layers.normalization import BATCHNORM, LAYERNORM
from autograder.checks.layers.normalizing import Norm
from autograder.checks.layers.spatial import GROUPNORM, SPATIAL
from autograder.compare import RTOL, agrees
from autograder.judge import judge
from autograder.samples import Sample
from autograder.submission import Submission
from cs231n.gradient_check import check_gradients

LAYERS = {layer.forward: layer for layer in (BATCHNORM, LAYERNORM, SPATIAL, GROUPNORM)}
EPS_ONLY = {"eps missing", "eps outside the root", "eps ignored"}

rng = np.random.default_rng(16)


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param]


def inputs_of(layer, case):
    return layer.draw(np.random.default_rng(5), **case)


def eps_edge(layer):
    return next(edge for edge in layer.edges if edge.name == "eps")


def by_hand(x, groups, eps):
    """x_hat by plain loops: `groups` lists the index arrays of entries that share mean and variance."""
    flat, out = x.ravel(), np.empty(x.size)
    for group in groups:
        mean = sum(flat[i] for i in group) / len(group)
        var = sum((flat[i] - mean) ** 2 for i in group) / len(group)
        for i in group:
            out[i] = (flat[i] - mean) / (var + eps) ** 0.5
    return out.reshape(x.shape)


def indices(x, key):
    """Group the flat indices of x by key(index tuple)."""
    groups = {}
    for flat, index in enumerate(np.ndindex(*x.shape)):
        groups.setdefault(key(*index), []).append(flat)
    return groups.values()


class TestNorm:
    @pytest.mark.parametrize(
        ("norm", "shape", "key"),
        [
            (Norm((0,), (0,)), (5, 3), lambda n, d: d),
            (Norm((1,), (0,)), (5, 3), lambda n, d: n),
            (Norm((0, 2, 3), (0, 2, 3)), (3, 2, 4, 5), lambda n, c, h, w: c),
            (Norm((2, 3, 4), (0, 2, 3), groups=2), (3, 6, 2, 4), lambda n, c, h, w: (n, c // 3)),
        ],
    )
    def test_is_what_plain_loops_give(self, norm, shape, key):
        x = rng.normal(size=shape) * 3 + 1
        assert agrees(norm.x_hat(x, 0.1), by_hand(x, indices(x, key), 0.1), 1e-12)

    @pytest.mark.parametrize(
        ("norm", "shape"),
        [
            (Norm((0,), (0,)), (5, 3)),
            (Norm((1,), (0,)), (5, 3)),
            (Norm((0, 2, 3), (0, 2, 3)), (3, 2, 4, 5)),
            (Norm((2, 3, 4), (0, 2, 3), groups=2), (3, 6, 2, 4)),
        ],
    )
    def test_its_gradients_are_those_of_its_output(self, norm, shape):
        inputs = {"x": rng.normal(size=shape), "gamma": rng.normal(size=shape[1]), "beta": rng.normal(size=shape[1])}
        dout = rng.normal(size=shape)
        claimed = norm.gradients(dout, **inputs, eps=0.1)
        check_gradients(lambda **moved: norm.out(**moved, eps=0.1), inputs, claimed, dout).require()

    def test_divides_by_zero_without_a_word(self):
        assert np.isnan(Norm((0,), (0,)).x_hat(np.ones((3, 2)), 0.0)).all()


def test_the_main_criterion_does_not_hang_on_eps(layer):
    for case in layer.cases:
        inputs = inputs_of(layer, case)
        for variant in layer.variants:
            if variant.name in EPS_ONLY:
                assert agrees(variant.function(**fresh(inputs)), layer.value(inputs), RTOL), variant.name


def test_where_eps_matters_the_default_counts_as_well_as_a_given_one(layer):
    for case in eps_edge(layer).cases:
        inputs = inputs_of(layer, case)
        for variant in layer.variants:
            if variant.name in EPS_ONLY and ("eps" in case or variant.name != "eps ignored"):
                assert not agrees(variant.function(**fresh(inputs)), layer.value(inputs), 1e-2), variant.name


def test_an_eps_of_another_default_is_as_good_as_none_and_no_ignored_one(layer):
    default, given = (inputs_of(layer, case) for case in eps_edge(layer).cases)
    missing, ignored = (next(v for v in layer.variants if v.name == name) for name in ("eps missing", "eps ignored"))
    settings = next(name for name, value in default.items() if isinstance(value, dict))
    tiny = layer.value(default | {settings: default[settings] | {"eps": 1e-8}})
    assert named_variant(layer.variants, default, tiny) is missing
    assert agrees(ignored.function(**fresh(default)), layer.value(default), RTOL)
    usual = layer.value(given | {settings: given[settings] | {"eps": 1e-5}})
    assert named_variant(layer.variants, given, usual) is ignored


def test_every_other_wrong_function_is_wrong_in_each_ordinary_case(layer):
    for case in layer.cases:
        inputs = inputs_of(layer, case)
        for variant in layer.variants:
            if variant.name not in EPS_ONLY:
                assert not agrees(variant.function(**fresh(inputs)), layer.value(inputs), 1e-3), variant.name


def test_a_wrong_function_is_known_by_its_own_name(layer):
    """In the first case, or where that cannot be (two sizes of a group are one there), in another."""
    cases = [*layer.cases, *eps_edge(layer).cases]
    for variant in layer.variants:
        drawn = [inputs_of(layer, case) for case in cases]
        found = [named_variant(layer.variants, inputs, variant.function(**fresh(inputs))) for inputs in drawn]
        assert variant in found, variant.name


def test_a_wrong_gradient_is_wrong_and_known_by_its_own_name(layer):
    inputs = inputs_of(layer, layer.cases[0])
    dout = np.random.default_rng(6).normal(size=inputs["x"].shape)
    for slip in layer.slips:
        gradients = slip.function(dout, **fresh(inputs))
        for wrt, gradient in gradients.items():
            assert gradient.shape == inputs[wrt].shape
            others = [s.function(dout, **fresh(inputs)).get(wrt) for s in layer.slips]
            alike = [s.name for s, other in zip(layer.slips, others) if other is not None and agrees(gradient, other)]
            assert alike == [slip.name]
            checked = check_gradients(lambda **moved: layer.function(**fresh(moved)), inputs, {wrt: gradient}, dout)
            assert [check.passed for check in checked] == [False], slip.name


GROUPS, CENTERED = "groups = x.reshape(N, G, C // G, H, W)", "(groups - groups.mean(axis=(2, 3, 4), keepdims=True))"
OF_ROWS = "centered = x - x.mean(axis=1, keepdims=True)"


@pytest.mark.parametrize(
    ("question", "old", "new", "named"),
    [
        ("spatial_groupnorm_forward", GROUPS, "groups = x.reshape(N, 1, C, H, W)", ["statistics of each example"]),
        (
            "spatial_groupnorm_forward",
            GROUPS,
            "groups = x.reshape(N, C // G, G, H, W)",
            ["G taken for the size of a group"],
        ),
        ("spatial_groupnorm_forward", CENTERED, "(groups - groups)", []),
        ("layernorm_forward", OF_ROWS, "centered = x - x", []),
    ],
)
def test_an_edge_case_where_mistakes_look_alike_names_no_other_one(manifest, isolation, question, old, new, named):
    change = ({"file": "cs231n/layers.py", "old": old, "new": new},)
    files = Sample("case", "case", change=change).files(manifest)
    judged = judge(Submission("case", files), manifest, isolation, [question]).question(question)
    edges = {"one group", "groups of one", "one example"}
    assert edges & {criterion.name for criterion in judged.criteria if criterion.verdict == "failed"}
    assert [found.name for found in judged.diagnosis] == named


class TestRunningAverages:
    def test_move_toward_the_batch_by_one_minus_momentum(self):
        batches = [rng.normal(size=(5, 3)) for _ in range(3)]
        start = rng.normal(size=3)
        expected = 0.7**3 * start + sum(0.3 * 0.7 ** (2 - k) * batch.mean(axis=0) for k, batch in enumerate(batches))
        assert agrees(running.Rule(running.RIGHT["running_mean"]).after(start, batches, 0.7), expected, 1e-12)

    @pytest.mark.parametrize("count", [1, 3])
    @pytest.mark.parametrize("key", running.STATISTICS)
    def test_no_two_rules_look_alike(self, key, count):
        batches = [rng.normal(size=(6, 4)) * 20 + 30 for _ in range(count)]
        start = rng.uniform(100, 900, size=4)
        rules = [running.Rule(running.RIGHT[key])]
        rules += [running.Rule(running.RIGHT[key], step) for _, step, _ in running.STEPS]
        if key == "running_var":
            rules += [running.Rule(statistic) for _, statistic, _ in running.VARIANCES]
        results = [rule.after(start, batches, 0.7) for rule in rules]
        for i, one in enumerate(results):
            assert [agrees(one, other) for other in results] == [i == j for j in range(len(results))]

    @pytest.mark.parametrize("tested", [BATCHNORM, SPATIAL], ids=lambda layer: layer.forward)
    def test_wrong_functions_of_test_mode_are_wrong_and_known_by_their_names(self, tested):
        variants = running.variants_in_test_mode(tested)
        named = set()
        for case in (tested.cases[0], *eps_edge(tested).cases):
            inputs = inputs_of(tested, case)
            inputs["bn_param"]["mode"] = "test"
            for variant in variants:
                value = variant.function(**fresh(inputs))
                if not agrees(value, tested.value(inputs)):
                    named.add(named_variant(variants, inputs, value).name)
        assert named == {variant.name for variant in variants}
