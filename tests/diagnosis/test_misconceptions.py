"""The catalogue: every wrong version in it is caught, called by its name, and costs its own question only."""

import zlib

import pytest

from tests.mutants import catalogue

# Grading them all takes most of an hour: python -m tests.mutants --catalogue does. Here a part, the same in every run.
SHARE, DEPENDENTS = 20, 200  # one version in so many is graded, and one in so many with all that builds on it
VERSIONS = catalogue.versions()
MISCONCEPTIONS = {version.misconception.name: version.misconception for version in VERSIONS}


def _label(version):
    same = [other for other in VERSIONS if other.misconception == version.misconception]
    return f"{version.misconception.name}-{same.index(version)}"


def test_there_are_at_least_sixty_from_all_five_notebooks(manifest):
    assert len(MISCONCEPTIONS) >= 60
    assert {found.notebook for found in MISCONCEPTIONS.values()} == {q.notebook for q in manifest.questions}


@pytest.mark.parametrize("name", MISCONCEPTIONS)
def test_an_entry_says_what_was_thought_and_gives_a_hint(name):
    entry = MISCONCEPTIONS[name]
    for text in (entry.thought, entry.hint):
        assert 20 < len(text) < 400 and text[-1] in ".?!", text
    titles = [other for other in MISCONCEPTIONS.values() if other.title == entry.title]
    questions = [{v.question for v in VERSIONS if v.misconception == other} for other in titles]
    assert sum(map(len, questions)) == len(set().union(*questions)), "one title, one question, two entries"


def _sampled(share):
    chosen = [version for version in VERSIONS if zlib.crc32(_label(version).encode()) % share == 0]
    return [version for version in chosen if not version.cell] + [version for version in chosen if version.cell][:2]


def _expect_named(found):
    assert found.caught, found
    assert found.named, found


@pytest.mark.parametrize("version", _sampled(SHARE), ids=_label)
def test_a_wrong_version_is_caught_and_called_by_its_name(version, manifest, isolation):
    _expect_named(catalogue.grade(version, manifest, isolation, only_own=True))


@pytest.mark.parametrize("version", _sampled(DEPENDENTS), ids=_label)
def test_a_wrong_version_costs_its_own_question_only(version, manifest, isolation):
    found = catalogue.grade(version, manifest, isolation)
    _expect_named(found)
    assert not found.strays
