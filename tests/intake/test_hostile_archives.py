"""Archives and ids that try to leave their folder, to fill memory or disk, or to crash the reader."""

import io
import os
import random
import stat
import struct
import tracemalloc
import unicodedata
import zipfile
import zlib

import pytest

from autograder.errors import KitError
from autograder.intake import bulk_unpacking
from autograder.intake.collect import collect
from autograder.intake.file_limits import MAX_TOTAL
from autograder.intake.lms_names import find_id_problem
from autograder.intake.reading import read_submission
from tests.terminal import commands_on_a_terminal

pytestmark = pytest.mark.uncounted

LAYERS, TEXT = "cs231n/layers.py", "import numpy as np\n"


def packed(entries, method=zipfile.ZIP_DEFLATED):
    """Return the bytes of a zip of (name or ZipInfo, data)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def link(name, target):
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry, target


def overlapping(count, size=1 << 20):
    """A zip of `count` members that share one body, each quoting the next one's header as a stored block.

    Each is as large as the body, which is there once: D. Fifield, "A better zip bomb", WOOT 2019.
    """
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain, squeezed = bytes(size), squeezer.compress(bytes(size)) + squeezer.flush()
    entries = []
    for number in reversed(range(count)):
        name = f"cs231n/m{number}.npz".encode()
        sizes = (zlib.crc32(plain), len(squeezed), len(plain), len(name), 0)
        head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, *sizes) + name
        entries.append((sizes, name, len(head) + len(squeezed)))
        squeezed = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head + squeezed
        plain = head + plain
    data, listed = squeezed[5:], b""
    for sizes, name, from_end in entries:
        place = (0, 0, 0, 0, len(data) - from_end)
        listed += struct.pack("<4s6H3L2H3H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, *sizes, *place) + name
    return data + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), len(data), 0)


def patched(data, old, new):
    assert old in data
    return data.replace(old, new)


def lying_about_its_size(declared):
    """A zip with a member of 64 MB that says it has `declared` bytes."""
    data = packed([(LAYERS, TEXT), ("cs231n/own.py", bytes(64 << 20))])
    return patched(data, struct.pack("<L", 64 << 20), struct.pack("<L", declared))


def nested(depth):
    data = bytes(1 << 20)
    for level in range(depth):
        data = packed([(f"{level}-{number}.zip", data) for number in range(8)])
    return packed([(LAYERS, TEXT), ("more.zip", data)])


BOMBS = {
    "huge member": lambda: packed([(LAYERS, TEXT), ("cs231n/own.npz", bytes(256 << 20))]),
    "many large members": lambda: packed([(LAYERS, TEXT), *((f"cs231n/m{n}.npz", bytes(30 << 20)) for n in range(8))]),
    "says less than it has": lambda: lying_about_its_size(10),
    "says more than it has": lambda: lying_about_its_size(0xF0000000),
    "bzip2": lambda: packed([(LAYERS, TEXT), ("cs231n/own.npz", bytes(64 << 20))], zipfile.ZIP_BZIP2),
    "lzma": lambda: packed([(LAYERS, TEXT), ("cs231n/own.npz", bytes(64 << 20))], zipfile.ZIP_LZMA),
    "zips in zips": lambda: nested(6),
    "overlapping members": lambda: overlapping(150),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_in_a_submission_costs_no_more_than_a_submission(name, tmp_path, manifest):
    path = tmp_path / "eve.zip"
    path.write_bytes(BOMBS[name]())
    tracemalloc.start()
    try:
        submission = read_submission(path, manifest)
    except KitError as error:
        reasons = ("could not be unpacked", "is not a zip archive", "nothing in it is graded")
        assert any(reason in str(error) for reason in reasons)
    else:
        assert sum(map(len, submission.files.values())) <= MAX_TOTAL
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_TOTAL + (64 << 20)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_bomb_in_a_download_is_not_unpacked_past_the_bounds(tmp_path, course, monkeypatch):
    monkeypatch.setattr(bulk_unpacking, "MAX_TOTAL", 1 << 20)
    good, bomb = packed([(LAYERS, TEXT)]), bytes(900 << 10)
    names = ["eve_assignment2.zip", "eva_assignment2.zip", "ann_assignment2.zip"]
    (tmp_path / "all.zip").write_bytes(packed(zip(names, (bomb, bomb, good))))
    found = collect(course, [tmp_path / "all.zip"])
    assert found.students == {"ann": "new"}
    assert "largest size of a download" in dict(found.problems)["eva_assignment2.zip"]


TRICKS = {
    "up": [("../cs231n/own.py", "x"), ("a/../../own.py", "x"), ("..\\own.py", "x"), ("cs231n/../../own.py", "x")],
    "absolute": [("/tmp/escaped/own.py", "x"), ("\\\\host\\share\\own.py", "x"), ("C:\\own.py", "x"), ("C:a.py", "x")],
    "links": [link("cs231n/own.py", "/etc/passwd"), link("cs231n", "/etc"), link("cs231n/sub", "../../..")],
    "under a file": [("cs231n/own.py", "x"), ("cs231n/own.py/own.py", "x"), ("cs231n/own.py/", "")],
    "capitals": [("cs231n/Layers.py", "x"), ("CS231N/layers.py", "x"), ("cs231n/LAYERS.PY", "x")],
    "nul": [("cs231n/own.py\0.txt", "x"), ("cs231n/\0/own.py", "x")],
    "long": [(f"cs231n/{'x' * 300}.py", "x"), ("a/" * 3000 + "own.py", "x")],
    "odd": [("cs231n/\x1b[2J\r\n.py", "x"), ("cs231n/CON.py", "x"), ("cs231n/ .py", "x"), ("cs231n/a\u202e.py", "x")],
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_no_member_leads_anywhere_and_the_right_ones_are_graded(name, tmp_path, course):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "eve.zip").write_bytes(packed([(LAYERS, TEXT), *TRICKS[name]]))
    before = sorted(path for path in tmp_path.rglob("*") if course.root not in path.parents)
    found = collect(course, [tmp_path / "downloads"])
    assert found.students == {"eve": "new"}
    submission = read_submission(course.submitted("eve"), course.manifest)
    assert submission.decode_text(LAYERS) == TEXT
    assert not any(".." in path.split("/") or path.startswith("/") for path in submission.files)
    assert sorted(path for path in tmp_path.rglob("*") if course.root not in path.parents) == before
    assert not os.path.lexists("/tmp/escaped")


def test_of_a_member_that_is_there_twice_one_counts_and_it_is_the_last(tmp_path, manifest):
    with pytest.warns(UserWarning, match="Duplicate name"):
        (tmp_path / "eve.zip").write_bytes(packed([(LAYERS, "a = 1\n"), (LAYERS, "a = 2\n")]))
    assert read_submission(tmp_path / "eve.zip", manifest).decode_text(LAYERS) == "a = 2\n"


def damaged(seed):
    """A zip of zips with a few bytes of it changed."""
    chance = random.Random(seed)
    inner = packed([(LAYERS, TEXT * 20)])
    data = bytearray(packed([("ann_assignment2.zip", inner), ("ben_assignment2.zip", inner)], zipfile.ZIP_STORED))
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    return bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data))))])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_damaged_download_ends_in_a_reason_never_in_a_traceback(tmp_path, course):
    for seed in range(150):
        path = tmp_path / f"all-{seed}.zip"
        path.write_bytes(damaged(seed))
        try:
            found = collect(course, [path])
        except KitError as error:
            assert "neither a folder nor a zip" in str(error) or "cannot be unpacked" in str(error), seed
        else:
            assert found.students or found.problems, seed
            assert set(found.students) <= {"ann", "ben", path.stem}, seed  # a truncated zip may count as one submission
        path.unlink()


def test_special_files_in_a_download_are_left_out(tmp_path, course):
    source = tmp_path / "downloads"
    source.mkdir()
    os.mkfifo(source / "eve.zip")
    assert collect(course, [source]).students == {}
    (source / "ann.zip").write_bytes(packed([(LAYERS, TEXT)]))
    found = collect(course, [source])
    assert found.students == {"ann": "new"} and dict(found.problems).keys() == {"eve.zip"}


def test_ids_that_look_alike_are_left_to_the_instructor(tmp_path, course):
    names = ["ann", "ａｎｎ", "ANN", "ﬁn", "fin", "zoe"]
    for name in names:
        (tmp_path / f"{name}.zip").write_bytes(packed([(LAYERS, TEXT)]))
    (tmp_path / f"{unicodedata.normalize('NFD', 'zoë')}.zip").write_bytes(packed([(LAYERS, TEXT)]))
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for path in tmp_path.glob("*.zip"):
        path.rename(downloads / path.name)
    found = collect(course, [downloads])
    assert found.students == {"zoe": "new", "zoë": "new"}
    assert all("look alike" in why for _, why in found.problems) and len(found.problems) == 5


NO_IDS = ["../x", "/etc", "..", "a/../b", "a\0b", ".hidden", "-rf", "--help", "x" * 5000, "a.", "a ", " a", "~root"]
NO_IDS += ["CON", "con.txt", "LPT1", "COM¹", "<b>", 'a"b', "a|b", "{{a}}", "[x]"]
NO_IDS += ["a\u202eb", "a\u200bb", "\ufeffa", "a\x9bb", "a\ud800", "\xa0a"]


@pytest.mark.parametrize("student", NO_IDS)
def test_a_text_that_leads_to_another_folder_is_no_id(student):
    assert find_id_problem(student)


def test_the_terminal_shows_hostile_names_of_a_download_as_text(tmp_path, course):
    forged = "x\n3 collected: eve, eva, evi\n"
    inner = packed([(LAYERS, TEXT)])
    names = ["\x1b[2J\x1b]0;owned\x07_assignment2.zip", f"{forged}_assignment2.zip", "\u202e\x9b31m.rar", "[red]b.zip"]
    (tmp_path / "all.zip").write_bytes(packed([(name, inner) for name in ("ann_assignment2.zip", *names)]))
    folder = tmp_path / "\x1b]0;owned\x07[red]"
    folder.mkdir()
    lines = commands_on_a_terminal(
        ("collect", tmp_path / "all.zip", "--course", course.root),
        ("collect", folder, "--course", course.root),
        ("grade", "\x1b[2J\nx", "--course", course.root),
        ("check", folder / "\x1b[31m.zip"),
        ("reproduce", folder, "\x1b[2J", "\x07"),
    )
    codes = [line for line in lines if line.startswith("exit code ")]
    assert codes == ["exit code 0", *["exit code 3"] * 4], lines
    assert "3 collected: eve, eva, evi" not in lines
