"""A Memo computes each result once, within its bound; two keys are one only where their values are the same."""

from dataclasses import dataclass

import numpy as np
import pytest

from autograder.runtime.memo import ENTRY_BYTES, Memo, count_bytes, make_key


@dataclass
class Pair:
    one: object
    other: object


def test_a_result_is_computed_once():
    memo, calls = Memo(10_000), []
    assert [memo.get("key", lambda: calls.append(1) or len(calls)) for _ in range(3)] == [1, 1, 1]


def test_a_computation_that_raises_keeps_no_result():
    memo = Memo(10_000)
    with pytest.raises(ZeroDivisionError):
        memo.get("key", lambda: 1 / 0)
    assert memo.get("key", lambda: 2) == 2


def test_the_least_recently_used_results_are_dropped_at_the_bound():
    size = 8_000 + ENTRY_BYTES
    memo, calls = Memo(3 * size), []

    def get(key):
        return memo.get(key, lambda: calls.append(key) or np.zeros(1000))

    for key in "abcadab":
        get(key)
    assert calls == list("abcdb") and len(memo) == 3 and memo.bytes == 3 * size


def test_a_result_beyond_the_bound_is_returned_and_not_kept():
    memo = Memo(1000)
    assert memo.get("key", lambda: np.ones(1000)).sum() == 1000
    assert (len(memo), memo.bytes) == (0, 0)


def test_thousands_of_small_results_stay_within_the_bound():
    memo = Memo(100 * ENTRY_BYTES)
    for key in range(5000):
        memo.get(key, lambda: 1.0)
    assert len(memo) == 100 and memo.bytes <= memo.max_bytes


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0),
        np.arange(6.0).reshape(2, 3),
        np.arange(6),
        np.arange(6.0, dtype=np.float32),
        -np.zeros(6),
        np.zeros(6),
        [1, 2],
        (1, 2),
        {"a": 1},
        {"a": 1.0},
        {"a": True},
        Pair(1, np.ones(2)),
        Pair(1, np.zeros(2)),
        0.0,
        -0.0,
        None,
        len,
    ],
    ids=repr,
)
def test_an_identity_is_shared_with_an_equal_value_alone(value):
    def copied(value):
        return value.copy() if isinstance(value, (np.ndarray, dict, list)) else value

    others = [np.arange(6.0), np.zeros(6), [1, 2], (1, 2), {"a": 1}, Pair(1, np.ones(2)), 0.0, None, len]
    assert make_key(copied(value)) == make_key(value)
    assert hash(make_key(value)) == hash(make_key(copied(value)))
    same = [other for other in others if make_key(other) == make_key(value)]
    assert all(type(other) is type(value) and repr(other) == repr(value) for other in same)


def test_a_view_is_the_same_as_its_copy():
    view = np.arange(12.0).reshape(3, 4).T
    assert make_key(view) == make_key(view.copy())


def test_bytes_of_all_that_a_value_holds_are_counted():
    assert count_bytes({"a": [np.zeros(2), Pair(np.zeros(1), "xyz")]}) == 1 + 16 + 8 + 3
