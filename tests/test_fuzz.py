"""Broken hand-ins, a share of what `python -m tests.fuzz` hands in: each is refused or graded with a reason."""

import pytest

from tests.fuzz import course
from tests.fuzz.breakages import ALL
from tests.fuzz.cases import bases, make_case
from tests.fuzz.depths import try_case
from tests.fuzz.packings import PACKINGS

pytestmark = pytest.mark.uncounted

SEED = 1
READ, JUDGED = 10, 5  # of the thousand that the command hands in
CLASS = 2


def test_a_seed_gives_the_same_cases_and_the_same_bytes():
    for number in range(0, 300, 37):
        case, again = make_case(SEED, number), make_case(SEED, number)
        assert case == again and case.files() == again.files()
    assert [make_case(1, number) for number in range(9)] != [make_case(2, number) for number in range(9)]


def test_a_thousand_cases_hold_every_breakage_first_and_every_packing():
    cases = [make_case(SEED, number) for number in range(1000)]
    assert {case.breakages[0] for case in cases} == set(ALL)
    assert {case.packing for case in cases} == set(PACKINGS)
    assert {case.base for case in cases} == set(bases())
    assert sum(case.stays_right for case in cases) > 200


def test_whatever_is_handed_in_is_read_or_refused_with_a_reason():
    expect_none([try_case(make_case(SEED, number), ()) for number in range(READ)])


def test_whatever_is_handed_in_is_graded_and_what_is_right_stays_right():
    expect_none([try_case(make_case(SEED, number)) for number in range(READ, READ + JUDGED)])


def test_a_class_of_broken_hand_ins_leaves_the_good_ones_their_grades(tmp_path, make_course):
    cases = [make_case(SEED, number) for number in range(READ + JUDGED, READ + JUDGED + CLASS)]
    assert course.problems_of(cases, make_course, tmp_path, feedback=False) == []


def expect_none(results):
    """Fail with the seed and number of every case that has a problem."""
    found = [f"{result.case}\n{problem}" for result in results for problem in result.problems]
    assert not found, "\n\n".join(found)
    assert all(result.said for result in results if result.outcome not in ("read", "passed"))
