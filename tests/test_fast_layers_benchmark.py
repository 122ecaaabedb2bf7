"""The benchmark of the fast layers: every case in both precisions, and ratios of runs that followed one another."""

import pytest

from benchmarks.fast_layers.__main__ import END, START, lines, markdown, ratio, summary
from benchmarks.fast_layers.cases import CONVOLUTIONS, POOLINGS, all_cases
from benchmarks.fast_layers.runners import CONTENDERS, numbers
from benchmarks.pages import write_between

ROW = {
    "kind": "convolution",
    "name": "a case",
    "type": "float32",
    "milliseconds": {"kit": [1.0, 2.0, 30.0], "PyTorch": [2.0, 4.0, 10.0], "products": [1.0, 1.0, 1.0]},
}


def test_every_case_comes_in_both_precisions():
    cases = list(all_cases())
    assert len(cases) == 2 * (len(CONVOLUTIONS) + len(POOLINGS) + 1)
    assert {dtype for _, _, dtype in cases} == {"float64", "float32"}


def test_all_contenders_see_the_same_numbers():
    case = ("convolution", "100,3,31,25,3,2,1", "float32")
    assert all((one == other).all() for one, other in zip(numbers(*case), numbers(*case), strict=True))
    assert [array.shape for array in numbers(*case)] == [(100, 3, 31, 31), (25, 3, 3, 3), (25,), (100, 25, 16, 16)]


def test_a_ratio_is_the_median_over_pairs_of_runs():
    assert ratio(ROW, "kit", "PyTorch") == 0.5
    assert ratio(ROW, "kit on NumPy", "classic") is None


def test_the_results_hold_medians_and_ratios_but_no_single_runs():
    (row,) = summary([ROW])
    assert row["name"] == "a case" and row["milliseconds"] == {"kit": 2.0, "PyTorch": 4.0, "products": 1.0}
    assert row["ratios"] == {"kit : PyTorch": 0.5, "kit : products": 2.0}


def test_what_is_not_installed_leaves_its_cells_empty():
    heading, cells = lines([ROW])
    assert len(heading) == len(cells) == 2 + len(CONTENDERS) + 3
    assert cells == ["a case", "float32", "2.0", "", "", "1.0", "4.0", "0.50", "2.00", ""]


def test_the_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    write_between(page, START, END, markdown([ROW], {"words": "2 threads"}))
    assert page.read_text().startswith(f"before\n{START}\n2 threads\n\n| case |")
    assert page.read_text().endswith(f" |\n{END}\nafter\n") and "old" not in page.read_text()
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="there are no lines"):
        write_between(page, START, END, "")
