"""Values and expected values: which values are right, the message of a wrong value, and both forms of the table."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from cs231n.value_check import Values, check_parameters


def check(actual, expected, advice="Try this.", **options):
    """Compare one value named `out` and return its row."""
    values = Values()
    values.expect("out", actual, expected, advice, **options)
    (row,) = values
    return row


class Tensor:
    """A value of another library: not an array, but NumPy can convert it to an array."""

    def __init__(self, content):
        self.content = content

    def __array__(self, dtype=None, copy=None):
        return np.array(self.content, dtype=dtype)


class TestRight:
    @pytest.mark.parametrize(
        "actual, expected",
        [
            (1.5, 1.5),
            (3, 3.0),
            (True, True),
            ([True, False], [True, False]),
            ([[1, 2], [3, 4]], np.array([[1.0, 2.0], [3.0, 4.0]])),
            (np.float32(2.5), 2.5),
            ((6, 4, 50, 50), (6, 4, 50, 50)),
            (Tensor([1.0, 2.0]), [1, 2]),
            (np.zeros((0, 3)), np.zeros((0, 3))),
        ],
    )
    def test_are_numbers_of_any_kind_that_agree(self, actual, expected):
        row = check(actual, expected)
        assert row.passed and row.message == "" and row.error == 0 and row.picture is None

    def test_is_a_difference_up_to_the_bound_relative_to_the_entry(self):
        assert check(1000.001, 1000, bound=1.1e-6).passed
        assert not check(1000.001, 1000, bound=0.9e-6).passed
        assert check(1000.001, 1000, bound=1.1e-6).bound == "≤ 1.1e-06 relative"

    def test_is_a_difference_relative_to_the_typical_entry_where_that_is_larger(self):
        expected = np.array([0.0, 3.0, 4.0, 0.0])  # root mean square 2.5
        row = check(expected + [2.4e-6, 0, 0, 0], expected)
        assert row.passed and row.error == pytest.approx(2.4e-6 / 2.5)
        assert not check(expected + [2.6e-6, 0, 0, 0], expected).passed

    def test_is_an_absolute_difference_where_that_is_asked(self):
        assert check(1000.05, 1000, bound=0.1, relative=False).passed
        row = check(1000.2, 1000, bound=0.1, relative=False)
        assert not row.passed and row.error == pytest.approx(0.2) and row.bound == "≤ 1.0e-01"

    def test_is_an_absolute_difference_where_all_that_is_expected_is_0(self):
        row = check([1e-7, 0], np.zeros(2))
        assert row.passed and row.error == 1e-7 and row.bound == "≤ 1.0e-06"
        assert not check([1e-5, 0], np.zeros(2)).passed

    def test_is_nothing_but_the_same_where_the_bound_is_0(self):
        assert check([1.0, 2.0], [1, 2], bound=0).bound == "exact"
        assert not check([1.0, 2.0 + 1e-15], [1, 2], bound=0).passed

    def test_booleans_must_be_equal_for_every_bound(self):
        row = check([True, True], [True, False], bound=10)
        assert not row.passed and row.bound == "exact"
        assert row.message.startswith("out: True came back at [1], expected False")

    @pytest.mark.parametrize("scale", [1e-300, 1e300])
    def test_does_not_depend_on_the_size_of_the_numbers(self, scale):
        assert check(scale * np.array([3.0, 4.0]), scale * np.array([3.0, 4.0])).passed
        assert not check(scale * np.array([3.0, 4.1]), scale * np.array([3.0, 4.0])).passed


class TestWrong:
    def test_says_where_what_came_what_was_expected_and_what_to_try(self):
        row = check([[1, 2, 3], [4, 5, 8]], [[1, 2, 3], [4, 5, 6]])
        assert row.message == (
            "out: 8 came back at [1, 2], expected 6 "
            "(difference 3.3e-01, has to be ≤ 1.0e-06 relative; 1 of 6 entries are wrong). Try this."
        )
        assert row.picture["caption"] == "out, shape (2, 3)" and row.picture["labels"] == ["expected", "yours"]
        assert row.picture["ours"][1][2] == 6 and row.picture["theirs"][1][2] == 8

    def test_number_needs_neither_place_nor_picture(self):
        row = check(2, 1)
        assert (
            row.message == "out: 2 came back, expected 1 (difference 1.0e+00, has to be ≤ 1.0e-06 relative). Try this."
        )
        assert row.picture is None

    def test_worst_entry_is_shown_though_others_differ_more_in_themselves(self):
        row = check([1001.0, 0.0], [1000, 900], bound=1e-6)
        assert "0 came back at [1], expected 900" in row.message

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_is_what_is_not_finite(self, bad):
        row = check([1, bad, 3], [1, 2, 3], bound=1e9)
        assert not row.passed and row.error == np.inf and f"{bad:g} came back at [1], expected 2" in row.message

    @pytest.mark.parametrize("expected, asked", [(1.5, "a number"), ([[1, 2]], "numbers of shape (1, 2)")])
    def test_is_none(self, expected, asked):
        row = check(None, expected)
        assert row.message == f"out: None came back, expected {asked}. Is there a line that computes it? Try this."
        assert (row.passed, row.yours, row.error, row.picture) == (False, "None", None, None)

    @pytest.mark.parametrize("actual, shape", [([[1.0, 2.0]], "(1, 2)"), (1.0, "()"), ([1, 2, 3], "(3,)")])
    def test_is_another_shape(self, actual, shape):
        row = check(actual, [1, 2])
        assert row.message == f"out: shape {shape} came back, expected numbers of shape (2,). Try this."
        assert row.yours.endswith(f", shape {shape}") and row.expected == "[1, 2], shape (2,)" and row.error is None

    def test_is_an_array_where_a_number_is_expected(self):
        assert check([1.0], 1.0).message == "out: shape (1,) came back, expected a number. Try this."

    @pytest.mark.parametrize(
        "actual, came",
        [
            ("zero", "'zero' of type str"),
            ([[1], [2, 3]], "[[1], [2, 3]] of type list"),
            (2j, "2j of type complex"),
            ({"loss": 1}, "{'loss': 1} of type dict"),
            (np.array(["a\nb"]), "of type ndarray"),
        ],
    )
    def test_is_what_holds_no_real_numbers(self, actual, came):
        row = check(actual, [1, 2])
        assert f"{came} came back, expected numbers of shape (2,). Try this." in row.message
        assert row.error is None and "\n" not in row.yours

    def test_is_a_tensor_without_a_value(self):
        class Symbolic:
            def __array__(self, dtype=None, copy=None):
                raise NotImplementedError("no value yet")

        assert "of type Symbolic came back, expected a number" in check(Symbolic(), 1).message


class TestInBrief:
    @pytest.mark.parametrize(
        "actual, shown",
        [
            (1.23456789, "1.23457"),
            (-0.0, "0"),
            (True, "True"),
            ([1, 2.5, -0.0], "[1, 2.5, 0]"),
            ([True, False], "[True, False]"),
            ([-2.16525729, -0.5740303, 2.2488034, 2.55760186], "-2.165 … 2.558"),
            (np.arange(12).reshape(3, 4), "0 … 11"),
            (np.ones((3, 4)), "all 1"),
            (np.array([np.nan, 1, 2, 3, np.inf]), "1 … 3, 2 not finite"),
            (np.full(7, np.nan), "7 not finite"),
            (np.ones(9, dtype=bool), "all True"),
        ],
    )
    def test_are_numbers_and_arrays(self, actual, shown):
        assert check(actual, np.zeros(np.shape(actual))).yours == shown
        assert check(0, actual).expected.startswith(shown)


class TestRequire:
    def values(self, wrong, right=1):
        values = Values()
        for number in range(wrong):
            values.expect(f"value {number}", number, number + 1, f"Advice {number}.")
        for number in range(right):
            values.expect(f"right {number}", number, number, "Nothing to do.")
        return values

    def test_prints_what_is_done_when_all_is_right(self, capsys):
        assert self.values(0, right=3).require("All is right.") is None
        assert capsys.readouterr().out == "✓ All is right.\n"

    def test_prints_nothing_when_there_is_nothing_to_say(self, capsys):
        self.values(0).require()
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("wrong", [1, 3])
    def test_raises_with_the_advice_of_each_row_that_is_wrong(self, wrong, capsys):
        with pytest.raises(AssertionError) as raised:
            self.values(wrong).require("All is right.")
        lines = str(raised.value).splitlines()
        assert [line.rpartition(". ")[2] for line in lines] == [f"Advice {number}." for number in range(wrong)]
        assert capsys.readouterr().out == ""

    def test_stops_after_three_rows_and_counts_the_others(self):
        with pytest.raises(AssertionError, match=r"Advice 2\.\n\(and 2 more in the table\)$"):
            self.values(5).require()


class TestTheTable:
    def test_tells_both_sides_the_difference_and_the_bound(self):
        values = Values()
        values.expect("scores", [[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]], "Try this.")
        values.expect("mean", 0.5, 0.51, "Try this.", bound=0.02, relative=False)
        text = values._repr_html_()
        table = ElementTree.fromstring(f"<div>{text}</div>")
        rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        assert rows == [
            ["value", "verdict", "yours", "expected", "largest difference", "bound"],
            ["scores", "✓ right", "1 … 6", "1 … 6", "0", "≤ 1.0e-06 relative"],
            ["mean", "✓ right", "0.5", "0.51", "1.0e-02", "≤ 2.0e-02"],
        ]
        assert "<svg" not in text and "Try this" not in text

    def test_draws_the_first_three_values_that_are_wrong(self):
        values = Values()
        values.expect("right", [1, 2], [1, 2], "Nothing to do.")
        for number in range(5):
            values.expect(f"array {number}", [1, 2], [1, 3], f"Advice {number}.")
        text = values._repr_html_()
        assert text.count("<svg") == 3 and "Advice 2." in text and "Advice 3." not in text

    def test_escapes_every_value(self):
        values = Values()
        values.expect("out", "<script>alert(1)</script>", 1, "Try this.")
        values.expect("<b>bold</b>", [1, 2], [3, 4], "Is x < 3 & y?")
        text = values._repr_html_()
        assert "<script" not in text and "<b>bold" not in text and "x &lt; 3 &amp; y" in text
        ElementTree.fromstring(f"<div>{text}</div>")

    def test_is_plain_text_in_a_console(self):
        values = Values()
        values.expect("loss", 2.0, 2.0, "Try this.")
        values.expect("a name", None, [1, 2], "Try this.")
        assert repr(values).splitlines() == [
            "value   verdict  yours  expected  largest difference  bound",
            "loss    ✓ right  2      2         0                   ≤ 1.0e-06 relative",
            "a name  ✗ wrong  None   [1, 2]    –                   ≤ 1.0e-06 relative",
        ]

    def test_cuts_long_names_in_a_console_only(self):
        values = Values()
        values.expect("n" * 300, 1, 1, "Try this.")
        assert max(map(len, repr(values).splitlines())) < 150 and "n" * 59 + "…" in repr(values)
        assert "n" * 300 in values._repr_html_()

    def test_without_rows_is_a_head(self):
        assert repr(Values()).split()[0] == "value" and "<th" in Values()._repr_html_()


class TestParameters:
    SHAPES = {"W1": (40, 30), "b1": (30,)}

    def params(self, **changed):
        weights = 0.2 * np.random.default_rng(0).normal(size=(40, 30))
        return {"W1": weights, "b1": np.zeros(30)} | changed

    def test_are_right_with_the_asked_spread_and_biases_0(self):
        values = check_parameters(self.params(), self.SHAPES, 0.2)
        assert [(row.name, row.passed) for row in values] == [("W1: standard deviation", True), ("b1", True)]
        assert [row.bound for row in values] == ["≤ 1.0e-01 relative", "exact"]

    def test_are_wrong_with_another_spread_or_a_bias(self):
        values = check_parameters(self.params(W1=self.params()["W1"] * 1.3, b1=np.full(30, 1e-9)), self.SHAPES, 0.2)
        assert [row.passed for row in values] == [False, False]

    @pytest.mark.parametrize("changed", [{"b1": np.zeros((1, 30))}, {"W3": np.zeros(2)}, {"b1": None}])
    def test_of_other_names_or_shapes_are_told(self, changed):
        with pytest.raises(AssertionError, match=r"The parameters are\n.*\nexpected, in any order,\n.*'b1': \(30,\)"):
            check_parameters(self.params(**changed), self.SHAPES, 0.2)
