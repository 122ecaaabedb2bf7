"""Warnings about files that cannot be graded name the file, the reason and the next step."""

import pytest

from autograder.assignment.manifest import Limits, Manifest, Question
from autograder.intake import warnings
from autograder.intake.warnings import describe_skipped_files, find_warnings
from autograder.runtime.memo import Memo
from autograder.runtime.text import escape_file_name

LIMITS = Limits(1, 1, 1)
MANIFEST = Manifest(
    root=None,
    name="homework",
    package="pkg",
    editable=("pkg/layers.py", "pkg/optimizers.py"),
    provided=("pkg/fast_layers.py",),
    handout=(),
    questions=(
        Question("f", "f", "One", 1, LIMITS, file="pkg/layers.py"),
        Question("g", "g", "One", 1, LIMITS, file="pkg/optimizers.py"),
        Question("h", "h", "Two", 1, LIMITS, cells=("answer",)),
    ),
    aliases={"pkg/optimizers.py": "pkg/optim.py"},
)
GOOD = {"pkg/layers.py": b"x = 1\n", "pkg/optim.py": b"y = 1\n"}
NAME_IT = "Give the file exactly this path, with the same capitals, and submit everything again."


def warn(files, seen=()):
    return find_warnings(files, MANIFEST, [*files, *seen])


def test_good_files_give_no_warning():
    """Neither about a file with its former name, nor about absent notebooks."""
    assert warn(GOOD) == []


def test_a_module_that_is_missing_is_named():
    assert warn({"pkg/optim.py": b""}) == [
        f"pkg/layers.py is not in the submission; its answers count as missing. {NAME_IT}"
    ]


@pytest.mark.parametrize("name", ["pkg/Layers.py", "pkg/layers.py.txt", "layers.py", "pkg/layers (1).py", "LAYERS.PY"])
def test_a_file_with_a_similar_name_is_named_too(name):
    (sentence,) = warn({"pkg/optim.py": b""}, [name, "pkg/fast_layers.py"])
    assert f"There is {name}. {NAME_IT}" in sentence


def test_a_file_that_was_left_out_is_not_called_missing():
    assert (
        find_warnings({"pkg/optim.py": b""}, MANIFEST, ["pkg/layers.py"], ["pkg/layers.py was left out: large."]) == []
    )


def test_a_notebook_with_answers_is_missed_where_one_of_a_similar_name_came():
    (sentence,) = warn(GOOD, ["Two (1).ipynb"])
    assert sentence.startswith(
        "Two.ipynb is not in the submission; its answers count as missing. There is Two (1).ipynb."
    )


def test_an_unreadable_notebook_costs_the_answers_in_it_and_nothing_else():
    one, two = warn(GOOD | {"One.ipynb": b"{", "Two.ipynb": b"{"})
    assert (
        one == "One.ipynb could not be read: it is not JSON; the file may be cut off. The functions are still graded."
    )
    assert two.endswith("Answers in its cells count as missing; the modules are still graded.")


def test_a_notebook_under_the_name_of_a_module_is_called_one():
    (sentence,) = warn(GOOD | {"pkg/layers.py": b'{"cells": [], "nbformat": 4}'})
    assert sentence.startswith("pkg/layers.py is a notebook with the name of a module.")


def test_lone_carriage_returns_and_odd_escapes_are_no_faults(recwarn):
    assert warn(GOOD | {"pkg/layers.py": b'def f():\r    return "\\d"\r'}) == []
    assert not recwarn.list


def test_files_that_are_left_out_are_told_in_one_sentence():
    assert describe_skipped_files(["a\n.py"], "too long.") == r"a\n.py was left out: too long."
    assert describe_skipped_files(list("abcde"), "why.") == "a, b, c and 2 more files were left out: why."


def test_names_are_shown_without_control_characters():
    assert escape_file_name("a\x1b\udcff") == r"a\x1b\udcff" and escape_file_name("作业") == "作业"


def test_an_equal_file_of_another_submission_is_not_parsed_again(monkeypatch):
    parsed = []

    def find_problem(data, path):
        parsed.append(path)
        return f"{path} has a problem"

    monkeypatch.setattr(warnings, "_PROBLEMS", Memo(1 << 20))
    monkeypatch.setattr(warnings, "find_source_problem", find_problem)
    files = GOOD | {"pkg/layers.py": b"# parsed once\n"}
    assert warn(files)[0] == warn(files)[0] == "pkg/layers.py has a problem"
    assert parsed.count("pkg/layers.py") == 1
    warn(files | {"pkg/layers.py": b"# changed\n"})
    assert parsed.count("pkg/layers.py") == 2
