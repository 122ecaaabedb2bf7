"""The manifest: a mistake in it is named with its entry, and the real one fits the reference and the checks."""

import pytest

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.errors import INPUT, KitError
from autograder.intake.submission import Submission
from tests.kit import PACK

ASSIGNMENT = """
[assignment]
name = "homework"
package = "pkg"
editable = ["pkg/a.py", "pkg/more/*.py"]
handout = []

[limits]
cpu_seconds = 1
wall_seconds = 2
memory_mb = 512
"""
FIRST = """
[[question]]
id = "first"
title = "First"
notebook = "One"
file = "pkg/a.py"
points = 3
"""
SECOND = """
[[question]]
id = "second"
title = "Second"
notebook = "Two"
file = "pkg/more/b.py"
points = 0.5
needs = ["first"]
"""


@pytest.fixture
def read(tmp_path):
    """Write a manifest and read it."""

    def write_and_read(*parts):
        (tmp_path / "questions.toml").write_text("".join(parts))
        return read_manifest(tmp_path)

    return write_and_read


class TestAManifest:
    def test_is_read_in_order(self, read):
        manifest = read(ASSIGNMENT, FIRST, SECOND)
        assert [question.id for question in manifest.questions] == ["first", "second"]
        assert manifest.questions[1].needs == ("first",)
        assert manifest.questions[1].module == "pkg.more.b"
        assert [question.id for question in manifest.find_questions("One")] == ["first"]
        assert manifest.aliases == {}

    def test_gives_a_question_the_common_limits_except_for_its_own(self, read):
        first, second = read(ASSIGNMENT, FIRST, SECOND, "[question.limits]\nmemory_mb = 9\n").questions
        assert (first.limits.cpu_seconds, first.limits.wall_seconds, first.limits.memory_mb) == (1, 2, 512)
        assert (second.limits.cpu_seconds, second.limits.wall_seconds, second.limits.memory_mb) == (1, 2, 9)

    def test_gives_a_question_the_common_follow_through_except_for_its_own(self, read):
        common = ASSIGNMENT.replace("handout = []", "handout = []\nfollow_through = 0.5")
        first, second = read(common, FIRST, SECOND + "follow_through = 0\n").questions
        assert (first.follow_through, second.follow_through) == (0.5, 0)
        assert read(ASSIGNMENT, FIRST).questions[0].follow_through == 1

    @pytest.mark.parametrize("path, editable", [("pkg/a.py", 1), ("pkg/more/b.py", 1), ("pkg/b.py", 0), ("a.py", 0)])
    def test_says_which_files_are_the_students(self, read, path, editable):
        assert read(ASSIGNMENT, FIRST).is_editable(path) == bool(editable)


class TestAMistakeIsNamed:
    @pytest.mark.parametrize(
        "mistaken, says",
        [
            ((ASSIGNMENT, FIRST, FIRST), "duplicate question id 'first'; ids must be unique"),
            ((ASSIGNMENT, SECOND), "'second' needs 'first'; expected the id of an earlier question"),
            ((ASSIGNMENT, SECOND, FIRST), "'second' needs 'first'; expected the id of an earlier question"),
            (
                (ASSIGNMENT, FIRST + 'may_use = ["other"]\n'),
                "'first' needs 'other'; expected the id of an earlier question",
            ),
            ((ASSIGNMENT, FIRST + "follow_through = 1.5\n"), "'first' has follow_through = 1.5; expected a share"),
            ((ASSIGNMENT, FIRST + 'follow_through = "all"\n'), "'first' has follow_through = 'all'; expected a share"),
            ((ASSIGNMENT, FIRST.replace("3", "0")), "'first' has points = 0;"),
            ((ASSIGNMENT, FIRST.replace("3", "-2")), "'first' has points = -2;"),
            ((ASSIGNMENT, FIRST.replace("3", "nan")), "'first' has points = nan;"),
            ((ASSIGNMENT, FIRST.replace("3", "'three'")), "'first' has points = 'three';"),
            ((ASSIGNMENT, FIRST.replace("title", "titel")), "question 'first': .*titel"),
            ((ASSIGNMENT, FIRST.replace('title = "First"', "")), "question 'first': .*title"),
            ((ASSIGNMENT, FIRST.replace("points = 3", "")), "question 'first': .*points"),
            ((ASSIGNMENT, FIRST.replace('id = "first"', "")), "question {'title': 'First', .*id"),
            ((ASSIGNMENT, FIRST, "needs = 3\n"), "question 'first': .*int"),
            ((ASSIGNMENT, FIRST, "limits = {hours = 1}\n"), "question 'first': .*hours"),
            ((ASSIGNMENT.replace("memory_mb = 512", ""), FIRST), "question 'first': .*memory_mb"),
            ((ASSIGNMENT.replace("name", "nom"), FIRST), "'name' is missing or misspelt"),
            ((ASSIGNMENT,), "'question' is missing or misspelt"),
            ((FIRST,), "'assignment' is missing or misspelt"),
            ((ASSIGNMENT, "[[question"), "not valid TOML"),
        ],
    )
    def test_with_file_and_entry(self, read, mistaken, says):
        with pytest.raises(KitError, match=f"questions.toml: .*{says}") as error:
            read(*mistaken)
        assert error.value.exit_code == INPUT

    def test_when_the_file_is_no_text(self, tmp_path):
        (tmp_path / "questions.toml").write_bytes(b'id = "\xff"')
        with pytest.raises(KitError, match="not valid TOML"):
            read_manifest(tmp_path)

    def test_when_there_is_no_file(self, tmp_path):
        with pytest.raises(KitError, match="questions.toml: there is no manifest here"):
            read_manifest(tmp_path)


class TestTheRealManifest:
    def test_has_criteria_for_every_question_and_for_nothing_else(self, manifest):
        assert set(PACK.criteria) == {question.id for question in manifest.questions}

    def test_names_functions_that_the_reference_has_in_files_that_students_write(self, manifest):
        files = {path: text.encode() for path, text in read_reference_texts(manifest).items()}
        for question in manifest.questions:
            if question.source and not question.cells:
                assert Submission("reference", files).find_code(question.file, question.id), question.id
                assert manifest.is_editable(question.file), question.file

    def test_every_file_of_the_package_is_the_students_or_provided(self, manifest):
        editable = {path for path in read_reference_texts(manifest) if manifest.is_editable(path)}
        assert set(read_reference_texts(manifest)) - editable == set(manifest.provided)

    def test_gives_every_question_a_hint_and_a_title_of_its_own(self, manifest):
        assert all(question.hint for question in manifest.questions)
        assert len({question.title for question in manifest.questions}) == len(manifest.questions)

    def test_criteria_have_positive_weights_names_of_their_own_and_a_sentence(self, manifest):
        for question in manifest.questions:
            criteria = PACK.criteria[question.id]
            assert all(criterion.weight > 0 and criterion.text.endswith(".") for criterion in criteria), question.id
            assert len({criterion.name for criterion in criteria}) == len(criteria), question.id

    def test_edge_cases_are_worth_less_than_half_of_a_question(self, manifest):
        for question in manifest.questions:
            weights = [(criterion.weight, criterion.edge) for criterion in PACK.criteria[question.id]]
            edges = sum(weight for weight, edge in weights if edge)
            assert edges < sum(weight for weight, _ in weights) / 2, question.id
