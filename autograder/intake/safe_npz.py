"""Read the arrays of a student's .npz file without pickle, and check every declared size.

An .npz file is a zip of .npy members. A .npy member consists of a magic string, a header that looks like a Python
dictionary, and the numbers (numpy.lib.format describes it). This module accepts only headers exactly as NumPy writes
them, so that nothing is evaluated, and the declared size must be the size of the member.
"""

import io
import math
import re
import zipfile
from typing import Literal

import numpy as np

from autograder.intake.safe_zip import ArchiveError, is_bounded, open_zip

MAX_ARRAYS, MAX_BYTES, MAX_HEADER = (
    200,
    48 << 20,
    10_000,
)  # arrays; bytes of all arrays, which fit one frame to the worker; bytes of a header
NUMBERS = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
_MAGIC = b"\x93NUMPY"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .:-]{0,99}")
_HEADER = re.compile(
    rb"\{'descr': '([^'\\]{1,20})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12}L?(?:, |,|(?=\)))){0,8})\), \} *\n"
)


class ArrayError(ValueError):
    """The file cannot be read; the message is one sentence."""


def read_npz(data: bytes) -> dict[str, np.ndarray]:
    """Return {name: array} of an .npz file: floats and integers in the machine's byte order.

    Raises ArrayError if the file is not an .npz file, is damaged, encrypted or larger than MAX_BYTES when unpacked,
    needs pickle, or contains an empty array or a number that is not finite.
    """
    try:
        with open_zip(io.BytesIO(data), MAX_ARRAYS) as archive:
            entries = archive.infolist()
            names = _check_entries(entries)
            return {name: _read_member(archive, entry, name) for name, entry in zip(names, entries)}
    except ArrayError:
        raise
    except ArchiveError:
        raise ArrayError(f"the file holds more than {MAX_ARRAYS} arrays") from None
    except Exception as error:  # a damaged archive makes zipfile and its decoders raise many kinds of exceptions
        raise ArrayError(f"the file is no readable .npz archive ({type(error).__name__})") from None


def _check_entries(entries: list[zipfile.ZipInfo]) -> list[str]:
    """Check the zip's list of contents, and return the names of the arrays."""
    if not entries:
        raise ArrayError("the file holds no array")
    names = [entry.filename.removesuffix(".npy") for entry in entries]
    for name, entry in zip(names, entries):
        if entry.filename == name or not _NAME.fullmatch(name):
            raise ArrayError(
                f"the member {ascii(entry.filename)[:100]} is not an array that np.savez would have written"
            )
        if names.count(name) > 1:
            raise ArrayError(f"the file holds {name} twice")
        if entry.flag_bits & 0x1:
            raise ArrayError(f"{name} is encrypted")
        if not is_bounded(entry):
            raise ArrayError(f"{name} is packed by a method that np.savez and np.savez_compressed do not use")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_BYTES:
        raise ArrayError(f"the arrays take {total:,} bytes; at most {MAX_BYTES:,} are read")
    return names


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> np.ndarray:
    with archive.open(entry) as file:
        magic = file.read(8)
        version = tuple(magic[6:])
        if magic[:6] != _MAGIC or version not in ((1, 0), (2, 0)):
            raise ArrayError(f"{name} is not a plain array in NumPy's .npy format")
        width = 2 if version == (1, 0) else 4
        length = int.from_bytes(file.read(width), "little")
        if length > MAX_HEADER:
            raise ArrayError(f"{name} has a header of {length:,} bytes; a plain array's is short")
        dtype, order, shape = _parse_header(file.read(length), name)
        size = dtype.itemsize * math.prod(shape)  # Python's integers do not overflow
        present = entry.file_size - len(magic) - width - length
        if size != present:
            raise ArrayError(f"{name} should be {shape}, {size:,} bytes; the file holds {present:,} for it")
        numbers = file.read(size + 1)
    if len(numbers) != size:
        raise ArrayError(f"{name} is cut off: {len(numbers):,} of {size:,} bytes are there")
    array = np.frombuffer(numbers, dtype).reshape(shape, order=order).astype(dtype.newbyteorder("="), order="C")
    if not np.isfinite(array).all():
        raise ArrayError(f"{name} holds numbers that are not finite (NaN or infinite)")
    return array


def _parse_header(header: bytes, name: str) -> tuple[np.dtype, Literal["C", "F"], tuple[int, ...]]:
    """Return (dtype, order, shape) of a .npy header."""
    found = _HEADER.fullmatch(header)
    if not found:
        raise ArrayError(f"{name} is not a plain array of numbers (its header says {header[:80].decode('latin1')!a})")
    description, sizes = found[1].decode("latin1"), found[3]
    order: Literal["C", "F"] = "F" if found[2] == b"True" else "C"
    if description[:1] == "|" and description[1:2] == "O":
        raise ArrayError(f"{name} is an array of Python objects, which only pickle can carry; save plain arrays")
    if description[:1] not in "<>|=" or description[1:] not in NUMBERS:
        raise ArrayError(f"{name} has dtype {description!a}; floats and integers of up to 64 bits are read")
    shape = tuple(int(size) for size in re.findall(rb"\d+", sizes))
    if 0 in shape:
        raise ArrayError(f"{name} has shape {shape} and holds no number")
    return np.dtype(description), order, shape
