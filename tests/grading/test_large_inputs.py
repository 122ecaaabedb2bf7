"""A measured gradient is right by default. If the manifest refuses it, no derived gradient is refused."""

import os
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.checking.criteria import Wrong
from autograder.checking.large_call import expect_nearly
from autograder.errors import KitError
from autograder.grading import judge, make_setting
from autograder.grading import large_inputs as derived
from autograder.grading.prepared import prepare_submission
from autograder.grading.question import judge_question
from autograder.intake.submission import Submission
from autograder.report import model as report
from autograder.report.html import render_student_page
from autograder.samples.load import load_samples
from autograder.samples.sample import Sample
from tests.kit import PACK
from tests.mutants.rights import load_rights, replaced

pytestmark = pytest.mark.uncounted

LAYERS, NETS = "cs231n/layers.py", "cs231n/classifiers/fc_net.py"
SAMPLES = load_samples()
MEASURED = ("affine_backward", "softmax_loss")  # each costs the limit of a second, and its criteria
RELU = "    dx = dout * (x > 0)"
# Right versions and a question of each: the slowest, and those that take the most memory. All: ALL_RIGHT_VERSIONS=1.
RIGHTS = {right.name: right for right in load_rights()}
SLOW = [
    ("affine_index_loops", "affine_backward"),
    ("batchnorm_jacobian_loops", "batchnorm_backward"),
    ("conv_flat_matrix", "conv_backward_naive"),
    ("conv_loops", "conv_backward_naive"),
    ("softmax_jacobian", "softmax_loss"),
]
if os.environ.get("ALL_RIGHT_VERSIONS"):
    SLOW = [(right.name, name) for right in RIGHTS.values() for name in right.defines if name in PACK.large_calls]


@pytest.fixture(scope="module")
def refusing(manifest):
    """The manifest with measured_gradients = "refuse"."""
    questions = tuple(replace(question, measured_gradients="refuse") for question in manifest.questions)
    return replace(manifest, questions=questions)


@pytest.fixture
def impatient(monkeypatch):
    """A limit of one second, because the tested answers take minutes."""
    monkeypatch.setattr(derived, "SECONDS", 1)
    monkeypatch.setattr(derived, "FACTOR", 0)


def setting(manifest, isolation):
    return make_setting(manifest, isolation, seed=7)


@pytest.fixture
def graded(refusing, forked):
    """A function that grades the reference with changes (old, new[, file]) and refuses measured gradients."""

    def grade(questions, *changes, stubs=()):
        change = tuple(dict(zip(("old", "new", "file"), (*each, LAYERS))) for each in changes)
        sample = Sample("changed", "", change=change, stubs=stubs, questions=questions)
        return judge(Submission("changed", sample.files(refusing)), make_setting(refusing, forked), questions)

    return grade


@pytest.fixture
def examined(refusing, forked):
    """A function that grades one question of the reference with changes; needed questions have passed by default."""

    def examine_one(identifier, *changes, files=None, **needs):
        change = tuple(dict(zip(("old", "new", "file"), (*each, LAYERS))) for each in changes)
        files = (files or Sample("changed", "", change=change, questions=(identifier,)).files)(refusing)
        done = []
        for need, (verdict, edge) in needs.items():
            done.append(
                report.QuestionResult(
                    need, "", "", 0, 1, verdict, [report.CriterionResult("", "", verdict, 0, 1, edge=edge)]
                )
            )
        question = next(question for question in refusing.questions if question.id == identifier)
        with prepare_submission(Submission("changed", files), setting(refusing, forked)) as staged:
            return judge_question(question, staged, done).result

    return examine_one


@pytest.fixture(scope="module")
def large_call(manifest, isolation):
    """A function that calls a right version with one large input; it returns the result of find_refusal."""

    def ask(text, identifier, file=LAYERS):
        question = next(question for question in manifest.questions if question.id == identifier)
        files = {path: data.encode() for path, data in read_reference_texts(manifest).items()} | {file: text.encode()}
        with ExitStack() as stack:
            staged = stack.enter_context(prepare_submission(Submission("version", files), setting(manifest, isolation)))

            def start(limits):
                worker = stack.enter_context(staged.make_worker(replace(question, limits=limits)))
                return staged.make_trial(question, worker)

            large = PACK.large_calls[identifier](staged.make_trial(question, None))
            proved = {criterion.name for criterion in PACK.criteria[identifier]}
            return derived.find_refusal(large, question, start, proved)

    return ask


class TestADerivedGradientIsNotRefused:
    def test_every_gradient_has_a_large_call(self, manifest):
        asked = {question.id for question in manifest.questions if question.file.endswith(".py")}
        gradients = {name for name in asked if "_backward" in name or name.endswith(("_loss", "Net"))}
        assert set(PACK.large_calls) == gradients

    def test_what_is_spared_is_a_criterion(self, manifest):
        for question in manifest.questions:
            if question.id in PACK.large_calls:
                large = PACK.large_calls[question.id](Trialless(question, manifest))
                assert set(large.without_gradient) < {criterion.name for criterion in PACK.criteria[question.id]}

    @pytest.mark.parametrize("identifier", PACK.large_calls)
    def test_the_reference_is_right_for_the_large_input(self, identifier, large_call, manifest):
        assert large_call(read_reference_texts(manifest)[LAYERS], identifier) is None

    @pytest.mark.parametrize("name, identifier", SLOW)
    def test_nor_are_loops_over_single_entries(self, name, identifier, large_call, manifest):
        file = next(question.file for question in manifest.questions if question.id == identifier)
        assert large_call(replaced(RIGHTS[name], read_reference_texts(manifest)[file]), identifier, file) is None

    def test_what_is_wrong_in_edge_cases_keeps_the_rest(self, examined):
        old = "    db = dout.sum(axis=0)"
        question = examined("affine_backward", (old, f"{old} * (len(dout) > 1)"))
        lost = {each.name for each in question.criteria if each.verdict != "passed"}
        assert lost == {"one example"}

    def test_what_is_partly_wrong_keeps_what_is_right(self, graded):
        report = graded(("affine_backward",), ("db = dout.sum(axis=0)", "db = dout.mean(axis=0)"))
        verdicts = {each.name: each.verdict for each in report.question("affine_backward").criteria}
        assert (verdicts["dx"], verdicts["dw"], verdicts["db"]) == ("passed", "passed", "failed")

    def test_what_is_right_for_a_wrong_forward_pass_keeps_its_points(self, refusing, forked):
        files = SAMPLES["failed_relu_absolute"].files(refusing)
        report = judge(Submission("", files), make_setting(refusing, forked), ["relu_backward"])
        question = report.question("relu_backward")
        assert question.points == question.max_points

    def test_what_builds_on_answers_of_the_judge_keeps_its_points(self, graded):
        question = graded(("TwoLayerNet",), stubs=("affine_forward", "affine_backward")).question("TwoLayerNet")
        assert question.points == question.max_points
        assert any(criterion.given for criterion in question.criteria)


class TestAMeasuredGradientIsRefused:
    @pytest.mark.parametrize("name", MEASURED)
    def test_with_a_message_said_once(self, name, examined, graded, impatient):
        question = examined(name, files=SAMPLES["passed_measures_own_slopes"].files)
        refused = [each for each in question.criteria if each.verdict == "timeout"]
        without_gradient = {each.name for each in question.criteria} - {each.name for each in refused}
        assert question.verdict == "timeout"
        assert without_gradient == ({"loss"} if name == "softmax_loss" else set())
        assert all(each.points == 0 and each.inputs == [] for each in refused)
        message = refused[0].message
        assert {each.message for each in refused} == {message}
        for part in (name, "no answer within 1 s", "The reference derives", "forward passes", "must be derived"):
            assert part in message
        whole = replace(graded(("relu_forward",)), questions=[question])
        assert render_student_page(whole, PACK.heat_map, to_student=True).count(message[:60]) == 1

    @pytest.mark.parametrize(
        "large, edge, verdict, says",
        [
            ("dx = np.zeros(x.shape)", "", "failed", "Right for small inputs, and not for a large one."),
            ("dx = np.zeros(x.shape)", "if len(x) == 1: return -dx", "failed", "and not for a large one."),
            ("raise MemoryError", "", "memory", "All 300,000 entries of the gradients must fit into that memory."),
            ("raise type('NotAnswered', (Exception,), {})", "", "error", "Right for small inputs. relu_backward"),
        ],
        ids=[
            "zeros",
            "zeros, and an edge case given up",
            "out of memory",
            "an exception named like one of the judge's",
        ],
    )
    def test_and_so_is_any_other_answer_to_a_large_input(self, examined, large, edge, verdict, says):
        question = examined("relu_backward", (RELU, _only_small(RELU, large, edge)))
        assert question.points == 0
        assert question.criteria[0].verdict == verdict and says in question.criteria[0].message

    def test_and_so_it_is_after_a_forward_pass_that_never_ends_in_an_edge_case(self, examined):
        cheat = (RELU, _only_small(RELU, "dx = np.zeros(x.shape)"))
        assert examined("relu_backward", cheat, relu_forward=("timeout", True)).verdict == "failed"
        assert examined("relu_backward", cheat, relu_forward=("timeout", False)).verdict == "passed"

    def test_and_one_gradient_given_up_does_not_save_the_others(self, examined):
        cheat = _only_small("    db = 2 * dout.sum(axis=0)", "dx = 0 * dx")
        assert examined("affine_backward", ("    db = dout.sum(axis=0)", cheat)).points == 0

    @pytest.mark.parametrize("times", [1, 2])
    def test_and_what_builds_on_it_pays_for_nothing_but_its_own(self, examined, times):
        """The judge answers for the layer, so that what the net itself does is seen."""
        old = '        dhidden, grads["W2"], grads["b2"] = affine_backward(dscores, scores_cache)'
        own = f"{old}\n        dhidden *= {times} if X.size > 999 else 1"
        large = (RELU, _only_small(RELU, "raise MemoryError"))
        net = examined("TwoLayerNet", large, (old, own, NETS), relu_backward=("memory", False))
        lost = [each.name for each in net.criteria if each.verdict == "failed"]
        assert lost == [each.name for each in net.criteria[4:] if times == 2]  # the first four take no gradient


def _only_small(right, large, edge=""):
    """Return the code of a right answer that does something else with a large x, and in an edge case."""
    return f"{right}\n    {edge}\n    if x.size > 3000:\n        {large}"


class Trialless:
    """The part of a Trial that draws the inputs of a LargeCall, before a worker starts."""

    def __init__(self, question, manifest):
        self.question, self.options = question, manifest.options

    def rng(self, *_):
        return np.random.default_rng(1)


class TestAboutTheRightGradient:
    right = np.arange(6.0).reshape(2, 3)

    @pytest.mark.parametrize("gradient", [right, right.astype(np.float32), right + 1e-3, right.reshape(1, 2, 3)])
    def test_rounding_and_an_axis_of_one_are_let_be(self, gradient):
        expect_nearly(gradient, self.right, "dx")

    @pytest.mark.parametrize("gradient", [None, 0.0, 0 * right, right * np.nan, right[:1], right + 1, 1.1 * right])
    def test_another_one_is_not(self, gradient):
        with pytest.raises(Wrong, match="dx is not the gradient"):
            expect_nearly(gradient, self.right, "dx")


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
