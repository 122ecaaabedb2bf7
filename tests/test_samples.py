"""The planted submissions: each gets the verdicts that its case expects, no more and no less."""


import pytest

from autograder import checks
from autograder.judge import judge
from autograder.report import worst
from autograder.samples.load import load_samples

SAMPLES = load_samples()
# The reference has every point of every question, the release not one.
SHARES = {"passed_reference": 1, "missing_everything": 0}


@pytest.mark.parametrize("name", SAMPLES)
def test_verdicts_are_the_expected_ones(name, manifest, isolation):
    sample = SAMPLES[name]
    submission, manifest = sample.submission(manifest), sample.limited(manifest)
    in_the_package = [question.id for question in manifest.questions if question.source and not question.cells]
    report = judge(submission, manifest, isolation, sample.questions or (None if name in SHARES else in_the_package))
    judged = [question.id for question in report.questions]
    assert set(sample.expect) <= set(judged), "the case expects a verdict of a question that it does not judge"

    verdicts = {question.id: question.verdict for question in report.questions}
    otherwise = "missing" if sample.base == "release" else "passed"
    assert verdicts == {identifier: sample.expect.get(identifier, otherwise) for identifier in judged}
    assert name.partition("_")[0] == worst(verdicts.values()), "the name begins with the worst verdict"

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

    for identifier, words in sample.says.items():
        question = report.question(identifier)
        said = [criterion.message for criterion in question.criteria] + [found.text for found in question.diagnosis]
        assert any(words in text for text in said), "\n".join(said)
    for identifier, criteria in sample.costs.items():
        lost = {criterion.name for criterion in report.question(identifier).criteria if criterion.verdict != "passed"}
        assert lost == set(criteria), identifier


def test_every_question_is_failed_by_some_case(manifest):
    """A check that no planted mistake fails is unproved."""
    failed = {name for sample in SAMPLES.values() for name, verdict in sample.expect.items() if verdict == "failed"}
    assert failed == {question.id for question in manifest.questions} == set(checks.CRITERIA)
