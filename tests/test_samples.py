"""The planted submissions: each gets the verdicts that its case expects, no more and no less."""

import pytest

from autograder.grading import judge, make_setting
from autograder.report.verdicts import find_worst_verdict
from autograder.samples.load import SUBMISSIONS, load_samples
from tests.forked_worker import FORKS_TENSORFLOW, SHARES_SLOPES
from tests.kit import ALL_CASES, MANIFEST, PACK
from tests.mutants.failing_criteria import load_entries
from tests.mutants.grading import questions_upon

pytestmark = pytest.mark.uncounted

SAMPLES = load_samples()
EVERY = 12  # one wrong submission in so many is judged; `make mutants` judges them all
REQUIRE_TENSORFLOW = {question.id for question in MANIFEST.questions if "tensorflow" in question.requires}
FORKED = ("passed_", "failed_", "missing_", "error_")
SANDBOXED = ("error_debugger_left",)  # in a fork the debugger of the tests would start
IN_GOLDEN = ("passed_reference", "missing_everything")  # tests/golden judges the reference and the release in full


def judged_here():
    """Return the names of the samples to judge: attacks, right ones, the class of the demo, and a part of the wrong."""
    wrong = [name for name, sample in SAMPLES.items() if name.startswith("failed_") and not sample.attack]
    wrong = [name for name in wrong if not SAMPLES[name].student]
    left_out = set() if ALL_CASES else {*IN_GOLDEN, *wrong} - set(wrong[::EVERY])
    return [_group(name) for name in SAMPLES if name not in left_out]


def _group(name):
    """Return the name, marked if its workers are forked."""
    if needs_a_sandbox(SAMPLES[name]):
        return name
    needs_tensorflow = not REQUIRE_TENSORFLOW.isdisjoint(SAMPLES[name].questions)
    return pytest.param(name, marks=FORKS_TENSORFLOW if needs_tensorflow else SHARES_SLOPES)


def needs_a_sandbox(sample):
    """Say whether the case is about what code does, and not only about what it answers or which error it raises."""
    return ALL_CASES or bool(sample.attack) or sample.name in SANDBOXED or not sample.name.startswith(FORKED)


def questions_of(sample, manifest):
    """Return the questions to judge; None is all.

    A student of the demo hands in everything. Here only what is changed is judged, with all that builds on it.
    """
    if sample.questions or sample.name in IN_GOLDEN:
        return sample.questions or None
    inside = {question.id for question in manifest.questions if question.source and not question.cells}
    return [question for question in questions_upon(sample.expect, manifest) if question in inside]


@pytest.mark.parametrize("name", judged_here())
def test_verdicts_are_the_expected_ones(name, manifest, isolation, forked, monkeypatch):
    monkeypatch.setattr("autograder.grading.retry.is_loaded", lambda: False)  # so a loop is not tried twice
    sample = SAMPLES[name]
    isolation = isolation if needs_a_sandbox(sample) else forked
    submission, manifest = sample.submission(manifest), sample.limited(manifest)
    report = judge(submission, make_setting(manifest, isolation), questions_of(sample, manifest))
    judged = [question.id for question in report.questions]
    assert set(sample.expect) <= set(judged), "the case expects a verdict of a question that it does not judge"

    verdicts = {question.id: question.verdict for question in report.questions}
    otherwise = "missing" if sample.base == "release" else "passed"
    assert verdicts == {identifier: sample.expect.get(identifier, otherwise) for identifier in judged}
    assert name.partition("_")[0] == find_worst_verdict(verdicts.values()), "the name begins with the worst verdict"

    for question in report.questions:
        assert 0 <= question.points <= question.max_points
        assert question.points == pytest.approx(sum(criterion.points for criterion in question.criteria))
        assert question.max_points == pytest.approx(sum(criterion.max_points for criterion in question.criteria))
        assert (question.points == question.max_points) == (question.verdict == "passed")
        for criterion in question.criteria:
            assert criterion.verdict != "grader_fault", criterion.message
            assert criterion.verdict == "passed" or criterion.message, f"{question.id}, {criterion.name} says nothing"
    assert report.score == pytest.approx(sum(question.points for question in report.questions))

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
    failed |= {entry.question for entry in load_entries() if entry.verdict == "failed"}
    assert failed == {question.id for question in manifest.questions} == set(PACK.criteria)


def test_cases_name_questions_and_criteria_that_exist():
    criteria = {question: {criterion.name for criterion in found} for question, found in PACK.criteria.items()}
    unknown = {}
    for name, sample in SAMPLES.items():
        questions = {*sample.questions, *sample.stubs, *sample.expect, *sample.says, *sample.costs}
        found = questions - criteria.keys()
        found |= {c for question, costs in sample.costs.items() for c in set(costs) - criteria.get(question, set())}
        if found:
            unknown[name] = found
    assert unknown == {}


def test_only_the_class_of_the_demo_judges_more_than_it_names():
    assert all(sample.student for sample in SAMPLES.values() if not sample.questions)


def test_cases_are_in_the_folder_of_their_verdict_or_attack():
    for verdict in ("passed", "failed"):
        assert [name for name in load_samples(SUBMISSIONS / verdict) if not name.startswith(f"{verdict}_")] == []
    attacks = {
        name: kind for kind in ("forgery", "theft", "harm") for name in load_samples(SUBMISSIONS / "attacks" / kind)
    }
    assert attacks == {name: sample.attack for name, sample in SAMPLES.items() if sample.attack}
