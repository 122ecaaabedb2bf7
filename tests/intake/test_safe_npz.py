"""Students' .npz files: files of NumPy are read exactly, and all other files are refused with one sentence."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder.intake.safe_npz import MAX_ARRAYS, MAX_BYTES, ArrayError, read_npz
from autograder.sandbox.worker import frames


def npz(save=np.savez, **named):
    file = io.BytesIO()
    save(file, **named)
    return file.getvalue()


def zipped(members, compression=zipfile.ZIP_STORED):
    """A zip of members given as [(name, bytes)]."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def npy(header, numbers=b"", version=(1, 0)):
    """A .npy member with a header of our own."""
    text = header.encode() if isinstance(header, str) else header
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + numbers


def header(shape, descr="'<f4'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def refusal(data):
    with pytest.raises(ArrayError) as caught:
        read_npz(data)
    refusal_text = str(caught.value)
    assert refusal_text and refusal_text.isprintable() and "\n" not in refusal_text and len(refusal_text) < 400
    return refusal_text


VALID = npz(W1=np.arange(12, dtype=np.float32).reshape(3, 4), b1=np.ones(4), steps=np.int64(7))


class TestWhatNumPyWrites:
    @given(
        arrays.arrays(
            st.sampled_from(["<f2", "<f4", "<f8", ">f4", ">f8", "<i2", ">i4", "i8", "u1", "<u8"]),
            arrays.array_shapes(min_dims=0, max_dims=5, max_side=4),
            elements={"allow_nan": False, "allow_infinity": False},
        ),
        st.booleans(),
        st.sampled_from([np.savez, np.savez_compressed]),
    )
    def test_comes_back_exact_and_in_native_order(self, array, transposed, save):
        array = array.T if transposed else array
        (name, back), *others = read_npz(npz(save, W1=array)).items()
        assert name == "W1" and not others
        assert back.dtype == array.dtype.newbyteorder("=") and back.dtype.isnative
        assert back.shape == array.shape and back.flags.writeable and np.array_equal(back, array)

    def test_all_arrays_come_by_name_and_in_order(self):
        assert list(read_npz(VALID)) == ["W1", "b1", "steps"]

    def test_a_header_of_version_2_and_one_of_python_2_are_read(self):
        numbers = np.arange(6, dtype="<f4").tobytes()
        found = read_npz(zipped([("a.npy", npy(header("(2, 3)"), numbers, (2, 0)))]))
        assert found["a"].shape == (2, 3)
        assert read_npz(zipped([("a.npy", npy(header("(2L, 3L)"), numbers))]))["a"].shape == (2, 3)


class TestIsRefused:
    @pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY", b"not a zip" * 100, VALID[:-30], VALID[30:]])
    def test_a_file_that_is_no_zip(self, data):
        assert "no readable .npz archive" in refusal(data)

    def test_an_archive_without_arrays(self):
        assert refusal(zipped([])) == "the file holds no array"

    def test_an_object_array_which_only_pickle_carries(self):
        assert "W1 is an array of Python objects, which only pickle can carry" in refusal(npz(W1=np.array([{}, None])))

    def test_a_pickle_in_place_of_an_array(self):
        assert "not a plain array" in refusal(zipped([("W1.npy", b"\x80\x04N." * 20)]))

    @pytest.mark.parametrize(
        "array",
        [np.ones(2, complex), np.ones(2, bool), np.array(["a"]), np.array(["2020-01-01"], "M8[D]"), np.ones(2, "V3")],
        ids=lambda array: array.dtype.name,
    )
    def test_an_array_of_neither_floats_nor_integers(self, array):
        assert "W1 has dtype" in refusal(npz(W1=array))

    def test_a_structured_array(self):
        assert "W1 is not a plain array of numbers" in refusal(npz(W1=np.ones(2, "f4,f8")))

    @pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("dtype", ["f2", "f4", ">f8"])
    def test_a_number_that_is_not_finite(self, number, dtype):
        assert "W2 holds numbers that are not finite" in refusal(npz(W1=np.ones(3), W2=np.array([1, number], dtype)))

    def test_an_empty_array(self):
        assert "W1 has shape (0, 3)" in refusal(npz(W1=np.ones((0, 3))))

    @pytest.mark.parametrize(
        "name", ["../W1.npy", "/W1.npy", "a/W1.npy", "a\\W1.npy", "W1", "W1.txt", ".npy", "\x1b.npy"]
    )
    def test_a_member_that_np_savez_would_not_have_named_so(self, name):
        assert "not an array that np.savez" in refusal(zipped([(name, npy(header("(1,)"), bytes(4)))]))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_name_that_comes_twice(self):
        assert "W1 twice" in refusal(zipped([("W1.npy", npy(header("(1,)"), bytes(4)))] * 2))

    def test_an_encrypted_member(self):
        data = bytearray(VALID)
        place = data.index(b"PK\x01\x02")
        data[place + 8] |= 1
        assert "W1 is encrypted" in refusal(bytes(data))

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_bomb_packed_by_a_method_that_unpacks_all_at_once(self, method):
        refusal_text, peak = measured(zipped([("W1.npy", npy(header("(4,)"), bytes(32 << 20)))], method))
        assert "W1 is packed by a method that" in refusal_text and peak < 1 << 20

    def test_too_many_arrays(self):
        member = npy(header("(1,)"), bytes(4))
        for count in (MAX_ARRAYS + 1, 3 * MAX_ARRAYS):
            assert "arrays" in refusal(zipped([(f"a{number}.npy", member) for number in range(count)]))


class TestDeclaredSizes:
    @pytest.mark.parametrize(
        "shape",
        ["(5,)", "(3,)", "(100000, 100000)", "(999999999999, 999999999999, 999999999999)", "()", "(4, 2)"],
    )
    def test_of_an_array_have_to_be_those_of_its_member(self, shape):
        refusal_text = refusal(zipped([("W1.npy", npy(header(shape), bytes(16)))]))
        assert refusal_text.startswith("W1 should be ") and refusal_text.endswith("the file holds 16 for it")

    @pytest.mark.parametrize("shape", ["(-4,)", "(4.0,)", "(2, 2", "4", "[4]", "(4 , )", "(9" + 40 * "9" + ",)", "(,)"])
    def test_that_are_no_sizes_are_refused(self, shape):
        assert "W1 is not a plain array of numbers" in refusal(zipped([("W1.npy", npy(header(shape), bytes(16)))]))

    @pytest.mark.parametrize(
        "text",
        [
            header("(4,)") + "x",
            "__import__('os').getcwd()\n",
            "{'descr': '<f4', 'shape': (4,), 'fortran_order': False, 'more': 1}\n",
            "(" * 9000 + "\n",
            "-" * 9000 + "1\n",
            header("(4,)", descr="'\\x3cf4'"),
            header("(" + "1," * 4000 + ")"),
            b"\xff\xfe\x00",
            b"",
        ],
        ids=range(9),
    )
    def test_in_a_header_of_another_form_are_not_looked_at(self, text):
        assert "W1" in refusal(zipped([("W1.npy", npy(text, bytes(16)))]))

    def test_a_long_header_is_not_read(self):
        long = npy(header("(4,)") + " " * 20_000, bytes(16))
        assert "a header of" in refusal(zipped([("W1.npy", long)]))
        liar = b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(16)
        assert "a header of 4,294,967,295 bytes" in refusal(zipped([("W1.npy", liar)]))

    @pytest.mark.parametrize("declared", [0, 200, 10_000, MAX_BYTES - 1000, MAX_BYTES + 1, 2**32 - 2])
    def test_of_a_member_in_the_zip_may_lie_and_cost_nothing(self, declared):
        """Both declarations, the zip's and the header's, may even agree with each other."""
        shape = f"({max(declared - 128, 4) // 4},)"
        padded = header(shape)[:-1]
        member = npy(padded + " " * (117 - len(padded)) + "\n", bytes(64))
        data = bytearray(zipped([("W1.npy", member)], zipfile.ZIP_DEFLATED))
        place = data.index(b"PK\x01\x02")
        data[place + 24 : place + 28] = struct.pack("<I", declared)
        refusal_text, peak = measured(bytes(data))
        assert refusal_text is not None and peak < 2 << 20

    def test_a_bomb_is_refused_before_it_goes_off(self):
        count = MAX_BYTES // 4 + 1
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        assert len(packer.compress(bytes(1 << 20))) < 1 << 12  # what follows is a bomb indeed
        bomb = zipped([("W1.npy", npy(header(f"({count},)"), bytes(4 * count)))], zipfile.ZIP_DEFLATED)
        assert len(bomb) < 1 << 17
        refusal_text, peak = measured(bomb)
        assert "at most 50,331,648 are read" in refusal_text and peak < 1 << 20

    def test_many_members_may_not_share_one_bomb(self):
        member = npy(header(f"({MAX_BYTES // 40},)"), bytes(MAX_BYTES // 10))
        bomb = zipped([(f"W{number}.npy", member) for number in range(11)], zipfile.ZIP_DEFLATED)
        refusal_text, peak = measured(bomb)
        assert "at most" in refusal_text and peak < 1 << 20


def measured(data):
    """Return (the message of the refusal or None, the largest number of allocated bytes)."""
    tracemalloc.start()
    try:
        read_npz(data)
        refusal_text = None
    except ArrayError as error:
        refusal_text = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return refusal_text, peak


PLACES = st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8)


@given(PLACES, st.integers(0, len(VALID)), st.booleans())
@example([(0, 0)], 0, True)
def test_bytes_changed_at_random_raise_nothing_but_a_refusal(places, cut, shortened):
    data = bytearray(VALID)
    for place, value in places:
        data[place] = value
    _, peak = measured(bytes(data[:cut] if shortened else data))
    assert peak < 4 << 20


@given(st.binary(max_size=600), st.integers(0, len(VALID)))
def test_bytes_put_in_at_random_raise_nothing_but_a_refusal(noise, place):
    _, peak = measured(VALID[:place] + noise + VALID[place:])
    assert peak < 4 << 20


@given(st.binary(max_size=300), st.sampled_from([(1, 0), (2, 0), (3, 0), (0, 9)]), st.binary(max_size=40))
def test_headers_at_random_raise_nothing_but_a_refusal(text, version, numbers):
    assert measured(zipped([("W1.npy", npy(text, numbers, version))]))[1] < 4 << 20


def test_all_that_is_read_can_travel_to_the_worker_in_one_frame():
    assert MAX_BYTES + frames.MAX_HEADER < frames.MAX_BODY
