"""The judge finds no mistake in the right versions of tests/right/."""

import os

import pytest

from tests.forked_worker import SHARES_SLOPES
from tests.mutants.rights import false_alarms, load_rights, replaced

pytestmark = pytest.mark.uncounted

# All that builds on them too: ALL_RIGHT_VERSIONS=1, in a sandbox, or python -m tests.mutants --right.
ALL = bool(os.environ.get("ALL_RIGHT_VERSIONS"))
RIGHTS = {right.name: right for right in load_rights()}


@SHARES_SLOPES
@pytest.mark.parametrize("name", RIGHTS)
def test_a_right_version_has_every_point_and_no_diagnosis(name, manifest, isolation, forked):
    right = RIGHTS[name]
    assert false_alarms(right, manifest, isolation if ALL else forked, only_own=not ALL) == {}, right.title


def test_there_are_enough_of_every_function(manifest):
    assert len(RIGHTS) >= 60
    graded = {question.id for question in manifest.questions if question.source and not question.cells}
    written = [name for right in RIGHTS.values() for name in right.defines if name in graded]
    assert {name for name in graded if written.count(name) < 3} == set()


def test_each_version_has_a_title_of_its_own():
    titles = [right.title for right in RIGHTS.values()]
    assert all(titles) and len(set(titles)) == len(titles)


def test_a_version_replaces_the_function_of_the_reference():
    text = "def relu_forward(x):\n    return 1\n\n\ndef other(x):\n    return 2\n"
    version = replaced(RIGHTS["relu_mask"], text)
    assert "return 1" not in version and "return 2" in version
    assert version.count("def relu_forward") == 1
