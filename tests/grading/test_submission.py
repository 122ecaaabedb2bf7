"""The judge scores each criterion; its own faults cost no points; equal submissions get equal reports."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment.manifest import Limits, Manifest, Question
from autograder.checking.criteria import Criterion, Outcome, Wrong
from autograder.checking.pack import Pack
from autograder.grading import judge, make_setting
from autograder.grading import points as points_of
from autograder.grading.setting import derive_seed
from autograder.intake.submission import Submission
from autograder.report.model import Diagnosis
from autograder.sandbox.isolation import PLAIN
from autograder.sandbox.worker_client import CallError
from tests.kit import PACK

LIMITS = Limits(60, 240, 1024)
REFERENCE = '''"""The package."""

def first(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


def second(x):
    ### BEGIN SOLUTION
    return first(x) + 1
    ### END SOLUTION
'''
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()\n"
RELEASED = f'"""The package."""\n\ndef first(x):\n{STUB}\n\ndef second(x):\n{STUB}'


def question(name, needs=()):
    return Question(name, name.title(), "One", 3, LIMITS, "pkg/a.py", needs=tuple(needs), hint="A hint.")


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "a.py").write_text(REFERENCE)
    questions = (question("first"), question("second", ["first"]))
    return Manifest(tmp_path, "homework", "pkg", ("pkg/a.py",), (), questions)


@pytest.fixture
def grade(manifest):
    """Judge with checks given as {question: [check or (check, weight, edge)]}; the checks decide, no code runs."""

    def run(first=(), second=(), code=REFERENCE, only=None, student="ada", **more):
        def criteria(given):
            entries = [(entry, 1, False) if callable(entry) else entry for entry in given or [passes]]
            return [
                Criterion(f"{i} {check.__name__}", w, check, "It holds.", e) for i, (check, w, e) in enumerate(entries)
            ]

        pack = Pack({"first": criteria(first), "second": criteria(second)}, **more)
        submission = Submission("hand-in", {"pkg/a.py": code.encode()}, [], student)
        return judge(submission, make_setting(manifest, PLAIN, pack=pack), only)

    return run


def passes(trial):
    return None


def fails(trial):
    raise Wrong(Outcome("out[0] is 1, expected 2", 0.5, 1e-6, (0,), diagnosis=[Diagnosis("kind", "name", "text")]))


def breaks(trial):
    return 1 / 0


def gives_up(verdict, file="pkg/a.py", function="first"):
    def check(trial):
        raise CallError(verdict, f"it was {verdict}", file, function)

    return check


def verdicts(report, name):
    return [criterion.verdict for criterion in report.question(name).criteria]


class TestShares:
    @given(st.floats(0.5, 100).map(lambda p: round(p, 2)), st.lists(st.floats(0.1, 9), min_size=1, max_size=12))
    def test_add_up_exactly_and_follow_the_weights(self, points, weights):
        shares = points_of.split_points(points, weights)
        assert round(math.fsum(shares), 2) == points
        for share, weight in zip(shares, weights):
            assert share >= 0 and share == round(share, 2)
            assert share == pytest.approx(points * weight / sum(weights), abs=0.011)

    def test_make_up_the_points_of_a_question(self, grade):
        found = grade(first=[passes, fails, (passes, 1, True)]).question("first")
        assert [criterion.max_points for criterion in found.criteria] == [1, 1, 1]
        assert (found.points, found.max_points, found.verdict) == (2, 3, "failed")


class TestAGraderFault:
    def test_is_named_and_costs_no_other_criterion_anything(self, grade):
        report = grade(first=[passes, breaks, passes])
        assert verdicts(report, "first") == ["passed", "grader_fault", "passed"]
        assert verdicts(report, "second") == ["passed"]
        fault = report.question("first").criteria[1]
        assert fault.message == "the grader itself failed here (ZeroDivisionError); a human will look"
        assert report.question("first").verdict == "grader_fault"

    def test_does_not_hide_that_something_else_is_wrong(self, grade):
        assert grade(first=[fails, breaks]).question("first").verdict == "failed"


class TestWhatACheckFound:
    def test_is_in_the_report(self, grade):
        found = grade(first=[fails, fails]).question("first")
        criterion = found.criteria[0]
        assert (criterion.message, criterion.max_rel_error, criterion.worst_index) == (
            "out[0] is 1, expected 2",
            0.5,
            [0],
        )
        assert found.diagnosis == [Diagnosis("kind", "name", "text")]
        assert (found.title, found.notebook, found.hint) == ("First", "One", "A hint.")

    @pytest.mark.parametrize(
        "error, bound, near",
        [
            (0.6, 1, True),
            (1.9, 1, True),
            (0.4, 1, False),
            (2.1, 1, False),
            (0, 1, False),
            (None, None, False),
            (1, None, False),
        ],
    )
    def test_is_near_within_a_factor_of_two_of_the_bound(self, grade, error, bound, near):
        def check(trial):
            return Outcome("", error, bound)

        assert grade(first=[check]).question("first").criteria[0].near is near

    @pytest.mark.parametrize("error", [math.inf, math.nan])
    def test_is_left_out_where_it_is_no_number(self, grade, error):
        def check(trial):
            raise Wrong(Outcome("", error, 1e-6))

        report = grade(first=[check])
        assert report.question("first").criteria[0].max_rel_error is None and report.to_json()

    def test_is_drawn(self, grade):
        def check(trial):
            x = np.arange(3.0)
            raise Wrong(Outcome("", 1.0, 1e-6, (1,), (x, -x, x != -x, (1,), "out", ("expected", "yours"))))

        picture = grade(first=[check], picture_of=PACK.picture_of).question("first").criteria[0].picture
        assert picture["ours"] == [[0, 1, 2]] and picture["labels"] == ["expected", "yours"]


class TestWhatAMachineLacks:
    def test_is_skipped_with_the_reason_and_nothing_is_run(self, manifest):
        asked = [replace(question, requires=("no_such_module",)) for question in manifest.questions]
        pack = Pack({q.id: [Criterion("it", 1, breaks, "It holds.")] for q in asked})
        report = judge(Submission("x", {}), make_setting(replace(manifest, questions=tuple(asked)), PLAIN, pack=pack))
        assert {question.verdict for question in report.questions} == {"skipped"} and report.score == 0
        assert "no_such_module is not installed" in report.questions[0].criteria[0].message
        assert report.kit["available"] == {"no_such_module": False}


class TestNeeds:
    @pytest.mark.parametrize("verdict", ["error", "timeout", "memory"])
    def test_a_failure_may_be_that_of_what_is_needed(self, grade, verdict):
        report = grade(first=[fails], second=[gives_up(verdict)])
        assert verdicts(report, "second") == ["blocked"]
        assert "it needs first, not right yet. it was" in report.question("second").criteria[0].message

    def test_a_wrong_answer_may_be_that_of_what_is_needed(self, grade):
        assert verdicts(grade(first=[fails], second=[fails, passes]), "second") == ["blocked", "passed"]

    @pytest.mark.parametrize("verdict", ["forbidden", "grader_fault"])
    def test_some_verdicts_are_never_anothers(self, grade, verdict):
        second = breaks if verdict == "grader_fault" else gives_up(verdict)
        assert verdicts(grade(first=[fails], second=[second]), "second") == [verdict]

    def test_a_need_that_fails_in_an_edge_case_only_excuses_nothing(self, grade):
        report = grade(first=[passes, (fails, 1, True)], second=[fails])
        assert verdicts(report, "second") == ["failed"]

    def test_a_question_whose_needs_are_right_answers_for_itself(self, grade):
        assert verdicts(grade(second=[gives_up("error")]), "second") == ["error"]

    def test_a_stub_in_the_questions_own_file_is_its_own(self, grade):
        assert verdicts(grade(first=[fails], second=[gives_up("missing")]), "second") == ["missing"]

    def test_a_stub_met_in_another_file_is_that_of_a_need(self, grade):
        report = grade(second=[gives_up("missing", "pkg/b.py", "helper")])
        assert verdicts(report, "second") == ["blocked"]
        assert "it needs helper, not right yet" in report.question("second").criteria[0].message

    def test_an_unchanged_stub_is_missing_for_all_needs(self, grade):
        report = grade(first=[fails], second=[fails], code=RELEASED)
        assert verdicts(report, "second") == ["missing"]
        assert report.question("second").criteria[0].message == "not done yet: the stub is still there"

    def test_are_graded_with_the_questions_that_were_chosen(self, grade):
        assert [found.id for found in grade(only=["second"]).questions] == ["first", "second"]
        assert [found.id for found in grade(only=["first"]).questions] == ["first"]


class TestTheSeed:
    def test_depends_on_the_assignment_and_not_on_the_student(self, grade, manifest):
        drawn = []

        def check(trial):
            drawn.append(trial.rng("x").random(3).tolist())

        for student, code in (("ada", REFERENCE), ("ben", RELEASED)):
            assert grade(first=[check], code=code, student=student).seed == derive_seed(manifest)
        assert drawn[0] == drawn[1]


def without_times(report):
    report.graded_at, report.seconds = "", 0
    for found in report.questions:
        found.seconds = 0
    return report


def test_the_same_submission_judged_twice_gives_the_same_report(grade, manifest):
    def calls(trial):
        assert trial.call("pkg.a:first", np.ones(2)).tolist() == [2, 2]

    one, other = (without_times(grade(first=[calls, fails], second=[gives_up("error")])) for _ in range(2))
    assert one == other and verdicts(one, "first") == ["passed", "failed"]
    assert one.question("first").code["text"] == "def first(x):\n    ### BEGIN SOLUTION\n    return 2 * x"


def test_after_the_time_is_used_up_nothing_more_is_tried(grade):
    def uses_it_up(trial):
        trial.worker._seconds_left = 0

    report = grade(first=[uses_it_up, passes])
    assert verdicts(report, "first") == ["passed", "timeout"]
    assert report.question("first").criteria[1].message == "not tried: the question's time was used up before"


def test_watch_is_called_with_every_question_in_order(manifest):
    pack = Pack({name: [Criterion("c", 1, passes, "")] for name in ("first", "second")})
    seen = []
    judge(Submission("ada", {}), make_setting(manifest, PLAIN, pack=pack), watch=seen.append)
    assert [judged.result.id for judged in seen] == ["first", "second"]
