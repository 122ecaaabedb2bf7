"""A file is written completely or not at all."""

import errno
import os
import stat
import threading

import pytest

from autograder.errors import StorageError
from autograder.runtime.atomic import write_atomically, write_output


def test_a_file_and_the_folders_above_it_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "report.json"
    write_atomically(path, b"whole")
    assert path.read_bytes() == b"whole" and os.listdir(path.parent) == ["report.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_old_file_is_replaced(tmp_path):
    write_atomically(tmp_path / "f", b"a longer old text")
    write_atomically(str(tmp_path / "f"), b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize(
    "trouble, told",
    [(OSError(errno.ENOSPC, "No space left on device"), StorageError), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["error", "interrupt"],
)
def test_trouble_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, trouble, told):
    (tmp_path / "f").write_bytes(b"old")

    def fail(*_):
        raise trouble

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(told):
        write_atomically(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old" and os.listdir(tmp_path) == ["f"]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path, monkeypatch):
    path, seen, fsync = tmp_path / "f", [], os.fsync
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(path.read_bytes()), fsync(handle)))
    write_atomically(path, b"new")
    assert seen == [b"old"] and path.read_bytes() == b"new"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_that_a_person_names_stays_and_its_target_is_written(tmp_path, there):
    link, target = tmp_path / "link", tmp_path / "elsewhere" / "f"
    link.symlink_to(target)
    if there:
        write_atomically(target, b"a longer old text")
    write_output(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new" and os.listdir(target.parent) == ["f"]


def test_a_pipe_that_a_person_names_is_written_into_and_stays(tmp_path):
    pipe, came = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: came.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_output(pipe, b"new")
    reader.join(timeout=120)
    assert came == [b"new"] and stat.S_ISFIFO(pipe.stat().st_mode) and os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("path, reason", [("/proc/x/y.json", "There is no folder /proc/x"), ("{}", "Is a directory")])
def test_a_path_that_cannot_be_written_is_named(tmp_path, path, reason):
    with pytest.raises(StorageError, match=reason):
        write_output(path.format(tmp_path), b"new")
