"""Wrong versions of the catalogue: each fails the criteria that its table lists, and no others.

`python -m tests.mutants --catalogue` grades all versions, but compares verdicts and names only.
"""

import pytest

from tests.forked_worker import FORKS_TENSORFLOW, SHARES_SLOPES
from tests.kit import ALL_CASES, PACK
from tests.mutants import catalogue
from tests.mutants.failing_criteria import load_entries
from tests.mutants.grading import judge_questions

pytestmark = pytest.mark.uncounted

ENTRIES = load_entries()
EVERY = 12  # one entry in so many is graded; `make mutants` grades them all


def graded_here():
    """Return the entries that are graded: of each question with TensorFlow the first, since they take seconds."""
    functions = [entry for entry in ENTRIES if not entry.version.cell]
    cells = [entry for entry in ENTRIES if entry.version.cell]
    if not ALL_CASES:
        functions = functions[::EVERY]
        cells = list({entry.question: entry for entry in reversed(cells)}.values())
    shared = [pytest.param(entry, marks=SHARES_SLOPES) for entry in functions]
    return shared + [pytest.param(entry, marks=FORKS_TENSORFLOW) for entry in cells]


@pytest.mark.parametrize("entry", graded_here(), ids=str)
def test_a_wrong_version_fails_these_criteria_and_no_others(entry, manifest, forked):
    submission = catalogue.submission_of(entry.version, manifest)
    judged = judge_questions(submission, manifest, forked, [entry.question, *entry.passes], only_these=True)
    results = {question.id: question for question in judged}
    own = results[entry.question]
    said = [criterion.message for criterion in own.criteria] + [diagnosis.text for diagnosis in own.diagnosis]

    assert own.verdict == entry.verdict
    assert sorted(c.name for c in own.criteria if c.verdict != "passed") == sorted(entry.fails)
    assert [diagnosis.name for diagnosis in own.diagnosis][:1] == [entry.version.misconception.title]
    assert any(entry.says in text for text in said), "\n".join(said)
    assert {name: results[name].verdict for name in entry.passes} == dict.fromkeys(entry.passes, "passed")


def test_entries_name_criteria_of_their_questions_and_differ():
    known = {question: {criterion.name for criterion in criteria} for question, criteria in PACK.criteria.items()}
    unknown = {str(entry): sorted(set(entry.fails) - known[entry.question]) for entry in ENTRIES}
    assert {name: criteria for name, criteria in unknown.items() if criteria} == {}
    assert len({str(entry) for entry in ENTRIES}) == len(ENTRIES)
