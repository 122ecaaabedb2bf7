"""The same submission graded twice gives the same report, but for the times it took."""

import dataclasses
import json
import os

import pytest

from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.load import load_samples

pytestmark = pytest.mark.no_cover

SAMPLES = load_samples()
MIXED = ("failed_dw_averaged", "missing_half", "passed_dropout_generator", "error_python_2")


def facts(report):
    """Everything in a report but its times, as text."""
    fields = dataclasses.asdict(report)
    for part in (fields, *fields["questions"]):
        part.pop("seconds"), part.pop("graded_at", None)
    return json.dumps(fields, sort_keys=True)


@pytest.fixture
def graded(manifest, isolation):
    def grade(name, questions=None, student=None, seed=None):
        sample = SAMPLES[name]
        files = dict(reversed(sample.files(manifest).items()))
        submission = Submission("work", files, student=student)
        chosen = questions or ["TwoLayerNet", "batchnorm_backward", "dropout_forward", "adam"]
        return judge(submission, make_setting(manifest, isolation, seed=seed), chosen)

    return grade


@pytest.mark.parametrize("name", MIXED)
def test_two_gradings_say_the_same(graded, name):
    assert facts(graded(name)) == facts(graded(name))


def test_threads_load_and_order_change_nothing(graded, monkeypatch):
    before = graded("missing_half", ["TwoLayerNet", "adam"])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setitem(os.environ, name, "4")
    assert facts(before) == facts(graded("missing_half", ["adam", "TwoLayerNet"]))


def test_the_student_changes_nothing_but_the_name(graded):
    ada, bob = (graded("failed_dw_averaged", student=name) for name in ("ada", "bob"))
    bob.submission["student"] = "ada"
    assert facts(ada) == facts(bob)


def test_a_report_carries_what_produced_it(graded):
    report = graded("failed_dw_averaged")
    assert report.seed and set(report.kit) >= {"version", "digest", "python", "numpy"}


def test_another_seed_draws_other_inputs(graded):
    one, other = (graded("failed_dw_averaged", ["affine_backward"], seed=seed) for seed in (1, 2))
    assert facts(one) != facts(other)
    assert one.question("affine_backward").verdict == other.question("affine_backward").verdict
