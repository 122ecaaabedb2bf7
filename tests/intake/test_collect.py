"""Collecting from downloads of every kind: each student's latest submission arrives, and no file is lost."""

import os
import zipfile
from pathlib import Path

import pytest

from autograder.errors import KitError
from autograder.intake.collect import collect, split_arguments
from autograder.intake.reading import read_submission
from autograder.intake.safe_zip import open_zip
from autograder.runtime.locks import LOCK_FILE

ROOT = Path(__file__).resolve().parents[2]
TEXT = "import numpy as np\n"


@pytest.fixture
def downloads(tmp_path):
    (tmp_path / "downloads").mkdir()
    return tmp_path / "downloads"


def hand_in(path, text=TEXT, **more):
    """Write a student's zip with a layers.py of this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cs231n/layers.py", text)
        for name, data in more.items():
            archive.writestr(name.replace("__", "/"), data)
    return path


def bulk(path, folder):
    """Write everything in a folder into one zip, as an LMS does."""
    with zipfile.ZipFile(path, "w") as archive:
        for inner in sorted(folder.rglob("*")):
            archive.write(inner, inner.relative_to(folder))
    return path


def layers_of(course, student):
    return read_submission(course.submitted(student), course.manifest).decode_text("cs231n/layers.py")


def there(course):
    """Every file below submitted/, hidden ones too."""
    top = course.root / "submitted"
    return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())


def test_zips_are_collected_by_the_id_in_their_names_and_stay_as_they_are(course, downloads):
    for name in ("ann.zip", "ben_assignment2.zip", "assignment2_cleo.zip"):
        hand_in(downloads / name)
    found = collect(course, [downloads])
    assert found.students == {"ann": "new", "ben": "new", "cleo": "new"} and not found.problems
    stored = course.submitted("ben") / "ben_assignment2.zip"
    assert stored.read_bytes() == (downloads / "ben_assignment2.zip").read_bytes()
    assert course.students() == ["ann", "ben", "cleo"]


def test_one_zip_and_one_folder_are_sources_too(course, downloads):
    hand_in(downloads / "ann.zip")
    (downloads / "ben" / "cs231n").mkdir(parents=True)
    (downloads / "ben" / "cs231n" / "layers.py").write_text(TEXT)
    assert set(collect(course, [downloads / "ann.zip", downloads / "ben"]).students) == {"ann", "ben"}


@pytest.fixture(params=["unpacked", "one zip", "one zip in a folder", "in a folder of the download's name"])
def packed(request, tmp_path):
    """A function that makes a folder of submissions as an instructor may have it."""

    def packed(folder):
        if request.param == "unpacked":
            return folder
        if request.param.startswith("one zip"):
            (tmp_path / "outer").mkdir()
            path = bulk(tmp_path / "outer" / "submissions.zip", folder)
            return path if request.param == "one zip" else path.parent
        (tmp_path / "outer").mkdir()
        os.rename(folder, tmp_path / "outer" / "submissions")
        return tmp_path / "outer"

    return packed


def test_a_canvas_download_tells_namesakes_apart(course, downloads, packed):
    hand_in(downloads / "doejane_12345_67890_assignment2_submission.zip", "a = 1\n")
    hand_in(downloads / "doejane_LATE_777_67891_x.zip", "a = 2\n")
    found = collect(course, [packed(downloads)])
    assert set(found.students) == {"doejane_12345", "doejane_777"} and not found.problems
    assert layers_of(course, "doejane_777") == "a = 2\n"


def test_of_two_uploads_to_canvas_the_later_counts(course, downloads):
    hand_in(downloads / "doejane_1_99_assignment2_submission.zip", "a = 1\n")
    hand_in(downloads / "doejane_1_100_assignment2_submission-1.zip", "a = 2\n")
    found = collect(course, [downloads])
    assert layers_of(course, "doejane_1") == "a = 2\n"
    assert ["_99_" in what and "not used" in why for what, why in found.notes] == [True]


def test_a_moodle_download_has_a_folder_for_each_student(course, downloads, packed):
    hand_in(downloads / "Jane Doe_11_assignsubmission_file_" / "assignment2_submission.zip")
    folder = downloads / "Ana María_12_assignsubmission_file_" / "cs231n"
    folder.mkdir(parents=True)
    (folder / "layers.py").write_text("a = 3\n")
    found = collect(course, [packed(downloads)])
    assert set(found.students) == {"Jane Doe_11", "Ana María_12"} and not found.problems
    assert layers_of(course, "Ana María_12") == "a = 3\n"


def test_of_blackboards_attempts_the_latest_counts_and_its_time_is_kept(course, downloads, packed):
    for day, text in (("02", "a = 2\n"), ("03", "a = 3\n"), ("01", "a = 1\n")):
        attempt = f"A2_jdoe_attempt_2026-11-{day}-10-11-12"
        hand_in(downloads / f"{attempt}_work.zip", text)
        (downloads / f"{attempt}.txt").write_text("Name: Jane Doe (jdoe)\n")
    found = collect(course, [packed(downloads)])
    assert found.students == {"jdoe": "new"} and not found.problems and len(found.notes) == 2
    assert layers_of(course, "jdoe") == "a = 3\n"
    assert (course.submitted("jdoe") / "timestamp.txt").read_text() == "2026-11-03 10:11:12\n"


def test_of_several_zips_in_a_students_folder_the_latest_counts(course, downloads):
    folder = downloads / "Jane_1_assignsubmission_file_"
    for moment, name in ((3e8, "a.zip"), (5e8, "b.zip"), (4e8, "c.zip")):
        os.utime(hand_in(folder / name, f"a = {name!r}\n"), (moment, moment))
    assert collect(course, [downloads]).students == {"Jane_1": "new"}
    assert layers_of(course, "Jane_1") == "a = 'b.zip'\n"


def test_files_handed_in_one_by_one_find_their_places(course, downloads):
    for name in ("layers-1.py", "fc_net.py", "FullyConnectedNets-2.ipynb", "helpers.py"):
        (downloads / f"doejane_1_20_{name}").write_text("{}" if name.endswith("ipynb") else TEXT)
    assert collect(course, [downloads]).students == {"doejane_1": "new"}
    files = read_submission(course.submitted("doejane_1"), course.manifest).files
    assert {"cs231n/layers.py", "cs231n/classifiers/fc_net.py", "FullyConnectedNets.ipynb"} <= set(files)


def test_only_files_of_graded_kinds_are_copied_from_folders(course, downloads):
    hand_in(downloads / "ben.zip")
    mine = downloads / "ann"
    for name in ("cs231n/layers.py", "venv/lib/numpy.py", ".venv/lib/numpy.py", "datasets/x.npz", "cs231n/x.so"):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text(TEXT)
    (mine / "venv" / "pyvenv.cfg").touch()
    (mine / "cs231n" / "solver.py").symlink_to(ROOT / "assignment2" / "cs231n" / "solver.py")
    found = collect(course, [downloads])
    assert [name for name in there(course) if name.startswith("ann")] == ["ann/assignment2/cs231n/layers.py"]
    assert found.problems == [("ann/cs231n/solver.py", "is a link; links are not followed")]


def test_unusable_files_are_named_with_the_reason_and_the_rest_is_collected(course, downloads):
    hand_in(downloads / "ann.zip")
    (downloads / "ben.zip").write_bytes(b"not a zip at all")
    (downloads / "cleo.rar").write_bytes(b"Rar!")
    (downloads / "essay.pdf").write_bytes(b"%PDF")
    (downloads / "layers.py").write_text(TEXT)
    (downloads / "dan").mkdir()
    hand_in(downloads / "assignment2_submission.zip")
    (downloads / "eve.zip").symlink_to(downloads / "ann.zip")
    (downloads / ".DS_Store").touch()
    found = collect(course, [downloads])
    assert found.students == {"ann": "new"} and there(course) == ["ann/assignment2/ann.zip"]
    reasons = dict(found.problems)
    assert reasons.keys() == {
        "assignment2_submission.zip", "ben.zip", "cleo.rar", "dan", "essay.pdf", "eve.zip", "layers.py",
    }  # fmt: skip
    assert "not a zip archive" in reasons["ben.zip"] and "ask for a .zip" in reasons["cleo.rar"]
    assert "nothing in it is graded" in reasons["dan"] and "is a link" in reasons["eve.zip"]
    assert "rename it to ID_assignment2.zip" in reasons["assignment2_submission.zip"]
    assert not any(str(course.root) in why for why in reasons.values())
    sentences = found.describe()
    assert sentences[0] == "1 collected: ann" and "7 could not be collected:" in sentences


def test_where_the_latest_attempt_is_broken_the_one_before_counts(course, downloads):
    hand_in(downloads / "A2_jdoe_attempt_2026-11-01-10-11-12_x.zip", "a = 1\n")
    (downloads / "A2_jdoe_attempt_2026-11-02-10-11-12_x.zip").write_bytes(b"broken")
    found = collect(course, [downloads])
    assert layers_of(course, "jdoe") == "a = 1\n" and len(found.problems) == 1


class TestCollectingAgain:
    def test_the_same_thing_changes_nothing(self, course, downloads):
        hand_in(downloads / "ann.zip")
        collect(course, [downloads])
        before = course.submitted("ann").stat().st_ino
        assert collect(course, [downloads]).students == {"ann": "unchanged"}
        assert course.submitted("ann").stat().st_ino == before and there(course) == ["ann/assignment2/ann.zip"]

    def test_another_submission_replaces_the_first_which_is_kept(self, course, downloads):
        for number in (1, 2, 3):
            hand_in(downloads / "ann.zip", f"a = {number}\n")
            found = collect(course, [downloads])
        assert found.students == {"ann": "replaced"} and layers_of(course, "ann") == "a = 3\n"
        kept = course.root / "submitted" / "ann" / ".earlier"
        texts = [
            read_submission(kept / f"assignment2-{n}", course.manifest).decode_text("cs231n/layers.py") for n in (1, 2)
        ]
        assert texts == ["a = 1\n", "a = 2\n"] and str(kept) in found.notes[0][1]
        assert course.students() == ["ann"]

    def test_an_earlier_attempt_does_not_replace_a_later_one(self, course, downloads):
        hand_in(downloads / "A2_jdoe_attempt_2026-11-02-10-11-12_x.zip", "a = 2\n")
        collect(course, [downloads])
        old = hand_in(downloads / "again" / "A2_jdoe_attempt_2026-11-01-10-11-12_x.zip", "a = 1\n")
        found = collect(course, [old])
        assert found.students == {"jdoe": "older"} and layers_of(course, "jdoe") == "a = 2\n"


def test_a_download_that_holds_a_name_twice_gives_the_first(course, downloads):
    inner = [hand_in(downloads.parent / "inner.zip", text).read_bytes() for text in ("a = 1\n", "a = 2\n")]
    with zipfile.ZipFile(downloads / "all.zip", "w") as archive:
        archive.writestr("ann_assignment2.zip", inner[0])
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ann_assignment2.zip", inner[1])
    found = collect(course, [downloads])
    assert layers_of(course, "ann") == "a = 1\n" and "duplicate name" in found.problems[0][1]


def test_a_damaged_part_of_a_download_is_named_and_the_rest_is_collected(course, downloads):
    path = bulk(downloads.parent / "all.zip", hand_in(downloads / "ann_assignment2.zip").parent)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("ben_assignment2.zip", b"0123456789" * 9)
    path.write_bytes(path.read_bytes().replace(b"0123456789", b"9876543210", 1))
    found = collect(course, [path])
    assert (
        set(found.students) == {"ann"}
        and "could not be unpacked: Bad CRC" in dict(found.problems)["ben_assignment2.zip"]
    )


class TestHostileNames:
    def test_no_name_in_a_download_leads_out_of_submitted(self, course, downloads, tmp_path):
        inner = hand_in(tmp_path / "inner.zip").read_bytes()
        names = [
            "../eve_assignment2.zip", "/tmp/eve_assignment2.zip", "x/../../eve.zip", "C:/eve_assignment2.zip",
            ".._1_2_x.zip", "a\x1b[2Jb_assignment2.zip", "a*_assignment2.zip", f"{'x' * 101}_1_2_x.zip",
            "a\\..\\..\\eve.zip", f"{'y' * 300}.zip", "good_assignment2.zip",
        ]  # fmt: skip
        with zipfile.ZipFile(downloads / "all.zip", "w") as archive:
            for name in names:
                archive.writestr(name, inner)
        before = {path for path in tmp_path.rglob("*") if "submitted" not in path.parts}
        found = collect(course, [downloads / "all.zip"])
        assert found.students == {"good": "new"} and len(found.problems) == 10
        assert there(course) == ["good/assignment2/good_assignment2.zip"]
        assert {path for path in tmp_path.rglob("*") if "submitted" not in path.parts} == before | {
            course.root / LOCK_FILE
        }

    def test_a_zip_that_holds_another_persons_zip_is_not_opened_as_a_download(self, course, downloads):
        hand_in(downloads / "ann.zip")
        theirs = hand_in(downloads.parent / "bob_assignment2.zip").read_bytes()
        with zipfile.ZipFile(downloads / "mallory.zip", "w") as archive:
            archive.writestr("bob_assignment2.zip", theirs)
        found = collect(course, [downloads])
        assert set(found.students) == {"ann"} and [what for what, _ in found.problems] == ["mallory.zip"]

    def test_an_odd_name_of_a_zip_is_not_kept(self, course, downloads):
        hand_in(downloads / "Jane_1_assignsubmission_file_" / "a\nb.ZIP")
        collect(course, [downloads])
        assert there(course) == ["Jane_1/assignment2/assignment2.zip"]


class TestNobodyIsTakenForAnother:
    @pytest.mark.parametrize(
        "names, why",
        [
            (("A2_jdoe_attempt_2026-11-01-10-11-12_x.zip", "B2_jdoe_attempt_2026-11-02-10-11-12_x.zip"), "--pattern"),
            (("ANN.zip", "ann.zip"), "the ids ANN and ann look alike"),
        ],
    )
    def test_ambiguous_names_are_left_to_the_instructor(self, course, downloads, names, why):
        for name in (*names, "zoe.zip"):
            hand_in(downloads / name)
        found = collect(course, [downloads])
        assert set(found.students) == {"zoe"} and {what for what, _ in found.problems} == set(names)
        assert all(why in said for _, said in found.problems)

    def test_an_underscore_in_blackboards_ids_keeps_two_people_two(self, course, downloads):
        for student in ("j_doe", "k_doe"):
            hand_in(downloads / f"A2_{student}_attempt_2026-11-01-10-11-12_x.zip", f"a = {student!r}\n")
        assert set(collect(course, [downloads]).students) == {"j_doe", "k_doe"}
        assert layers_of(course, "j_doe") == "a = 'j_doe'\n"


def test_a_download_out_of_bounds_is_refused_or_its_part_named(course, downloads, monkeypatch):
    inner = hand_in(downloads.parent / "inner.zip").read_bytes()
    path = downloads / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ann_assignment2.zip", inner)
        archive.writestr("ben_assignment2.zip", inner, zipfile.ZIP_LZMA)
    found = collect(course, [path])
    assert found.students == {"ann": "new"} and "other than deflate" in dict(found.problems)["ben_assignment2.zip"]
    monkeypatch.setattr(open_zip, "__defaults__", (1,))
    with pytest.raises(KitError, match="it holds more than 1 files. Unpack it, and give the folder"):
        collect(course, [path])


def test_a_pattern_of_ones_own_names_the_students(course, downloads):
    hand_in(downloads / "hw-2--ann.zip")
    hand_in(downloads / "ben.zip")
    found = collect(course, [downloads], r"hw-2--(?P<student>\w+)\.zip")
    assert found.students == {"ann": "new"} and found.problems == [("ben.zip", "the name does not fit --pattern")]


def test_a_path_that_is_no_source_is_refused(course, downloads):
    (downloads / "x.zip").write_bytes(b"no zip")
    with pytest.raises(KitError, match="neither a folder nor a zip"):
        collect(course, [downloads / "x.zip"])
    for source in (course.root, course.root.parent, course.root / "submitted"):
        with pytest.raises(KitError, match="contains this course itself"):
            collect(course, [source])


def test_an_argument_is_a_student_first_then_a_path(course, downloads, monkeypatch):
    hand_in(downloads / "ann.zip")
    collect(course, [downloads])
    monkeypatch.chdir(downloads.parent)
    (downloads.parent / "ann").mkdir()
    assert split_arguments(course, ["ann"]) == (["ann"], [])
    assert split_arguments(course, ["downloads"]) == ([], [downloads])
    assert split_arguments(course, ["nobody"]) == (["nobody"], [])
    assert split_arguments(course, ["ann", course.submitted("ann"), "ann", ""]) == (["ann", ""], [])
    assert split_arguments(course, [course.root / "submitted"]) == (["ann"], [])
    assert split_arguments(course, [course.submitted("ann")]) == (["ann"], [])
