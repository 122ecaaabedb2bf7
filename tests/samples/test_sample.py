"""A sample submission: the files that it is made of."""

import pytest

from autograder.errors import KitError
from autograder.intake.reference_submission import make_reference_submission
from autograder.samples.sample import Sample

NO_MODELS = ("affine_forward",)


def change(old, new="pass"):
    return Sample("failed_a", "A", change=({"file": "cs231n/layers.py", "old": old, "new": new},), questions=NO_MODELS)


def test_a_sample_without_changes_is_the_reference(manifest):
    assert Sample("passed", "", questions=NO_MODELS).files(manifest) == make_reference_submission(manifest).files


def test_saved_models_go_with_the_reference_where_they_are_given(manifest):
    files = make_reference_submission(manifest, {"best.npz": b"model"}).files
    assert (
        files["best.npz"] == b"model"
        and files.keys() - {"best.npz"} == make_reference_submission(manifest).files.keys()
    )


def test_a_change_replaces_its_lines(manifest):
    assert b"import numbers as np" in change("import numpy", "import numbers").files(manifest)["cs231n/layers.py"]


@pytest.mark.parametrize("old", ["no such line", "def "])
def test_a_change_that_fits_no_place_or_several_is_refused(manifest, old):
    said = r"(?s)sample failed_a: cs231n/layers.py contains this text (0|\d\d) times, expected once:.*copy the lines"
    with pytest.raises(KitError, match=said):
        change(old).files(manifest)


def test_limits_of_a_case_hold_for_every_question(manifest):
    limited = Sample("timeout_a", "A", limits={"cpu_seconds": 1}).limited(manifest)
    assert {question.limits.cpu_seconds for question in limited.questions} == {1}
    assert Sample("passed", "").limited(manifest) is manifest
