"""Open a student's zip within limits.

zipfile makes an object of every entry in a zip's list of contents before a caller can count them. It limits reading
only for deflate: to read one byte of a member packed by bzip2 or LZMA, it unpacks all of it, perhaps gigabytes.
"""

import zipfile
from typing import Any, BinaryIO

MAX_MEMBERS = 100_000  # a submission with a virtual environment has about ten thousand
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENTRY, _LARGEST_ENTRY = b"PK\x01\x02", 1 << 10
_END_64 = 76  # bytes of the two records between the list of contents and the last record of a large zip


class ArchiveError(ValueError):
    """The archive must not be opened; the message is a part of a sentence."""


def open_zip(file: BinaryIO, max_members: int = MAX_MEMBERS) -> zipfile.ZipFile:
    """Return the ZipFile of an open binary file; raise ArchiveError if it has more than `max_members` members.

    Raises BadZipFile if the file is not a zip, and any exception of zipfile if it is damaged.
    """
    # ZipFile itself uses these private names. Another parser could read the same file differently.
    module: Any = zipfile
    end = module._EndRecData(file)
    if end:
        size = end[module._ECD_SIZE]
        between = _END_64 if end[module._ECD_SIGNATURE] == module.stringEndArchive64 else 0
        file.seek(max(end[module._ECD_LOCATION] - between - size, 0))
        if size > max_members * _LARGEST_ENTRY or file.read(size).count(_ENTRY) > max_members:
            raise ArchiveError(f"it holds more than {max_members:,} files")
    return zipfile.ZipFile(file)


def is_bounded(entry: zipfile.ZipInfo) -> bool:
    """Return whether reading n bytes of a member needs memory for about n bytes only."""
    return entry.compress_type in METHODS
