"""Names of submissions: the form of each LMS, plain names, and names that imitate another student's."""

from datetime import datetime

import pytest

from autograder.errors import KitError
from autograder.intake.lms_names import compile_pattern, find_id_problem, find_owner, find_owners, parse_time


@pytest.mark.parametrize(
    "name, student",
    [
        ("ann.zip", "ann"),
        ("ann.ZIP", "ann"),
        ("ann (1).zip", "ann"),
        ("ann_assignment2.zip", "ann"),
        ("ann_assignment2 (2).zip", "ann"),
        ("Ann-Assignment2-final.zip", "Ann"),
        ("ann_lee_assignment2_submission.zip", "ann_lee"),
        ("assignment2_ann.zip", "ann"),
        ("assignment2_submission_ann.zip", "ann"),
        ("doejane_12345_67890_assignment2_submission.zip", "doejane_12345"),
        ("doejane_LATE_12345_67890_x.zip", "doejane_12345"),
        ("Jane Doe_123456_assignsubmission_file_", "Jane Doe_123456"),
        ("Jane Doe_123456_assignsubmission_file_work.zip", "Jane Doe_123456"),
        ("Assignment 2_jdoe_attempt_2026-11-01-10-11-12_x.zip", "jdoe"),
        ("A2_j_doe_attempt_2026-11-01-10-11-12_x.zip", "j_doe"),
        ("jdoe_attempt_2026-11-01-10-11-12_x.zip", "jdoe"),
        ("学生_assignment2.zip", "学生"),
    ],
)
def test_the_id_is_found_in(name, student):
    assert find_owner(name, "assignment2").student == student


@pytest.mark.parametrize(
    "headings, students",
    [
        (["A2_j_doe", "A2_k_doe"], ["j_doe", "k_doe"]),
        (["A2_j_doe", "A2_k_doe", "A2_ann"], ["j_doe", "k_doe", "ann"]),
        (["gradebook_CS_2_ann", "gradebook_CS_2_bob", "gradebook_CS_2_j_doe"], ["ann", "bob", "j_doe"]),
        (["A_2_ann", "A_2_ann_lee", "A_2_ann_lie"], ["ann", "ann_lee", "ann_lie"]),
        (["A2_j_doe", "A2_j_lee"], ["j_doe", "j_lee"]),  # two: the j_ they share may be a part of both ids
        (["ann", "anton", "anna"], ["ann", "anton", "anna"]),
    ],
)
def test_blackboards_title_is_the_common_beginning_of_all_names(headings, students):
    names = [f"{heading}_attempt_2026-11-01-10-11-12_my_work.zip" for heading in headings]
    owners = find_owners([*names, "A2.txt"], "assignment2")
    assert [owners[name].student for name in names] == students and owners["A2.txt"].heading == ""


def test_an_accent_typed_in_two_ways_is_one_id():
    spellings = ("Jos\u00e9", "Jose\u0301")
    assert {find_owner(f"{name}_assignment2.zip", "assignment2").student for name in spellings} == {spellings[0]}


@pytest.mark.parametrize(
    "name", ["assignment2.zip", "assignment2_submission.zip", "assignment2_submission (1).zip", "Submission.zip"]
)
def test_a_common_name_of_zips_has_no_owner(name):
    assert find_owner(name, "assignment2") is None


@pytest.mark.parametrize(
    "name, student",
    [
        ("mallory_1_2_bob_3_4_x.zip", "mallory_1"),
        ("mallory_1_2_bob_attempt_2026-11-01-10-11-12_x.zip", "mallory_1"),
        ("A2_mallory_attempt_2026-11-01-10-11-12_bob_attempt_2026-11-02-10-11-12_x.zip", "mallory"),
        ("Mallory_1_assignsubmission_file_Bob_2_assignsubmission_file_x.zip", "Mallory_1"),
        ("mallory_1_2_bob_assignment2.zip", "mallory_1"),
    ],
)
def test_the_name_of_a_students_file_changes_no_owner(name, student):
    assert find_owner(name, "assignment2").student == student


def test_blackboards_moment_is_read_whole():
    """nbgrader's own reading of this form gives another hour."""
    owner = find_owner("A2_jdoe_attempt_2026-11-01-10-11-12_x.zip", "assignment2")
    assert owner.timestamp == datetime(2026, 11, 1, 10, 11, 12) and owner.rest == "x.zip"
    assert find_owner("A2_jdoe_attempt_2026-99-01-10-11-12_x.zip", "assignment2").timestamp is None


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-11-01 10:11:12 UTC", datetime(2026, 11, 1, 10, 11, 12)),
        ("2026-11-01T10:11:12+02:00", datetime(2026, 11, 1, 8, 11, 12)),
        ("soon", None),
        (None, None),
    ],
)
def test_moments(text, moment):
    assert parse_time(text) == moment


def test_a_pattern_takes_the_place_of_every_known_form():
    pattern = compile_pattern(r"^team-(?P<student>\w+)-at-(?P<timestamp>[\d-]+)")
    owner = find_owner("team-red-at-2026-11-01-10-11-12.zip", "assignment2", pattern)
    assert (owner.student, owner.timestamp) == ("red", datetime(2026, 11, 1, 10, 11, 12))
    assert find_owner("ann_assignment2.zip", "assignment2", pattern) is None


@pytest.mark.parametrize("text, expected", [("(", "is not a regular expression"), (r"\w+", "(?P<student>...)")])
def test_an_unusable_pattern_is_refused_with_the_reason(text, expected):
    with pytest.raises(KitError) as caught:
        compile_pattern(text)
    assert expected in str(caught.value) and "--pattern" in str(caught.value)


@pytest.mark.parametrize(
    "student",
    [
        "",
        " ",
        ".",
        "..",
        ".git",
        "a/b",
        "a\\b",
        "a\0",
        "a\nb",
        "a\x1b[2J",
        "*",
        "a[b]",
        "x" * 101,
        "C:",
        "a.",
        "-rf",
        "con",
        "NUL.x",
        "Com1",
    ],
)
def test_a_text_that_cannot_name_a_folder_is_no_id(student):
    assert "cannot be a student's id" in find_id_problem(student)


@pytest.mark.parametrize(
    "student", ["ann", "Ana María", "学生", "o'hara", "a.b@uni.edu", "x_1", "x" * 100, "connie", "com10", "a-b"]
)
def test_ordinary_ids_are_taken(student):
    assert find_id_problem(student) == ""
