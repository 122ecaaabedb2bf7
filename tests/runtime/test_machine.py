"""Many judges share the machine; one that wants to be alone gets it, and a dead one keeps nobody waiting."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from autograder.runtime.machine import Place

HOLD = """
import sys, time
from autograder.runtime.machine import Place
with getattr(Place(sys.argv[1]), sys.argv[2])():
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Start another process that holds the machine, and return it once it does."""
    started = []

    def hold(how):
        command = [sys.executable, "-c", HOLD, str(tmp_path), how]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "in\n"
        return process

    yield hold
    for process in started:
        process.kill(), process.wait(), process.stdout.close()


def entering(place, how, log, name):
    """Return a running thread that notes in `log` when it is in."""

    def enter():
        with getattr(place, how)():
            log.append(name)

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    return thread


def test_many_judge_at_once(other, tmp_path):
    other("shared"), other("shared")
    with Place(tmp_path, patience=5).shared() as is_crowded:
        assert is_crowded()


def test_one_judge_on_an_idle_machine_is_not_crowded(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.runtime.machine.is_loaded", lambda: False)
    with Place(tmp_path).shared() as is_crowded:
        assert not is_crowded()


def test_a_machine_with_more_to_do_than_processors_is_crowded(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: ((os.cpu_count() or 1) + 0.5, 0, 0))
    with Place(tmp_path).shared() as is_crowded:
        assert is_crowded()


@pytest.mark.parametrize("first, second", [("shared", "alone"), ("alone", "shared"), ("alone", "alone")])
def test_alone_is_alone_until_the_other_is_killed(other, tmp_path, first, second):
    process, log = other(first), []
    thread = entering(Place(tmp_path), second, log, "in")
    time.sleep(0.2)
    assert log == []
    process.send_signal(signal.SIGKILL)
    thread.join(timeout=10)
    assert log == ["in"]


def test_newcomers_let_whoever_waits_to_be_alone_go_first(other, tmp_path):
    process, log = other("shared"), []
    waiting = entering(Place(tmp_path), "alone", log, "alone")
    time.sleep(0.2)
    newcomer = entering(Place(tmp_path), "shared", log, "newcomer")
    time.sleep(0.2)
    assert log == []
    process.kill()
    waiting.join(timeout=10), newcomer.join(timeout=10)
    assert log == ["alone", "newcomer"]


def test_patience_ends(other, tmp_path):
    other("shared")
    started = time.monotonic()
    with Place(tmp_path, patience=0.2).alone():
        assert 0.2 <= time.monotonic() - started < 5


def test_where_there_is_no_place_for_locks_nobody_waits(tmp_path):
    (tmp_path / "file").write_text("")
    place = Place(tmp_path / "file" / "below")
    with place.alone(), place.shared():
        pass


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path):
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / "room").symlink_to(tmp_path / "created")
    with Place(folder).shared():
        assert not (tmp_path / "created").exists()
