"""The planted submissions: each gets the verdicts that its case.toml expects, no more and no less."""

from pathlib import Path

import pytest

from autograder import checks
from autograder.judge import judge
from autograder.report import worst
from autograder.samples import load_samples
from autograder.submission import Submission

SAMPLES = {sample.name: sample for sample in load_samples(Path(__file__).parent / "submissions")}
# The reference has every point of every question, the release not one.
SHARES = {"passed_reference": 1, "missing_everything": 0}
# What a report must say somewhere, for a mistake that has a name: folder -> {question: words}.
SAID = {
    "error_backward_order": {"FullyConnectedNet": "operands could not be broadcast"},
    "error_debugger_left": {"rmsprop": "take out pdb.set_trace()", "sgd_momentum": "take out pdb.set_trace()"},
    "error_python_2": {
        "svm_loss": "xrange is Python 2; write range",
        "rmsprop": "In Python 3 `/` gives a float; use //",
        "TwoLayerNet": "(fc_net.py, line ",
        "FullyConnectedNet": "This is Python 2 code; this course runs Python 3",
    },
    "error_python_2_imports": {"adam": "This import is for code that runs on Python 2 too; take it out"},
    "error_removed_from_numpy": {
        "svm_loss": "np.float was removed from NumPy; write plain float",
        "softmax_loss": "np.int was removed from NumPy; write plain int",
        "relu_backward": "np.product was removed from NumPy",
    },
    "error_syntax": {"adam": "'(' was never closed (optimizers.py, line "},
    "failed_adam_no_bias_correction": {"adam": "bias correction is missing"},
    "failed_adam_t_never_incremented": {"adam": "t is still 0 when it is used"},
    "failed_adam_t_not_stored": {"adam": "t is 1 at every step: store it in config"},
    "failed_adam_t_too_early": {"adam": "t is still 0 when it is used"},
    "failed_affine_squeeze": {"affine_forward": "has shape (4,); expected (1, 4)"},
    "failed_db_row": {"affine_backward": "db has shape (1, 7); expected (7,)"},
    "failed_dw_transposed": {"affine_backward": "dw has shape (7, 15); expected (15, 7)"},
    "failed_init_scale": {
        "TwoLayerNet": "expected about 0 and weight_scale, 0.3",
        "FullyConnectedNet": "standard deviation",
    },
    "failed_losses": {"svm_loss": "sum over the examples where the average", "softmax_loss": "loss is inf, expected"},
    "failed_memory_not_stored": {"sgd_momentum": "store in config", "rmsprop": "store in config"},
    "failed_no_regularization_gradient": {"TwoLayerNet": "missing from the gradient: add reg · W"},
    "failed_one_value_returned": {
        "affine_forward": "returned one ndarray, where 2 were expected",
        "relu_backward": "dx is None",
    },
    "failed_parameter_shape": {
        "TwoLayerNet": "params['b1'] has shape (1, 50); expected (50,)",
        "FullyConnectedNet": "it is transposed",
    },
    "failed_reg_biases": {
        "TwoLayerNet": "only the weights should be",
        "FullyConnectedNet": "only the weights should be",
    },
    "failed_reg_gradient": {
        "TwoLayerNet": "no sum is left in it",
        "FullyConnectedNet": "the ½ and the 2 of the square",
    },
    "failed_reg_lost": {
        "TwoLayerNet": "The loss does not change with reg",
        "FullyConnectedNet": "missing from the gradient",
    },
    "failed_reg_no_half": {"TwoLayerNet": "the factor ½ is missing", "FullyConnectedNet": "the factor ½ is missing"},
    "failed_relu_absolute": {"relu_forward": "that is |x|, not max(0, x)"},
    "failed_relu_ignores_dout": {"relu_backward": "your gradient says 1"},
    "failed_relu_on_scores": {"TwoLayerNet": "went through a ReLU", "FullyConnectedNet": "went through a ReLU"},
    "failed_relu_overwrites_dout": {"relu_backward": "changed its argument dout in place"},
    "failed_second_call": {"TwoLayerNet": "called a second time", "FullyConnectedNet": "called a second time"},
    "failed_svm_right_class": {"svm_loss": "too large by exactly 1"},
}
# The criteria that fail, where a mistake must not cost more than these: folder -> {question: criteria}.
COSTS = {
    "failed_affine_squeeze": {"affine_forward": {"one example"}},
    "failed_db_row": {"affine_backward": {"db", "one example"}},
    "failed_dw_averaged": {"affine_backward": {"dw"}},
    "failed_losses": {"svm_loss": {"loss"}, "softmax_loss": {"large scores"}},
    "failed_reg_no_half": {
        "TwoLayerNet": {"regularized loss", "one example"},
        "FullyConnectedNet": {"regularized loss"},
    },
    "failed_relu_on_scores": {
        "TwoLayerNet": {"scores", "loss", "regularized loss", "one example"},
        "FullyConnectedNet": {"scores", "loss", "regularized loss"},
    },
    "failed_second_call": {"TwoLayerNet": {"one example", "called again"}, "FullyConnectedNet": {"called again"}},
    "failed_relu_overwrites_dout": {"relu_backward": {"dout unchanged"}},
    "failed_parameter_shape": {"TwoLayerNet": {"parameters"}},
    "failed_init_scale": {"TwoLayerNet": {"parameters"}, "FullyConnectedNet": {"parameters"}},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_verdicts_are_the_expected_ones(name, manifest, isolation):
    sample = SAMPLES[name]
    submission = Submission(name, sample.files(manifest))
    report = judge(submission, manifest, isolation, sample.questions or None)
    judged = [question.id for question in report.questions]
    assert set(sample.expect) <= set(judged), "the case expects a verdict of a question that it does not judge"

    verdicts = {question.id: question.verdict for question in report.questions}
    assert verdicts == {identifier: sample.expect.get(identifier, "passed") for identifier in judged}
    assert name.partition("_")[0] == worst(verdicts.values()), "the folder's name begins with its worst verdict"

    for question in report.questions:
        assert 0 <= question.points <= question.max_points
        assert question.points == pytest.approx(sum(criterion.points for criterion in question.criteria))
        assert question.max_points == pytest.approx(sum(criterion.max_points for criterion in question.criteria))
        assert (question.points == question.max_points) == (question.verdict == "passed")
        for criterion in question.criteria:
            assert criterion.verdict != "grader_fault", criterion.message
            assert criterion.verdict == "passed" or criterion.message, f"{question.id}, {criterion.name} says nothing"
    assert report.score == pytest.approx(sum(question.points for question in report.questions))
    if name in SHARES:
        assert [question.points for question in report.questions] == [
            SHARES[name] * q.points for q in manifest.questions
        ]

    for identifier, words in SAID.get(name, {}).items():
        question = report.question(identifier)
        said = [criterion.message for criterion in question.criteria] + [found.text for found in question.diagnosis]
        assert any(words in text for text in said), "\n".join(said)
    for identifier, criteria in COSTS.get(name, {}).items():
        lost = {criterion.name for criterion in report.question(identifier).criteria if criterion.verdict != "passed"}
        assert lost == criteria, identifier


def test_every_question_is_failed_by_some_case(manifest):
    """A check that no planted mistake fails is unproved."""
    failed = {name for sample in SAMPLES.values() for name, verdict in sample.expect.items() if verdict == "failed"}
    assert failed == {question.id for question in manifest.questions} == set(checks.CRITERIA)


def test_named_messages_belong_to_cases():
    assert set(SAID) | set(COSTS) <= set(SAMPLES)
