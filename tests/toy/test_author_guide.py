"""Every command of the tutorial in docs/author.md works, and the page documents every field."""

import dataclasses
import re

import pytest

from autograder.assignment.manifest import Manifest, Question
from autograder.checking.pack import Pack
from tests.toy.guide import Step, find_files, find_steps

pytestmark = [pytest.mark.xdist_group("toy"), pytest.mark.uncounted]


def test_every_command_of_the_page_prints_what_the_page_says(followed):
    _, done = followed
    assert [
        (step.command, step.expected, result.stdout, result.stderr)
        for step, result in done
        if result.returncode or not step.matches(result.stdout)
    ] == []


def test_the_page_has_an_assignment_and_each_command_that_an_author_needs(page):
    assert set(find_files(page)) == {
        "nbgrader_config.py",
        "assignment1/questions.toml",
        "assignment1/diversity/__init__.py",
        "assignment1/diversity/measures.py",
        "source_notebooks/assignment1/Diversity.ipynb",
        "diversity_checks/__init__.py",
        "diversity_checks/misconceptions/row_shares.toml",
    }
    used = {" ".join(step.command.split()[:2]) for step in find_steps(page)}
    assert {f"autograder {name}" for name in ("release", "check", "measure", "collect", "grade")} <= used
    assert "nbgrader export" in used


def test_every_block_that_follows_a_path_is_found(page):
    """A block that find_files misses would not be tested."""
    tutorial = page.split("\n# Reference\n")[0]
    assert tutorial.count("\n```console\n") + len(find_files(page)) == len(re.findall(r"^```\w+$", tutorial, re.M))


def test_the_assignment_uses_no_name_of_assignment_2(page, manifest):
    own = "\n".join(find_files(page).values())
    real = {manifest.name, manifest.package, manifest.pack, *(question.id for question in manifest.questions)}
    assert [name for name in real if re.search(rf"\b{re.escape(name)}\b", own)] == []


@pytest.mark.parametrize("kind, heading", [(Manifest, "Manifest"), (Question, "Manifest"), (Pack, "Pack")])
def test_every_field_is_documented(page, kind, heading):
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"`\[?\[?(?:question\.)?(\w+)\]?\]?`", section))
    computed = {"root", "questions"}
    assert {field.name for field in dataclasses.fields(kind)} - computed - documented == set()


class TestAStep:
    @pytest.mark.parametrize(
        "expected, output, matches",
        [
            ("a\nb\n", "a  \nb\n", True),
            ("a\nb\n", "a\nc\n", False),
            ("a\n", "a\nb\n", False),
            ("a ... c\n", "a 0.5 c\n", True),
            ("a ... c\n", "a 0.5 d\n", False),
            ("a\n...\nb\n", "a\nb\n", True),
            ("a\n...\nb\n", "a\n1\n2\nb\n", True),
            ("a.b\n", "axb\n", False),
            ("", "", True),
            ("", "a\n", False),
        ],
    )
    def test_matches_an_output_with_these_lines(self, expected, output, matches):
        assert Step("x", expected).matches(output) == matches
