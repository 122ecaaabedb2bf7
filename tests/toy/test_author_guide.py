"""The tutorial of docs/author.md works as it stands, and the page documents every field."""

import dataclasses
import re

import pytest

from autograder.assignment.manifest import Manifest, Question
from autograder.checking.pack import Pack
from tests.toy.guide import Step, files, steps

pytestmark = [pytest.mark.xdist_group("toy"), pytest.mark.no_cover]


def test_every_command_of_the_page_prints_what_the_page_says(followed):
    _, done = followed
    assert [
        (step.command, step.expected, came.stdout, came.stderr)
        for step, came in done
        if came.returncode or not step.fits(came.stdout)
    ] == []


def test_the_page_has_an_assignment_and_each_command_that_an_author_needs(page):
    assert set(files(page)) == {
        "nbgrader_config.py",
        "assignment1/questions.toml",
        "assignment1/diversity/__init__.py",
        "assignment1/diversity/measures.py",
        "source_notebooks/assignment1/Diversity.ipynb",
        "diversity_checks/__init__.py",
        "diversity_checks/misconceptions/row_shares.toml",
    }
    used = {" ".join(step.command.split()[:2]) for step in steps(page)}
    assert {f"autograder {name}" for name in ("release", "check", "measure", "collect", "grade")} <= used
    assert "nbgrader export" in used


def test_every_block_that_follows_a_path_is_found(page):
    """A block that the search misses would not be tested."""
    tutorial = page.split("\n# Reference\n")[0]
    assert tutorial.count("\n```console\n") + len(files(page)) == len(re.findall(r"^```\w+$", tutorial, re.M))


def test_the_assignment_is_called_like_nothing_of_the_real_one(page, manifest):
    own = "\n".join(files(page).values())
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
        "expected, printed, fits",
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
    def test_fits_what_is_printed(self, expected, printed, fits):
        assert Step("x", expected).fits(printed) == fits
