"""The benchmark of judging: its submissions, its table, and what it compares of two reports."""

import pytest

from autograder.samples.sample import Sample
from benchmarks.judging import HERE, JUDGE, OTHER, WORKERS, differences, submissions, table


def spent(judge, workers):
    return {JUDGE: judge, WORKERS: workers}


def row(name="many mistakes", other=None, differing=()):
    seconds = {HERE: spent([4.0, 3.0], [1.0, 1.25])} | ({OTHER: other} if other else {})
    return {"name": name, "seconds": seconds, "differences": list(differing)}


def test_the_table_has_the_least_seconds():
    heading, body = table([row()])
    assert heading == ["submission", "judge, s", "workers, s"]
    assert body == [["many mistakes", "3.00", "1.00"]]


def test_against_another_checkout_it_has_ratios_and_tells_whether_the_reports_are_the_same():
    other = spent([9.0, 6.0], [2.0, 4.0])
    heading, body = table([row(other=other), row("slow", other, ["score: 1 and 2"])])
    assert heading[1:4] == ["judge, s", "judge there, s", "ratio"]
    assert body[0] == ["many mistakes", "3.00", "6.00", "0.50", "1.00", "2.00", "0.50", "the same"]
    assert body[1][-1] == "differ in 1 places"


def test_times_digests_and_accuracies_by_a_secret_are_no_differences():
    one = {"seconds": 1, "kit": {"digest": "a", "numpy": "2"}, "questions": [{"id": "best_fc_model", "points": 1}]}
    other = {"seconds": 2, "kit": {"digest": "b", "numpy": "2"}, "questions": [{"id": "best_fc_model", "points": 2}]}
    assert differences(one, other) == []


@pytest.mark.parametrize(
    "other, place",
    [
        ({"questions": [{"id": "adam", "points": 2}]}, "questions[0].points: 1 and 2"),
        ({"questions": []}, "questions"),
        ({}, "questions"),
    ],
)
def test_anything_else_is_a_difference(other, place):
    found = differences({"questions": [{"id": "adam", "points": 1}]}, other)
    assert len(found) == 1 and found[0].startswith(place)


def test_every_submission_can_be_made_from_the_reference(manifest):
    known = submissions(manifest)
    assert list(known) == ["right", "one mistake", "many mistakes", "stub", "slow"]
    right = Sample("", "", questions=("adam",)).files(manifest)
    for name in ("one mistake", "many mistakes", "slow"):
        files = known[name].files(manifest)
        changed = [path for path, data in right.items() if path.endswith(".py") and files[path] != data]
        assert "cs231n/layers.py" in changed
