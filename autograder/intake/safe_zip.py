"""A stranger's zip, opened and unpacked within bounds.

zipfile makes an object of every entry in a zip's list of contents before anybody can count them, and hands a limit on
what is read to deflate alone: a member packed by bzip2 or LZMA comes out whole, gigabytes of it, for one byte asked.
"""

import zipfile

MAX_MEMBERS = 100_000  # a hand-in packed with its virtual environment has a few ten thousand
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENTRY, _LARGEST_ENTRY = b"PK\x01\x02", 1 << 10
_END_64 = 76  # bytes of the two records that a large zip has between its list of contents and the last record


class ArchiveError(ValueError):
    """Why an archive is not opened, as a part of a sentence."""


def open_zip(file, most=MAX_MEMBERS):
    """Return the ZipFile of an open binary file; ArchiveError where it has more than `most` members.

    Raises BadZipFile for what is no zip, and whatever else zipfile raises where it is damaged.
    """
    end = zipfile._EndRecData(file)  # private, but ZipFile's own: two readings of one file could be made to differ
    if end:
        size = end[zipfile._ECD_SIZE]
        between = _END_64 if end[zipfile._ECD_SIGNATURE] == zipfile.stringEndArchive64 else 0
        file.seek(max(end[zipfile._ECD_LOCATION] - between - size, 0))
        if size > most * _LARGEST_ENTRY or file.read(size).count(_ENTRY) > most:
            raise ArchiveError(f"it holds more than {most:,} files")
    return zipfile.ZipFile(file)


def is_bounded(entry):
    """Say whether reading a member takes no more memory than is asked for."""
    return entry.compress_type in METHODS
