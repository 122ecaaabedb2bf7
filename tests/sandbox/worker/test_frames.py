"""A frame is read as it was packed; other bytes are refused before they can do harm."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import save

from autograder.sandbox.worker import frames
from autograder.sandbox.worker.frames import MAX_BODY, MAX_HEADER, FrameError, pack, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
DTYPES = st.sampled_from(["float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool"])
ARRAYS = DTYPES.flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=4)))


class Stream:
    """Bytes that are received as from a pipe; `asked` is every size asked for."""

    def __init__(self, data):
        self.data, self.asked = data, []

    def __call__(self, size):
        self.asked.append(size)
        if size > len(self.data):
            raise EOFError
        part, self.data = self.data[:size], self.data[size:]
        return part


def forged(header=b"{}", body=b"", magic=b"A2"):
    return Stream(struct.pack("<2sII", magic, len(header), len(body)) + header + body)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.dictionaries(st.text("abc", min_size=1), ARRAYS, max_size=3))
def test_a_frame_comes_back_as_it_was_packed(header, tensors):
    stream = Stream(pack(header, tensors) + b"next")
    came, arrays = read(stream)
    assert came == header and stream.data == b"next"
    assert arrays.keys() == tensors.keys()
    for name, array in tensors.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


class TestAForgedFrame:
    @pytest.mark.parametrize("magic", [b"\0\0", b"PK", b"a2", b"{}"])
    def test_without_the_magic_is_refused(self, magic):
        with pytest.raises(FrameError, match="the bytes are not a frame"):
            read(forged(magic=magic))

    @pytest.mark.parametrize("sizes", [(MAX_HEADER + 1, 0), (2, MAX_BODY + 1), (2**32 - 1, 2**32 - 1)])
    def test_of_huge_lengths_is_refused_before_anything_is_allocated(self, sizes):
        stream = Stream(struct.pack("<2sII", b"A2", *sizes))
        with pytest.raises(FrameError):
            read(stream)
        assert stream.asked == [10]

    @given(st.integers(0, 80))
    def test_that_is_cut_short_ends_the_stream(self, length):
        frame = pack({"value": 1}, {"t0": np.ones(3)})
        assert length < len(frame)
        with pytest.raises(EOFError):
            read(Stream(frame[:length]))

    @pytest.mark.parametrize(
        "header", [b"", b"{", b"\xff", b"{'a': 1}", b"[" * 100_000, b'{"a":' * 50_000, b"1" * 9999]
    )
    def test_whose_header_is_not_json_is_refused(self, header):
        with pytest.raises(FrameError):
            read(forged(header))

    @pytest.mark.parametrize("header", [b"[]", b"1", b'"value"', b"null"])
    def test_whose_header_is_no_object_is_refused(self, header):
        with pytest.raises(FrameError, match="is not a JSON object"):
            read(forged(header))

    @given(st.binary(min_size=1, max_size=64))
    def test_whose_body_is_not_safetensors_is_refused(self, body):
        with pytest.raises(FrameError, match="unreadable frame"):
            read(forged(body=body))

    @pytest.mark.parametrize(
        "entry",
        [
            {"dtype": "F64", "shape": [2], "data_offsets": [0, 2**60]},
            {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 16]},
            {"dtype": "F64", "shape": [-2], "data_offsets": [0, 16]},
            {"dtype": "F64", "shape": [2], "data_offsets": [16, 0]},
            {"dtype": "O", "shape": [2], "data_offsets": [0, 16]},
            {"dtype": "F8_E4M3", "shape": [16], "data_offsets": [0, 16]},
            {"dtype": "BF16", "shape": [8], "data_offsets": [0, 16]},
        ],
    )
    def test_whose_tensors_lie_about_themselves_is_refused(self, entry):
        text = json.dumps({"t0": entry}).encode()
        with pytest.raises(FrameError, match="unreadable frame"):
            read(forged(body=struct.pack("<Q", len(text)) + text + bytes(16)))

    def test_with_a_list_of_a_million_tensors_is_refused(self):
        with pytest.raises(FrameError, match="the list of arrays is too long"):
            read(forged(body=struct.pack("<Q", MAX_HEADER + 1) + bytes(100)))

    @given(st.integers(0, 10_000), st.integers(1, 255))
    def test_of_safetensors_with_any_byte_changed_is_read_or_refused(self, position, change):
        body = bytearray(save({"t0": np.ones((2, 3)), "t1": np.arange(4)}))
        body[position % len(body)] ^= change
        try:
            assert all(isinstance(array, np.ndarray) for array in read(forged(body=bytes(body)))[1].values())
        except FrameError as error:
            assert "unreadable" in str(error) or "too long" in str(error)


class TestPackingTooMuch:
    def test_of_a_header_is_refused(self):
        with pytest.raises(FrameError, match="the answer is too large"):
            pack({"value": "x" * MAX_HEADER}, {})

    def test_of_arrays_is_refused(self, monkeypatch):
        monkeypatch.setattr(frames, "MAX_BODY", 100)
        with pytest.raises(FrameError, match="the answer is too large"):
            pack({}, {"t0": np.zeros(20)})
