"""Notebooks of students are read or refused with a reason, and without warnings."""

import warnings

import nbformat
import pytest

from autograder.intake.safe_notebook import read_notebook


def notebook_with_ids(*ids):
    cells = [nbformat.v4.new_code_cell(f"x = {number}", id=name) for number, name in enumerate(ids)]
    return nbformat.v4.new_notebook(cells=cells)


def data_of(notebook):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.writes(notebook).encode()


def test_cells_with_one_id_are_all_read_without_a_warning(recwarn, capfd):
    data = data_of(notebook_with_ids("a", "b", "c")).replace(b'"b"', b'"a"').replace(b'"c"', b'"a"')
    notebook, reason = read_notebook(data)
    assert reason == "" and [cell.source for cell in notebook.cells] == ["x = 0", "x = 1", "x = 2"]
    assert not recwarn.list and capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b'{"cells": [', "it is not JSON"),
        (b"[]", "it is JSON but no valid notebook"),
        (b"{" * 100_001, "it has far more parts"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_with_the_reason(data, expected):
    notebook, reason = read_notebook(data)
    assert notebook is None and reason.startswith(expected)


def test_outputs_are_not_kept():
    notebook = notebook_with_ids("a")
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="loud")]
    assert read_notebook(data_of(notebook))[0].cells[0].outputs == []


@pytest.mark.parametrize("written, read", [(rb"\ud83d", "# ?"), (rb"\ud83d\ude00", "# \U0001f600")])
def test_half_a_character_becomes_a_question_mark(written, read):
    """JSON can hold one, UTF-8 cannot; the gradebook writes the notebook again."""
    notebook, _ = read_notebook(data_of(notebook_with_ids("a")).replace(b"x = 0", b"# " + written))
    assert notebook.cells[0].source == read and nbformat.writes(notebook).encode()


def test_cells_without_ids_are_read_without_a_warning(recwarn, capfd):
    notebook, reason = read_notebook(data_of(notebook_with_ids("a")).replace(b'"id": "a",', b""))
    assert reason == "" and notebook.cells[0].source == "x = 0"
    assert not recwarn.list and capfd.readouterr().err == ""
