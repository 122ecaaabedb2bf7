"""The same submission graded twice gives the same report, except for the times."""

import dataclasses
import json
import os

import pytest

from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.load import load_samples

pytestmark = pytest.mark.uncounted

SAMPLES = load_samples()
MIXED = {
    "failed_dw_averaged": ["affine_backward", "TwoLayerNet"],
    "missing_half": ["batchnorm_backward", "adam"],
    "passed_dropout_generator": ["dropout_forward", "adam"],
    "error_python_2": ["dropout_forward", "adam"],
}


def facts(report):
    """Return a report without its times, as text."""
    fields = dataclasses.asdict(report)
    for part in (fields, *fields["questions"]):
        part.pop("seconds"), part.pop("graded_at", None)
    return json.dumps(fields, sort_keys=True)


@pytest.fixture
def graded(manifest, isolation):
    def grade(name, questions, student=None, seed=None):
        files = dict(reversed(SAMPLES[name].files(manifest).items()))
        submission = Submission("work", files, student=student)
        return judge(submission, make_setting(manifest, isolation, seed=seed), questions)

    return grade


@pytest.mark.parametrize("name", MIXED)
def test_student_threads_and_order_change_nothing_but_the_name(graded, monkeypatch, name):
    before = graded(name, MIXED[name], "ada")
    assert before.seed and set(before.kit) >= {"version", "digest", "python", "numpy"}
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setitem(os.environ, variable, "4")
    after = graded(name, MIXED[name][::-1], "bob")
    assert (before.submission["student"], after.submission.pop("student")) == ("ada", "bob")
    after.submission["student"] = "ada"
    assert facts(before) == facts(after)


def test_another_seed_draws_other_inputs(graded):
    one, other = (graded("failed_dw_averaged", ["affine_backward"], seed=seed) for seed in (1, 2))
    assert facts(one) != facts(other)
    assert one.question("affine_backward").verdict == other.question("affine_backward").verdict
