"""Masks read off what a dropout layer returned: right ones of any generator pass, in either convention for p."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checking.criteria import Wrong
from autograder.checks.layers import dropout
from autograder.checks.layers.dropout_masks import SHAPE, DropoutMask, recover_mask
from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample

X = np.random.default_rng(0).uniform(0.5, 2, size=SHAPE)
CHECKED = "    if not 0 < p <= 1:"
MASK = "mask = (np.random.random_sample(x.shape) < p) / p"
LAYERS = "cs231n/layers.py"


def masked(keep, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).random(shape) < keep


class TestAMask:
    @given(st.integers(0, 10**6), st.sampled_from(dropout.KEEP))
    def test_has_the_share_it_was_drawn_with(self, seed, keep):
        assert DropoutMask(masked(keep, seed), 1.0).is_share(keep)

    @pytest.mark.parametrize(
        "share",
        [
            pytest.param(lambda keep: 1 - keep, id="p is the other probability"),
            pytest.param(lambda keep: dropout._normal_below(keep), id="randn < p, p to keep"),
            pytest.param(lambda keep: 1 - dropout._normal_below(1 - keep), id="randn > p, p to drop"),
        ],
    )
    def test_of_a_common_mistake_has_another_share_for_some_p(self, share):
        assert not all(DropoutMask(masked(share(keep)), 1.0).is_share(keep) for keep in dropout.KEEP)

    def test_is_read_with_its_scale(self):
        kept = masked(0.3)
        drawn = recover_mask(X * kept / 0.3, X, "dropout_forward")
        assert np.array_equal(drawn.kept, kept) and drawn.is_scale(1 / 0.3) and not drawn.is_scale(1)

    def test_is_read_from_float32_as_well(self):
        x = X.astype(np.float32)
        drawn = recover_mask((x * masked(0.3) / 0.3).astype(np.float32), x, "dropout_forward")
        assert drawn.is_scale(1 / 0.3) and not drawn.is_scale(3.4)

    @pytest.mark.parametrize("scale", [np.float32(1) / np.float32(0.3), 1 / (0.3 + 1e-8)])
    def test_may_be_scaled_in_float32_or_with_an_eps(self, scale):
        drawn = recover_mask(X * masked(0.3) * scale, X, "dropout_forward")
        assert drawn.scale != 1 / 0.3 and drawn.is_scale(1 / 0.3) and not drawn.is_scale(1 / 0.301)

    def test_of_two_scales_is_none_and_both_can_be_told_apart(self):
        out = X * masked(0.5) * 2
        out[0] *= 1 + 1e-7
        with pytest.raises(Wrong, match=r"2\.0000002 times .* multiplied by 2\."):
            recover_mask(out, X, "dropout_forward")

    def test_that_repeats_a_row_counts_as_one_row(self):
        assert DropoutMask(np.tile(masked(0.5, shape=(1, 110)), (200, 1)), 1.0).independent == 110

    @pytest.mark.parametrize(
        "out, words",
        [
            (X * np.linspace(1, 2, X.size).reshape(SHAPE), "multiplied by the same number"),
            (np.where(masked(0.5), X, np.nan), "is nan times its input"),
            (np.where(masked(0.5), X, np.inf), "is inf times its input"),
            (-X * masked(0.5), "is -1 times its input"),
            (X[0], "has shape (110,); expected (200, 110)"),
            (None, "is None; expected an array"),
            ([1.0], "is a list; expected an array"),
        ],
    )
    def test_is_asked_for_where_there_is_none(self, out, words):
        with pytest.raises(Wrong) as caught:
            recover_mask(out, X, "dropout_forward")
        assert words in str(caught.value)


@pytest.fixture
def grade(manifest, forked):
    """A function that judges dropout with the reference changed, under a convention for p."""

    def grade(convention, mask):
        changes = ({"file": LAYERS, "old": MASK, "new": mask},)
        changes += ({"file": LAYERS, "old": CHECKED, "new": "    if not 0 <= p <= 1:"},)
        kit = dataclasses.replace(manifest, options={"dropout": convention})
        sample = Sample("dropout", "dropout", change=changes, questions=("dropout_backward",))  # so without models
        return judge(Submission("dropout", sample.files(kit)), make_setting(kit, forked), sample.questions)

    return grade


KEEPS = "mask = (np.random.random_sample(x.shape) < p) / max(p, 1e-12)"
DROPS = "mask = (np.random.random_sample(x.shape) >= p) / max(1 - p, 1e-12)"


class TestTheConventionForP:
    @pytest.mark.parametrize("convention, mask", [("keep", KEEPS), ("drop", DROPS)])
    def test_is_the_manifests(self, grade, convention, mask):
        report = grade(convention, mask)
        assert [question.verdict for question in report.questions] == ["passed", "passed"]

    @pytest.mark.parametrize("convention, mask", [("keep", DROPS), ("drop", KEEPS)])
    def test_is_named_where_p_is_taken_for_the_other_probability(self, grade, convention, mask):
        forward, backward = grade(convention, mask).questions
        failed = {criterion.name for criterion in forward.criteria if criterion.verdict != "passed"}
        assert failed == {"mask", "nothing to drop"} and backward.verdict == "passed"
        assert forward.diagnosis[0].name == "p used as the other probability"

    @pytest.mark.parametrize("convention", ["keep", "drop"])
    def test_leaves_normal_random_numbers_their_name(self, grade, convention):
        kept, share = {"keep": ("< p", "p"), "drop": (">= p", "1 - p")}[convention]
        forward, _ = grade(convention, f"mask = (np.random.randn(*x.shape) {kept}) / max({share}, 1e-12)").questions
        assert any(found.name == "normal instead of uniform random numbers" for found in forward.diagnosis)


def test_the_same_submission_draws_the_same_report(grade):
    one, other = ([c.message for q in grade("keep", DROPS).questions for c in q.criteria] for _ in range(2))
    assert one == other
