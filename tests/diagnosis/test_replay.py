"""Replay finds the wrong version of the code that gives a student's own answers."""

import sys
import types
from dataclasses import dataclass, field

import numpy as np
import pytest

from autograder.diagnosis.replay import Record, find_explanations
from autograder.report.model import Diagnosis
from autograder.sandbox.worker.values import Handle
from autograder.sandbox.worker_client import Call, CallError


@dataclass(eq=False)
class Version:
    """A wrong version of the module `replayed.double`."""

    name: str
    function: object
    file: str = "replayed.py"
    module: types.ModuleType = field(init=False)

    def __post_init__(self):
        self.module = types.ModuleType("replayed")
        self.module.f = self.function

    @property
    def diagnosis(self):
        return Diagnosis("misconception", self.name, "")


@pytest.fixture(autouse=True)
def right(monkeypatch):
    module = types.ModuleType("replayed")
    module.f = lambda x: (2 * x, x.sum())
    monkeypatch.setitem(sys.modules, "replayed", module)


X = np.arange(1.0, 5.0)
THRICE = Version("thrice", lambda x: (3 * x, x.sum()))
SQUARE = Version("square", lambda x: (x * x, x.sum()))
MEAN = Version("mean", lambda x: (2 * x, x.mean()))
RAISES = Version("raises", lambda x: [][0])
ALL = [THRICE, SQUARE, MEAN, RAISES]


def record(answer, x=X, passed=False, edge=False, array=None, after=None, returns=("value", "value")):
    call = Call("replayed:f", (x,), {}, list(returns), True, answer, after)
    return Record(passed, edge, [call], array)


def names(*records, versions=ALL):
    return [diagnosis.name for diagnosis, _ in find_explanations(versions, records)]


def test_the_version_with_the_same_answer_is_named():
    assert names(record((3 * X, X.sum()))) == ["thrice"]
    assert names(record((2 * X, X.mean()))) == ["mean"]


def test_an_answer_that_no_version_gives_has_no_name():
    assert names(record((5 * X, X.sum()))) == []
    assert names() == []


def test_where_nothing_failed_nothing_is_named():
    assert names(record((2 * X, X.sum()), passed=True)) == []


def test_the_failing_array_is_enough_if_other_parts_are_wrong_too():
    assert names(record((3 * X, 99.0), array=3 * X)) == ["thrice"]
    assert names(record((3 * X, 99.0))) == []


def test_two_mistakes_have_two_names():
    both = (3 * X, X.mean())
    found = names(record(both, array=both[0]), record(both, array=np.float64(X.mean())))
    assert sorted(found) == ["mean", "thrice"]


def test_a_version_that_would_have_shown_where_the_student_is_right_is_out():
    one = np.ones(1)
    wrong, fine = record((3 * X, X.sum())), record((2 * one, 1.0), x=one, passed=True)
    assert names(wrong, fine) == []
    assert names(wrong, record((2 * one, 1.0), x=one, passed=True), versions=[MEAN]) == []


def test_what_fits_an_edge_case_only_is_not_the_ordinary_mistake():
    two = np.full(1, 2.0)  # 3 · 2 is not 2 · 2, but the square is
    three = np.full(1, 3.0)  # the square of 3 is three times 3
    edge = record((3 * three, 3.0), x=three, edge=True)
    assert names(edge, versions=[SQUARE]) == ["square"]
    ordinary = record((7 * two, 2.0), x=np.full(1, 5.0))
    assert names(ordinary, edge, versions=[SQUARE]) == []


def test_of_two_that_fit_the_failing_array_the_one_that_fits_all_the_rest_is_named():
    other = Version("other", lambda x: (3 * x, x.max()))
    assert names(record((3 * X, X.max()), array=3 * X), versions=[THRICE, other]) == ["other"]


def test_no_version_is_tried_after_one_that_gives_all_answers():
    tried = []
    later = Version("later", lambda x: tried.append(x))
    assert names(record((3 * X, X.sum())), versions=[THRICE, later]) == ["thrice"]
    assert tried == []
    assert names(record((3 * X, 99.0), array=3 * X), versions=[THRICE, later]) == ["thrice"]
    assert len(tried) == 1  # the first one gives a part of the answer only


def test_an_exception_is_an_answer_too():
    error = CallError("error", "", raised=("IndexError", "list index out of range"))
    assert names(record(error)) == ["raises"]
    assert names(record(CallError("error", "", raised=("IndexError", "another")))) == []


def test_what_stays_in_the_worker_is_not_compared():
    cache = record((3 * X, Handle(0, "tuple")), returns=("value", "handle"))
    assert names(cache) == ["thrice"]


def test_an_argument_changed_in_place_is_seen():
    def in_place(x):
        x *= 2
        return x, x.sum() / 2

    changed = record((2 * X, X.sum()), after=[2 * X])
    assert names(changed, versions=[Version("in place", in_place), THRICE]) == ["in place"]


def test_arrays_that_no_check_makes_are_left_alone():
    huge = np.ones(10**6)
    assert names(record((3 * huge, 1e6), x=huge)) == []


def test_the_same_calls_are_put_to_a_version_once():
    calls = []
    counted = Version("counted", lambda x: calls.append(1) or (5 * x, x.sum()))
    for number in (0, 7):  # the numbers of handles go on from one criterion to the next
        made = Call("replayed:f", (X,), {}, ["handle", "value"], True, (Handle(number, "ndarray"), X.sum()))
        asked = Call("numpy:sum", (Handle(number, "ndarray"),), {}, "value", True, 5 * X.sum())
        assert names(Record(False, False, [made, asked]), versions=[counted]) == ["counted"]
    assert len(calls) == 1


def test_other_arguments_are_other_calls():
    calls = []
    counted = Version("counted", lambda x: calls.append(1) or (5 * x, x.sum()))
    for x in (X, X + 1, X.astype(np.float32)):
        assert names(record((5 * x, x.sum()), x=x), versions=[counted]) == ["counted"]
    assert len(calls) == 3


def test_edge_cases_are_not_replayed_for_a_version_that_an_ordinary_case_rules_out():
    seen = []
    other = Version("other", lambda x: seen.append(len(x)) or (5 * x, x.sum()))
    ordinary, edge = record((3 * X, X.sum())), record((5 * X[:1], X[0]), x=X[:1], edge=True)
    assert names(ordinary, edge, versions=[other]) == []
    assert seen == [len(X)]
