"""The doctor says which sandbox a machine has, and why no stronger one."""

import pytest

from autograder.commands import doctor
from autograder.sandbox import cgroup
from autograder.sandbox import isolation as sandbox


def sandbox_found():
    return found("sandbox")


def found(what):
    return next(finding for finding in doctor.examine() if finding.what == what)


@pytest.fixture
def without_bubblewrap(monkeypatch):
    monkeypatch.setattr(sandbox, "why_not_bubblewrap", lambda secrets=(): "bubblewrap (bwrap) is not installed")


def test_bubblewrap_is_the_stronger_sandbox(bubblewrap):
    assert sandbox_found().ok and sandbox_found().found.startswith("bubblewrap works, the stronger")


def test_landlock_is_the_weaker_sandbox_and_the_reason_is_said(without_bubblewrap, landlock):
    said = sandbox_found()
    assert not said.ok and said.found.startswith("Landlock works, the weaker")
    assert "bwrap) is not installed" in said.found and "apt install bubblewrap" in said.repair


def test_without_either_it_says_what_student_code_could_do(without_bubblewrap, monkeypatch):
    monkeypatch.setattr(sandbox, "why_not_landlock", lambda: "Landlock is a part of Linux")
    said = sandbox_found()
    assert not said.ok and said.found.startswith("NONE") and "Landlock is a part of Linux" in said.found


def test_how_memory_is_limited_is_said_with_the_reason(monkeypatch):
    assert found("memory limit").ok == (not cgroup.why_not())
    monkeypatch.setattr(cgroup, "why_not", lambda: "there is none")
    assert "the address space is limited instead, because there is none" in found("memory limit").found
