"""A measured gradient is right by default; where the manifest refuses it, a derived one is never taken for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder import checks, derived
from autograder.criteria import Wrong
from autograder.errors import KitError
from autograder.html import student_page
from autograder.judge import judge
from autograder.questions import read_manifest
from autograder.release import reference_texts
from autograder.samples import Sample, load_samples
from autograder.secret import secret_of
from autograder.submission import Submission
from autograder.work import Work
from tests.mutants.rights import load_rights, replaced

LAYERS = "cs231n/layers.py"
SAMPLES = {sample.name: sample for sample in load_samples(Path(__file__).parent / "submissions")}
MEASURED = ("affine_backward", "batchnorm_backward", "conv_backward_naive", "max_pool_backward_naive", "softmax_loss")
MEASURED += ("spatial_groupnorm_backward",)
SLOW = {  # right versions that loop over single entries, and a question of each
    "affine_index_loops": "affine_backward",
    "batchnorm_jacobian_loops": "batchnorm_backward",
    "conv_flat_matrix": "conv_backward_naive",
    "conv_loops": "conv_backward_naive",
    "groupnorm_loops": "spatial_groupnorm_backward",
    "layernorm_loops": "layernorm_backward",
    "pool_loops": "max_pool_backward_naive",
    "softmax_jacobian": "softmax_loss",
    "spatial_each_channel": "spatial_batchnorm_backward",
    "svm_loops": "svm_loss",
}


@pytest.fixture(scope="module")
def refusing(manifest):
    """The manifest with measured_gradients = "refuse"."""
    questions = tuple(replace(question, measured_gradients="refuse") for question in manifest.questions)
    return replace(manifest, questions=questions)


@pytest.fixture
def impatient(monkeypatch):
    """A limit of one second, which is long enough to see that an answer takes minutes."""
    monkeypatch.setattr(derived, "SECONDS", 1)
    monkeypatch.setattr(derived, "FACTOR", 0)


@pytest.fixture
def graded(refusing, isolation):
    """A function that grades the reference with changes of layers.py, where measured gradients are refused."""

    def grade(*questions, stubs=(), **change):
        changes = ({"file": LAYERS, **change},) if change else ()
        sample = Sample("changed", "", change=changes, stubs=stubs, questions=questions)
        return judge(Submission("changed", sample.files(refusing)), refusing, isolation, questions)

    return grade


@pytest.fixture(scope="module")
def large_call(manifest, isolation, tmp_path_factory):
    """A function that asks a right version for one large input; returns what derived.refusal said."""

    def ask(text, identifier):
        question = next(question for question in manifest.questions if question.id == identifier)
        files = {path: data.encode() for path, data in reference_texts(manifest).items()} | {LAYERS: text.encode()}
        work = Work(Submission("version", files), manifest, isolation, (), secret_of(manifest.root.parent))
        work.stage(tmp_path_factory.mktemp("version"))
        students = []

        def start(limits):
            students.append(work.student(replace(question, limits=limits)))
            return work.trial(question, students[-1], seed=7)

        large = checks.LARGE_CALLS[identifier](work.trial(question, None, seed=7))
        try:
            return derived.refusal(large, question, start, complete=True)
        finally:
            students[0].stop()

    return ask


class TestADerivedGradientIsNotRefused:
    def test_every_gradient_has_a_large_call(self, manifest):
        asked = {question.id for question in manifest.questions if question.file.endswith(".py")}
        gradients = {name for name in asked if "_backward" in name or name.endswith(("_loss", "Net"))}
        assert set(checks.LARGE_CALLS) == gradients

    def test_what_is_spared_is_a_criterion(self, manifest):
        for question in manifest.questions:
            if question.id in checks.LARGE_CALLS:
                large = checks.LARGE_CALLS[question.id](Trialless(question, manifest))
                assert set(large.spared) < {criterion.name for criterion in checks.CRITERIA[question.id]}

    @pytest.mark.parametrize("identifier", checks.LARGE_CALLS)
    def test_the_reference_is_right_for_the_large_input(self, identifier, large_call, manifest):
        assert large_call(reference_texts(manifest)[LAYERS], identifier) is None

    @pytest.mark.parametrize("name", SLOW)
    def test_nor_are_loops_over_single_entries(self, name, large_call, manifest):
        version = next(right for right in load_rights() if right.name == name)
        assert large_call(replaced(version, reference_texts(manifest)[LAYERS]), SLOW[name]) is None

    def test_what_is_partly_wrong_keeps_what_is_right(self, graded):
        report = graded("affine_backward", old="db = dout.sum(axis=0)", new="db = dout.mean(axis=0)")
        verdicts = {each.name: each.verdict for each in report.question("affine_backward").criteria}
        assert (verdicts["dx"], verdicts["dw"], verdicts["db"]) == ("passed", "passed", "failed")

    def test_what_is_right_for_a_wrong_forward_pass_keeps_its_points(self, refusing, isolation):
        files = SAMPLES["failed_relu_absolute"].files(refusing)
        question = judge(Submission("", files), refusing, isolation, ["relu_backward"]).question("relu_backward")
        assert question.points == question.max_points

    def test_what_builds_on_answers_of_the_judge_keeps_its_points(self, graded):
        question = graded("TwoLayerNet", stubs=("affine_forward", "affine_backward")).question("TwoLayerNet")
        assert question.points == question.max_points
        assert any(criterion.given for criterion in question.criteria)


class TestAMeasuredGradientIsRefused:
    def test_with_a_message_said_once(self, refusing, isolation, impatient):
        files = SAMPLES["passed_measures_own_slopes"].files(refusing)
        report = judge(Submission("measuring", files), refusing, isolation, MEASURED)
        for name in MEASURED:
            question = report.question(name)
            refused = [each for each in question.criteria if each.verdict == "timeout"]
            spared = {each.name for each in question.criteria} - {each.name for each in refused}
            assert question.verdict == "timeout"
            assert spared == ({"loss"} if name == "softmax_loss" else set())
            assert all(each.points == 0 and each.inputs == [] for each in refused)
            message = refused[0].message
            assert {each.message for each in refused} == {message}
            for part in (name, "no answer within 1 s", "The reference derives", "forward passes", "has to be derived"):
                assert part in message
            assert student_page(report, checks.heat_map, to_student=True).count(message[:60]) == 1
        others = [question for question in report.questions if question.id not in MEASURED]
        assert {question.verdict for question in others} == {"passed"}

    def test_and_what_builds_on_it_pays_nothing(self, graded, impatient):
        slow = """
    x, w = cache
    b, dx, dw = np.zeros(w.shape[1]), np.zeros(x.shape), np.zeros(w.shape)
    for place in np.ndindex(*w.shape):
        moved = w.copy()
        moved[place] += 1
        dw[place] = np.sum((affine_forward(x, moved, b)[0] - affine_forward(x, w, b)[0]) * dout)
"""
        old = "    x, w = cache\n    rows = x.reshape(x.shape[0], -1)\n    dx ="
        text = slow + "    rows = x.reshape(x.shape[0], -1)\n    dx ="
        report = graded("TwoLayerNet", old=old, new=text)
        assert report.question("affine_backward").verdict == "timeout"
        assert report.question("TwoLayerNet").verdict == "passed"

    def test_and_so_is_another_answer_to_a_large_input(self, graded):
        new = "dx = dout * (x > 0) if x.size < 1000 else np.zeros(x.shape)"
        question = graded("relu_backward", old="dx = dout * (x > 0)", new=new).question("relu_backward")
        assert (question.verdict, question.points) == ("failed", 0)
        assert question.criteria[0].message.startswith("Right for small inputs, and not for a large one.")


class Trialless:
    """What a LargeCall draws its inputs with, before any worker is started."""

    def __init__(self, question, manifest):
        self.question, self.options = question, manifest.options

    def rng(self, *_):
        return np.random.default_rng(1)


class TestAboutTheRightGradient:
    right = np.arange(6.0).reshape(2, 3)

    @pytest.mark.parametrize("gradient", [right, right.astype(np.float32), right + 1e-3, right.reshape(1, 2, 3)])
    def test_rounding_and_an_axis_of_one_are_let_be(self, gradient):
        derived.expect_about(gradient, self.right, "dx")

    @pytest.mark.parametrize("gradient", [None, 0.0, 0 * right, right * np.nan, right[:1], right + 1, 1.1 * right])
    def test_another_one_is_not(self, gradient):
        with pytest.raises(Wrong, match="dx is not the gradient"):
            derived.expect_about(gradient, self.right, "dx")


class TestTheManifest:
    @pytest.fixture
    def read(self, manifest, tmp_path):
        def read(value):
            text = (manifest.root / "questions.toml").read_text(encoding="utf-8")
            assert text.count('measured_gradients = "allow"') == 1
            (tmp_path / "questions.toml").write_text(text.replace('measured_gradients = "allow"', value))
            return {question.measured_gradients for question in read_manifest(tmp_path).questions}

        return read

    def test_allows_unless_it_refuses(self, read):
        assert read('measured_gradients = "allow"') == read("") == {"allow"}
        assert read('measured_gradients = "refuse"') == {"refuse"}

    def test_knows_no_third_way(self, read):
        with pytest.raises(KitError, match="measured_gradients = 'forbid'; expected 'allow' or 'refuse'"):
            read('measured_gradients = "forbid"')
