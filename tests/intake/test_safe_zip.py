"""A student's zip: too many members are refused before they are parsed, and unbounded methods are recognized."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from autograder.intake.safe_zip import ArchiveError, is_bounded, open_zip


def crowded(count, zip64=False):
    """A zip of one small member whose list of contents names it `count` times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.py", b"a = 1\n")
    data = file.getvalue()
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    listed = data[start:end] * count
    if zip64:
        last = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(listed), start)
        last += struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(listed), 1)
        last += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    else:
        last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), start, 0)
    return data[:start] + listed + last


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_members_are_counted_to_the_last(zip64, before):
    data = io.BytesIO(before + crowded(7, zip64))
    with open_zip(data, 7) as archive:
        assert len(archive.infolist()) == 7
    with pytest.raises(ArchiveError, match="it holds more than 6 files"):
        open_zip(data, 6)


def test_a_million_members_cost_next_to_nothing():
    data = io.BytesIO(crowded(1_000_000, zip64=True))
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="more than 1,000 files"):
        open_zip(data, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_the_zips_inside_a_zip_are_not_counted_with_it():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inner.zip", crowded(1000))
    with open_zip(file, 1) as archive:
        assert archive.namelist() == ["inner.zip"]


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06"])
def test_a_file_that_is_no_zip_is_refused(data):
    with pytest.raises(zipfile.BadZipFile):
        open_zip(io.BytesIO(data))


@pytest.mark.parametrize(
    "method, bounded",
    [(zipfile.ZIP_STORED, True), (zipfile.ZIP_DEFLATED, True), (zipfile.ZIP_BZIP2, False), (zipfile.ZIP_LZMA, False)],
)
def test_a_method_is_bounded_where_one_byte_asked_unpacks_no_megabytes(method, bounded):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a", bytes(16 << 20))
    with open_zip(file) as archive:
        (entry,) = archive.infolist()
        assert is_bounded(entry) == bounded
        tracemalloc.start()
        with archive.open(entry) as member:
            member.read(1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (peak < 1 << 20) == bounded
