"""Files of a submission that are not plain text."""

import stat
import zipfile

from autograder.samples.special_files import KINDS, pack_zip, write_special

PLACED = {
    "symlink": {"to": "{kit}/pyproject.toml"},
    "fifo": {},
    "device": {},
    "setuid": {"text": "x = 1"},
    "bytes": {"base": "AAEC"},
    "compiled": {"text": "x = 1"},
}


def test_a_zip_records_the_kind_of_every_entry(tmp_path):
    folder = tmp_path / "hand-in"
    for kind, more in PLACED.items():
        write_special(folder, f"inside/{kind}", kind, **more)
    with zipfile.ZipFile(pack_zip(folder)) as archive:
        modes = {entry.filename.removeprefix("inside/"): entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.read("inside/bytes") == b"\0\1\2"
        assert archive.read("inside/symlink").endswith(b"/pyproject.toml")
    assert set(modes) == set(KINDS) == set(PLACED)
    assert stat.S_ISLNK(modes["symlink"]) and stat.S_ISFIFO(modes["fifo"]) and modes["setuid"] & stat.S_ISUID
    assert not stat.S_ISREG(modes["device"])
