"""A report survives being written and read, its verdicts have an order, and every field is documented."""

import dataclasses
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.report import model as report
from autograder.report.model import CriterionResult, Diagnosis, QuestionResult, Report, parse_report
from autograder.report.verdicts import VERDICTS, find_worst_verdict

DOCUMENT = (Path(__file__).parents[2] / "docs" / "report_format.md").read_text(encoding="utf-8")
# Lone surrogates included: a file name or an exception of a student's may hold them.
TEXT = st.text(st.characters(), max_size=6) | st.just("\ud800")
POINTS = st.floats(0, 100).map(lambda points: round(points, 2))
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
CRITERIA = st.builds(
    CriterionResult,
    name=TEXT,
    text=TEXT,
    verdict=st.sampled_from(VERDICTS),
    points=POINTS,
    max_points=POINTS,
    message=TEXT,
    max_rel_error=NUMBERS,
    worst_index=st.none() | st.lists(st.integers(0, 9), max_size=3),
    near=st.booleans(),
    picture=st.none() | st.dictionaries(TEXT, st.lists(NUMBERS, max_size=2), max_size=2),
)
QUESTIONS = st.builds(
    QuestionResult,
    id=TEXT,
    title=TEXT,
    notebook=TEXT,
    points=POINTS,
    max_points=POINTS,
    verdict=st.sampled_from(VERDICTS),
    criteria=st.lists(CRITERIA, max_size=2),
    diagnosis=st.lists(st.builds(Diagnosis, TEXT, TEXT, TEXT), max_size=2),
    seconds=st.floats(0, 10),
    needs=st.lists(TEXT, max_size=2),
    hint=TEXT,
    code=st.none() | st.fixed_dictionaries({"file": TEXT, "line": st.integers(1, 9), "text": TEXT}),
    output=TEXT,
)
REPORTS = st.builds(
    Report,
    assignment=TEXT,
    submission=st.dictionaries(TEXT, TEXT, max_size=2),
    isolation=st.just({"name": "plain"}),
    seed=st.integers(0, 2**32),
    kit=st.just({"version": "0"}),
    questions=st.lists(QUESTIONS, max_size=2),
    graded_at=TEXT,
    seconds=st.floats(0, 10),
    format_version=st.just(report.FORMAT_VERSION),
)


def example(**fields):
    return Report("homework", {}, {}, 0, {}, **fields)


class TestWritingAndReading:
    @given(REPORTS)
    def test_through_a_file_changes_nothing(self, tmp_path_factory, made):
        path = tmp_path_factory.getbasetemp() / "report.json"
        made.save(path)
        assert report.load_report(path) == made

    def test_gives_valid_utf_8_for_any_text(self, tmp_path):
        example(graded_at="\ud800 é").save(tmp_path / "report.json")
        assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["graded_at"] == "\ud800 é"

    def test_is_atomic(self, tmp_path, monkeypatch):
        path = tmp_path / "report.json"
        example().save(path)
        before = path.read_bytes()
        monkeypatch.setattr(os, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            example(graded_at="later").save(path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["report.json"]

    def test_of_a_number_that_json_has_not_is_refused(self):
        with pytest.raises(ValueError, match="not JSON compliant"):
            example(seconds=float("nan")).to_json()

    @pytest.mark.parametrize(
        "edit", [('"seed": 0', '"seed": 1'), ('"sha256": "', '"sha256": "0'), ("{", '{"more": 1, ')]
    )
    def test_of_one_that_was_edited_is_refused(self, edit):
        text = example().to_json()
        assert parse_report(text) == example() and text.count(edit[0]) >= 1
        with pytest.raises(ValueError, match="the digest does not fit"):
            parse_report(text.replace(*edit, 1))

    @pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"format_version": 99}'])
    def test_of_something_else_is_refused(self, text):
        with pytest.raises(ValueError):
            parse_report(text)


class TestScores:
    def test_are_sums_over_the_questions_without_rounding_noise(self):
        questions = [QuestionResult(str(i), "", "", 0.1, 0.7, "passed") for i in range(3)]
        made = example(questions=questions)
        assert (made.score, made.max_score) == (0.3, 2.1)
        written = json.loads(made.to_json())
        assert (written["score"], written["max_score"]) == (0.3, 2.1)

    def test_are_looked_up_by_question(self):
        made = example(questions=[QuestionResult("one", "", "", 1, 1, "passed")])
        assert made.question("one") is made.questions[0]
        with pytest.raises(KeyError):
            made.question("two")


class TestTheWorstVerdict:
    @given(st.lists(st.sampled_from(VERDICTS), min_size=1))
    def test_is_one_of_them_and_none_is_worse(self, verdicts):
        assert find_worst_verdict(verdicts) in verdicts
        assert all(VERDICTS.index(find_worst_verdict(verdicts)) <= VERDICTS.index(verdict) for verdict in verdicts)

    def test_of_none_is_passed(self):
        assert find_worst_verdict([]) == "passed"

    @pytest.mark.parametrize(
        "better, worse",
        [
            ("passed", "skipped"),
            ("grader_fault", "blocked"),
            ("blocked", "failed"),
            ("failed", "error"),
            ("error", "missing"),
        ],
    )
    def test_prefers_the_verdict_that_the_student_must_correct_first(self, better, worse):
        assert find_worst_verdict([better, worse, better]) == worse


class TestTheDocument:
    def documented(self, heading):
        section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
        cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]

    def test_names_every_field_of_a_report_in_order(self):
        assert self.documented("Top") == list(json.loads(example().to_json()))

    @pytest.mark.parametrize("heading, kind", [("A question", QuestionResult), ("A criterion", CriterionResult)])
    def test_names_every_field_of_its_parts(self, heading, kind):
        assert sorted(self.documented(heading)) == sorted(field.name for field in dataclasses.fields(kind))

    def test_names_every_verdict(self):
        assert sorted(self.documented("Verdicts")) == sorted(VERDICTS)

    def test_states_the_format_version(self):
        assert f"| `format_version` | integer | {report.FORMAT_VERSION} |" in DOCUMENT
