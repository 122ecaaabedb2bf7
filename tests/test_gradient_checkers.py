"""The comparison of gradient checkers: this kit catches every planted bug and never cries wolf."""

import pytest

from benchmarks.gradient_checkers import ours
from benchmarks.gradient_checkers.__main__ import ABSENT, compare, markdown, rows
from benchmarks.gradient_checkers.cases import BUGS, RIGHT
from benchmarks.gradient_checkers.rules import RULES

pytestmark = pytest.mark.uncounted


def test_there_are_eighteen_bugs():
    assert len({case.name for case in BUGS}) == 18


@pytest.mark.parametrize("case", BUGS, ids=lambda case: case.name)
def test_this_kit_catches(case):
    assert not ours.accepts(case)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_this_kit_accepts(case):
    assert ours.accepts(case)


def test_the_table_says_what_is_missed_and_what_is_not_installed():
    found = {"minitorch's rule": RULES["minitorch's rule"], "absent": None}
    head, lines = rows(found, compare({title: check for title, check in found.items() if check}))
    (_, caught, alarms, missed, at, _), absent = lines
    assert 0 < int(caught) < 18 and int(alarms) > 0
    assert "dout overwritten in place" in missed and "computed in float32" in at
    assert absent[:2] == ["absent", ABSENT]
    page = markdown(head, lines)
    assert "| absent | not installed |" in page and "- minitorch's rule: " in page
