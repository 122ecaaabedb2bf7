"""The doctor says which sandbox a machine has, and why no stronger one."""

import pytest

from autograder import doctor, sandbox


def sandbox_found():
    return next(finding for finding in doctor.examine() if finding.what == "sandbox")


@pytest.fixture
def without_bubblewrap(monkeypatch):
    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")


def test_bubblewrap_is_the_stronger_sandbox(bubblewrap):
    assert sandbox_found().ok and sandbox_found().found.startswith("bubblewrap works, the stronger")


def test_landlock_is_the_weaker_sandbox_and_the_reason_is_said(without_bubblewrap, landlock):
    found = sandbox_found()
    assert not found.ok and found.found.startswith("Landlock works, the weaker")
    assert "bwrap) is not installed" in found.found and "apt install bubblewrap" in found.mend


def test_without_either_it_says_what_student_code_could_do(without_bubblewrap, monkeypatch):
    monkeypatch.setattr(sandbox, "why_not_landlock", lambda: "Landlock is a part of Linux")
    found = sandbox_found()
    assert not found.ok and found.found.startswith("NONE") and "Landlock is a part of Linux" in found.found
