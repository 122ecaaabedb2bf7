"""Any submission is read or refused with a sentence; the worker imports the staged files only."""

import os
import stat
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment.manifest import Manifest
from autograder.errors import INPUT, KitError
from autograder.intake import file_limits, file_sources
from autograder.intake import safe_zip as archives
from autograder.intake.reading import read_submission
from autograder.intake.staging import find_own_path, stage
from autograder.intake.submission import Submission

MANIFEST = Manifest(
    root=None,
    name="homework",
    package="pkg",
    editable=("pkg/layers.py", "pkg/optimizers.py", "pkg/nets/*.py"),
    handout=(),
    questions=(),
    aliases={"pkg/optimizers.py": "pkg/optim.py"},
)
LAYERS = b"def f():\n    return 1\n"
NOTEBOOK = b'{"cells": []}'
RELEASED = {
    "pkg/__init__.py": b"",
    "pkg/layers.py": b"stub = 1\n",
    "pkg/optimizers.py": b"stub = 2\n",
    "pkg/util.py": b"",
}


@pytest.fixture(params=["folder", "zip"])
def handed_in(request, tmp_path):
    """Hand in files ({path: bytes}) as a folder or as a zip, and read them."""

    def write_and_read(files):
        target = tmp_path / "ada"
        if request.param == "zip":
            target = tmp_path / "ada.zip"
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, data in files.items():
                    archive.writestr(path, data)
        else:
            target.mkdir()
            for path, data in files.items():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(data)
        return read_submission(target, MANIFEST, "ada")

    return write_and_read


class TestReading:
    @pytest.mark.parametrize("top", ["", "homework/", "Ada Lovelace/homework/", "a/b/c/"])
    def test_finds_the_package_at_the_top_or_deeper(self, handed_in, top):
        read = handed_in({f"{top}pkg/layers.py": LAYERS, f"{top}One.ipynb": NOTEBOOK})
        assert read.files == {"pkg/layers.py": LAYERS, "One.ipynb": NOTEBOOK}
        assert read.notes == [] and read.student == "ada"

    def test_takes_the_shallowest_of_several_packages_and_says_so(self, handed_in):
        read = handed_in({"old/backup/pkg/layers.py": b"x = 1\n", "new/pkg/layers.py": LAYERS})
        assert read.files == {"pkg/layers.py": LAYERS}
        assert read.notes == ["There are 2 packages pkg; the one in new was graded."]

    def test_of_the_notebook_alone_is_enough(self, handed_in):
        assert handed_in({"downloads/One.ipynb": NOTEBOOK}).files == {"One.ipynb": NOTEBOOK}

    def test_ignores_files_that_are_not_graded(self, handed_in):
        read = handed_in(
            {
                "pkg/layers.py": LAYERS,
                "pkg/data.bin": b"\0",
                "__MACOSX/pkg/layers.py": b"mac",
                "pkg/._layers.py": b"mac",
                "pkg/__pycache__/layers.py": b"",
                ".ipynb_checkpoints/One-checkpoint.ipynb": NOTEBOOK,
            }
        )
        assert list(read.files) == ["pkg/layers.py"] and read.notes == []

    def test_leaves_out_and_names_files_above_a_size_limit(self, handed_in, monkeypatch):
        monkeypatch.setattr(file_limits, "MAX_FILE", 50)
        monkeypatch.setattr(file_limits, "MAX_TOTAL", 100)
        files = {"pkg/layers.py": LAYERS, "pkg/long.py": b"#" * 51, "pkg/m.py": b"#" * 50, "pkg/n.py": b"#" * 50}
        read = handed_in(files)
        assert set(read.files) == {"pkg/layers.py", "pkg/m.py"}
        other, one = read.notes
        assert (
            one == "pkg/n.py was left out: all files together may have 0 MB. Submit only the files of the assignment."
        )
        assert other == "pkg/long.py was left out: one such file may have 0 KB."

    def test_leaves_out_files_above_the_number_of_files(self, handed_in, monkeypatch):
        monkeypatch.setattr(file_limits, "MAX_FILES", 2)
        read = handed_in({f"pkg/m{i}.py": b"" for i in range(4)})
        assert set(read.files) == {"pkg/m0.py", "pkg/m1.py"}
        (note,) = read.notes
        assert note == (
            "pkg/m2.py and pkg/m3.py were left out: a submission may have 2 files. "
            "Submit only the files of the assignment."
        )

    def test_reads_the_package_before_other_files(self, handed_in, monkeypatch):
        """A virtual environment, or notebooks of many megabytes, must not use up the limits before it."""
        monkeypatch.setattr(file_limits, "MAX_FILES", 2)
        monkeypatch.setattr(file_limits, "MAX_TOTAL", 60)
        along = {f".venv/m{number}.py": b"" for number in range(9)} | {"A.ipynb": b" " * 50, "a/b.npz": b"0" * 50}
        read = handed_in(along | {"pkg/layers.py": LAYERS, "pkg/own.py": b""})
        assert set(read.files) == {"pkg/layers.py", "pkg/own.py"}

    @pytest.mark.parametrize("files", [{}, {"readme.txt": b""}, {"layers.py": LAYERS}, {"notpkg/layers.py": LAYERS}])
    def test_of_nothing_that_is_graded_is_refused(self, handed_in, files):
        with pytest.raises(KitError, match="nothing in it is graded. Expected the folder pkg/") as error:
            handed_in(files)
        assert error.value.exit_code == INPUT

    def test_warns_about_files_that_do_not_parse(self, handed_in):
        read = handed_in(
            {
                "pkg/layers.py": b"def f(:\n",
                "pkg/nets/a.py": b"a = 1\nb = 2\n# \xff",
                "One.ipynb": b"{",
                "Two.ipynb": b"[]",
            }
        )
        one, two, layers, nets = read.notes
        assert one.startswith("One.ipynb could not be read: ") and two.startswith("Two.ipynb could not be read: ")
        assert layers.startswith("pkg/layers.py, line 1: ") and nets.startswith(
            "pkg/nets/a.py: cannot be decoded as text"
        )


def refuse(monkeypatch, owner, name, forbidden):
    """Make a function of `owner` fail for one path as it does where the permission is missing."""

    def refusing(path, *rest, original=getattr(owner, name)):
        if str(path) == str(forbidden):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *rest)

    monkeypatch.setattr(owner, name, refusing)


class TestAFolder:
    def test_has_no_link_followed(self, tmp_path):
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "layers.py").write_bytes(b"reference")
        handed_in = tmp_path / "ada"
        (handed_in / "pkg").mkdir(parents=True)
        (handed_in / "pkg" / "nets.py").write_bytes(b"")
        (handed_in / "pkg" / "layers.py").symlink_to(tmp_path / "secret" / "layers.py")
        (handed_in / "pkg" / "more").symlink_to(tmp_path / "secret")
        read = read_submission(handed_in, MANIFEST)
        assert list(read.files) == ["pkg/nets.py"]
        assert read.notes == [f"pkg/{name} is a link; links are not followed" for name in ("layers.py", "more")]

    @pytest.mark.timeout(120)  # it would wait for ever
    def test_has_no_fifo_read(self, tmp_path):
        (tmp_path / "pkg").mkdir()
        (tmp_path / "pkg" / "layers.py").write_bytes(LAYERS)
        os.mkfifo(tmp_path / "pkg" / "fifo.py")
        read = read_submission(tmp_path, MANIFEST)
        assert list(read.files) == ["pkg/layers.py"]
        assert read.notes == ["pkg/fifo.py is not a regular file; it was left out"]

    def test_names_files_that_cannot_be_read(self, tmp_path, monkeypatch):
        """The superuser can read every file, so the test raises the system's error."""
        for name in ("layers.py", "nets/a.py", "secret.py"):
            (tmp_path / "pkg" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "pkg" / name).write_bytes(LAYERS)
        refuse(monkeypatch, file_sources.Path, "read_bytes", tmp_path / "pkg" / "secret.py")
        refuse(monkeypatch, file_sources.os, "scandir", tmp_path / "pkg" / "nets")
        read = read_submission(tmp_path, MANIFEST)
        assert list(read.files) == ["pkg/layers.py"]
        assert sorted(read.notes) == [
            f"pkg/{name} could not be read: Permission denied" for name in ("nets", "secret.py")
        ]

    def test_may_have_names_that_are_not_text(self, tmp_path):
        (tmp_path / "pkg").mkdir()
        (tmp_path / "pkg" / "layers.py").write_bytes(LAYERS)
        os.symlink("x", os.fsencode(tmp_path / "pkg") + b"/\xff\x1b.py")
        (note,) = read_submission(tmp_path, MANIFEST).notes
        assert note == r"pkg/\udcff\x1b.py is a link; links are not followed"


class TestAZip:
    def zipped(self, path, *entries):
        with zipfile.ZipFile(path, "w") as archive:
            for entry, data in entries:
                archive.writestr(entry, data)
        return path

    @pytest.mark.parametrize("name", ["../pkg/evil.py", "/pkg/evil.py", "pkg/../../evil.py", "..\\evil.py"])
    def test_cannot_name_a_path_outside(self, tmp_path, name):
        read = read_submission(self.zipped(tmp_path / "a.zip", ("pkg/layers.py", LAYERS), (name, b"")), MANIFEST)
        assert list(read.files) == ["pkg/layers.py"]
        assert len(read.notes) == 1 and "points out of the archive" in read.notes[0]

    def test_cannot_hold_a_link(self, tmp_path):
        link = zipfile.ZipInfo("pkg/optimizers.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        path = self.zipped(tmp_path / "a.zip", ("pkg/layers.py", LAYERS), (link, b"/etc/passwd"))
        assert list(read_submission(path, MANIFEST).files) == ["pkg/layers.py"]
        with pytest.raises(
            KitError, match="Found: pkg/optimizers.py points out of the archive or is not a regular file"
        ):
            read_submission(self.zipped(tmp_path / "b.zip", (link, b"/etc/passwd")), MANIFEST)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_has_a_bomb_left_out_that_would_unpack_all_at_once(self, tmp_path, method):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pkg/layers.py", LAYERS)
            archive.writestr("pkg/bomb.npz", bytes(32 << 20), method)
        data = bytearray(path.read_bytes())
        place = data.rindex(b"PK\1\2") + 24
        data[place : place + 4] = struct.pack("<I", 1000)  # a small size declared
        path.write_bytes(data)
        tracemalloc.start()
        read = read_submission(path, MANIFEST)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert read.files == {"pkg/layers.py": LAYERS} and peak < 1 << 20
        assert read.notes == ["pkg/bomb.npz is packed by a method other than deflate; it was left out"]

    def test_of_too_many_members_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(archives.open_zip, "__defaults__", (2,))
        with pytest.raises(KitError, match="a.zip could not be unpacked: it holds more than 2 files"):
            read_submission(self.zipped(tmp_path / "a.zip", *[(f"pkg/{name}", b"") for name in "abc"]), MANIFEST)

    def test_written_on_windows_is_read(self, tmp_path):
        path = self.zipped(tmp_path / "a.zip", ("homework\\pkg\\layers.py", LAYERS))
        assert read_submission(path, MANIFEST).files == {"pkg/layers.py": LAYERS}

    def test_that_is_none_is_refused(self, tmp_path):
        (tmp_path / "a.zip").write_bytes(b"Rar!")
        with pytest.raises(KitError, match="a.zip is not a zip archive, although its name says so"):
            read_submission(tmp_path / "a.zip", MANIFEST)

    def test_with_a_password_is_refused(self, tmp_path):
        path = self.zipped(tmp_path / "a.zip", ("pkg/layers.py", LAYERS))
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.index(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
        with pytest.raises(KitError, match="a.zip could not be unpacked: .*without a password"):
            read_submission(path, MANIFEST)

    @given(position=st.integers(0, 10_000), value=st.integers(0, 255))
    def test_that_is_damaged_is_read_or_refused_but_never_crashes(self, tmp_path_factory, position, value):
        path = self.zipped(
            tmp_path_factory.getbasetemp() / "damaged.zip", ("pkg/layers.py", LAYERS), ("pkg/b.py", b"#")
        )
        data = bytearray(path.read_bytes())
        data[position % len(data)] = value
        path.write_bytes(data)
        try:
            assert read_submission(path, MANIFEST).files
        except KitError as error:
            assert "damaged.zip" in str(error)


@pytest.mark.parametrize(
    "name, says", [("nobody", "there is no such file or folder"), ("fifo", "neither a folder nor")]
)
def test_a_path_that_is_no_submission_is_refused(tmp_path, name, says):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(KitError, match=says):
        read_submission(tmp_path / name, MANIFEST)


class TestStaging:
    @pytest.fixture
    def staged(self, tmp_path):
        def stage_and_list(files):
            stage(Submission("ada", files), RELEASED, MANIFEST, tmp_path, {})
            paths = [path for path in tmp_path.rglob("*") if path.is_file()]
            return {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in paths}

        return stage_and_list

    def test_lays_the_students_files_over_the_released_ones(self, staged):
        assert staged({"pkg/layers.py": LAYERS}) == RELEASED | {"pkg/layers.py": LAYERS}

    def test_restores_provided_files(self, staged):
        assert staged({"pkg/util.py": b"cheat", "pkg/__init__.py": b"cheat"}) == RELEASED

    def test_adds_modules_of_the_students_own(self, staged):
        own = {"pkg/helpers.py": b"1", "pkg/nets/mine.py": b"2", "pkg/nets/deep/er.py": b"3"}
        assert staged(own) == RELEASED | own

    def test_leaves_out_files_that_are_no_modules_of_the_package(self, staged):
        assert staged({"numpy.py": b"cheat", "One.ipynb": b"", "pkg/One.ipynb": b""}) == RELEASED

    @pytest.mark.parametrize("today", [None, RELEASED["pkg/optimizers.py"]], ids=["absent", "untouched"])
    def test_takes_a_file_of_a_former_name_for_one_that_was_not_filled_in(self, staged, today):
        files = {"pkg/optim.py": b"filled"} | ({"pkg/optimizers.py": today} if today else {})
        assert staged(files)["pkg/optimizers.py"] == b"filled"
        assert find_own_path(Submission("ada", files), "pkg/optimizers.py", MANIFEST, RELEASED) == "pkg/optim.py"

    def test_prefers_todays_name_where_both_are_filled_in(self, staged):
        files = {"pkg/optim.py": b"old", "pkg/optimizers.py": b"new"}
        assert staged(files)["pkg/optimizers.py"] == b"new"
        assert find_own_path(Submission("ada", files), "pkg/optimizers.py", MANIFEST, RELEASED) == "pkg/optimizers.py"

    def test_keeps_a_file_that_never_had_another_name(self):
        assert find_own_path(Submission("ada", {}), "pkg/layers.py", MANIFEST, RELEASED) == "pkg/layers.py"
