"""Values arrive unchanged or are refused, and a reader checks everything that it receives."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.sandbox.worker.values import DTYPES, MAX_DEPTH, Handle, ValueTypeError, decode, encode

ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=4))
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(-9, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


def travelled(value, keep=None):
    """Return a value as it arrives on the other side."""
    tensors = {}
    return decode(json.loads(json.dumps(encode(value, tensors, keep))), tensors)


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


@given(VALUES)
def test_what_travels_arrives_as_it_was(value):
    assert same(travelled(value), value)


class TestAnArray:
    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6.0).reshape(2, 3).T,
            np.arange(12)[::-3],
            np.asfortranarray(np.eye(3, dtype=np.float32)),
            np.broadcast_to(np.float64(2), (2, 3)),
            np.arange(3, dtype=">f8"),
            np.arange(3, dtype=">i4"),
        ],
        ids=["transposed", "strided", "Fortran", "broadcast", "big-endian floats", "big-endian integers"],
    )
    def test_arrives_with_its_numbers_for_every_layout(self, array):
        came = travelled(array)
        np.testing.assert_array_equal(came, array)
        assert came.dtype == array.dtype.newbyteorder("=") and came.flags.c_contiguous

    def test_that_is_a_scalar_arrives_with_its_dtype(self):
        came = travelled(np.float32(1.5))
        assert came.shape == () and came.dtype == np.float32 and came == 1.5

    def test_of_a_subclass_arrives_as_plain_numbers(self):
        class Liar(np.ndarray):
            def __array_finalize__(self, _):
                pass

            @property
            def shape(self):
                return (1000,)

            def __eq__(self, _):
                return True

        came = travelled(np.arange(3.0).view(Liar))
        assert type(came) is np.ndarray and came.shape == (3,) and came.tolist() == [0, 1, 2]

    def test_that_is_masked_or_a_matrix_arrives_as_plain_numbers(self):
        assert type(travelled(np.ma.masked_array([1.0, 2.0], [True, False]))) is np.ndarray

    @pytest.mark.parametrize("array", [np.array([object()]), np.array(["a"]), np.ones(2) * 1j, np.zeros(2, "m8[s]")])
    def test_of_no_real_numbers_is_refused(self, array):
        with pytest.raises(ValueTypeError, match="where real numbers are expected"):
            travelled(array, keep=lambda value: Handle(0, "kept"))

    def test_is_a_copy(self):
        tensors, array = {}, np.zeros(3)
        encode(array, tensors)
        array += 1
        assert not tensors["t0"].any()


class TestOtherValues:
    @pytest.mark.parametrize("value", [float("inf"), float("-inf")])
    def test_infinite_numbers_arrive(self, value):
        assert travelled(value) == value

    def test_nan_arrives_as_nan(self):
        assert np.isnan(travelled(float("nan")))

    @pytest.mark.parametrize("value", [2**63, -(2**200)])
    def test_integers_too_long_for_an_array_arrive_as_floats(self, value):
        assert travelled(value) == float(value) and isinstance(travelled(value), float)

    @pytest.mark.parametrize("value", [10**400, -(10**400)])
    def test_integers_too_long_for_a_float_are_refused(self, value):
        with pytest.raises(ValueTypeError):
            travelled(value)

    @pytest.mark.parametrize("value", [np.float32, np.dtype("int64"), np.bool_])
    def test_a_dtype_arrives_as_the_type_itself(self, value):
        assert travelled(value) is np.dtype(value).type

    @pytest.mark.parametrize(
        "value", [object(), {1, 2}, b"bytes", {(1, 2): 3}, 1j, len], ids=lambda value: type(value).__name__
    )
    def test_what_cannot_travel_is_refused_or_kept(self, value):
        with pytest.raises(ValueTypeError, match=f"a {type(value).__name__} cannot travel"):
            travelled(value)
        came = travelled([value], keep=lambda value: Handle(7, type(value).__name__))
        assert (came[0].number, came[0].kind) == (7, type(value).__name__)

    def test_a_subclass_of_list_is_kept(self):
        class Mine(list):
            pass

        assert travelled(Mine([1]), keep=lambda value: Handle(0, "Mine")).kind == "Mine"

    def test_nesting_is_bounded(self):
        assert travelled(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
        with pytest.raises(ValueTypeError, match="nested too deeply"):
            travelled(nested(MAX_DEPTH + 1))

    def test_a_list_that_holds_itself_is_refused(self):
        value = []
        value.append(value)
        with pytest.raises(ValueTypeError, match="nested too deeply"):
            travelled(value)


class TestAForgedTree:
    @pytest.mark.parametrize(
        "tree",
        [
            [],
            {},
            {"array": "t9"},
            {"array": 0},
            {"array": ["t0"]},
            {"handle": "0"},
            {"handle": 1.5},
            {"handle": None},
            {"dtype": "object"},
            {"dtype": ["float64"]},
            {"dtype": {}},
            {"list": "abc"},
            {"tuple": {"list": []}},
            {"dict": {"a": 1}},
            {"dict": [["a"]]},
            {"dict": [[["a"], 1]]},
            {"dict": [[None, 1]]},
            {"dict": ["ab"]},
            {"eval": "1 + 1"},
            {"pickle": "gASVBQ=="},
        ],
        ids=str,
    )
    def test_is_refused(self, tree):
        with pytest.raises(ValueTypeError, match="malformed"):
            decode(tree, {"t0": np.zeros(1)})

    def test_that_is_too_deep_is_refused(self):
        tree = 1
        for _ in range(MAX_DEPTH + 1):
            tree = {"list": [tree]}
        with pytest.raises(ValueTypeError, match="nested too deeply"):
            decode(tree, {})

    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["t0", "float64", "x"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["array", "list", "tuple", "dict", "dtype", "handle", "x"]), inner, max_size=2
            )
        ),
    )

    @given(JSON)
    def test_is_decoded_or_refused_but_never_crashes(self, tree):
        try:
            decode(tree, {"t0": np.zeros(1)})
        except ValueTypeError as error:
            assert "malformed" in str(error) or "nested" in str(error)

    def test_cannot_give_a_handle_a_long_name(self):
        assert len(decode({"handle": 0, "kind": "x" * 10_000}, {}).kind) == 80


def test_an_array_is_named_once_or_the_answer_is_none():
    """A hundred names for one array would become a hundred arrays in a copy of the value."""
    with pytest.raises(ValueTypeError):
        decode({"list": [{"array": "t0"}] * 100}, {"t0": np.zeros(3)})
