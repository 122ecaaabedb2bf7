"""Heat maps and tables of gradient checks."""

import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from cs231n.gradient_check import GradientCheck, GradientChecks, check_gradients
from cs231n.gradient_view import Code, checks_html, heat_map_html, picture_of, table_html

RNG = np.random.default_rng(231)


def arrays(*shape):
    expected = RNG.normal(size=shape)
    wrong = np.zeros(shape, dtype=bool)
    return expected, expected.copy(), wrong


def svg_of(text):
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL).group())


def test_a_slice_around_the_worst_entry():
    picture = picture_of(*arrays(120, 7), (110, 3), "dw")
    assert picture["caption"] == "dw, shape (120, 7): rows 96 to 119 of 120"
    assert np.shape(picture["ours"]) == np.shape(picture["theirs"]) == np.shape(picture["wrong"]) == (24, 7)
    assert picture["labels"] == ["measured", "yours"] and picture["first"] == [96, 0]


@pytest.mark.parametrize(
    "shape, worst, size, caption",
    [
        ((), (), (1, 1), "d, shape ()"),
        ((7,), (3,), (1, 7), "d, shape (7,)"),
        ((100,), (50,), (1, 32), "d, shape (100,): entries 34 to 65 of 100"),
        ((2, 3), (1, 2), (2, 3), "d, shape (2, 3)"),
        ((50, 40), (0, 39), (24, 32), "d, shape (50, 40): rows 0 to 23 of 50, columns 8 to 39 of 40"),
        ((4, 3, 8, 50), (2, 1, 7, 0), (8, 32), "d, shape (4, 3, 8, 50): slice [2, 1, :, :], columns 0 to 31 of 50"),
    ],
)
def test_arrays_of_any_number_of_dimensions(shape, worst, size, caption):
    expected, actual, wrong = arrays(*shape)
    actual[worst] += 1
    for asked in (worst, None):
        picture = picture_of(expected, actual, wrong, asked, "d")
        assert np.shape(picture["ours"]) == size and picture["caption"] == caption
        place = np.unravel_index(np.argmax(np.abs(np.subtract(picture["ours"], picture["theirs"]))), size)
        index = [*picture["first"][:-2], *(np.add(picture["first"][-2:], place[2 - min(2, len(shape)) :]))]
        assert tuple(index) == worst
    assert f"[{', '.join(map(str, worst))}]" in heat_map_html(picture)


def test_an_empty_array_has_no_entries():
    assert "no entries" in heat_map_html(picture_of(*arrays(0, 3), None, "dx"))


def test_pictures_survive_json_and_not_finite_values():
    _expected, actual, wrong = arrays(2, 3)
    actual[0] = np.nan, np.inf, -np.inf
    picture = picture_of(np.full((2, 3), 1 / 3), actual, wrong, (0, 0), "dw")
    assert json.loads(json.dumps(picture, allow_nan=False)) == picture
    assert picture["theirs"][0] == [None, None, None] and picture["ours"][0][0] == 0.333333
    assert "not finite" in heat_map_html(picture)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="arrays of one shape"):
        picture_of(np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((2, 3)), (0, 0), "dw")


def test_every_entry_tells_its_index_and_both_values():
    expected, actual, wrong = arrays(120, 70)
    expected[100, 60], actual[100, 60] = 0.25, 4
    svg = svg_of(heat_map_html(picture_of(expected, actual, wrong, (100, 60), "dw")))
    titles = [title.text for title in svg.iter("title")]
    assert len(titles) == 24 * 32
    assert "[100, 60] measured 0.25, yours 4" in titles


def test_the_colours_are_shared_and_keep_the_signs_apart():
    picture = picture_of([[1.0, -1.0, 0.0]], [[-1.0, 1.0, 500.0]], [[True, True, False]], (0, 0), "dw")
    groups = list(svg_of(heat_map_html(picture)).iter("g"))
    pairs = [[p.get("stroke") for p in g.findall("path")] for g in groups if g.find("title") is not None]
    assert pairs[0] == pairs[1][::-1] and len({*pairs[0], *pairs[2]}) == 4
    assert "≥ 2" in heat_map_html(picture)  # one huge entry does not bleach all others


def test_wrong_entries_are_outlined_or_all_of_them_framed():
    expected, actual, wrong = arrays(10, 10)
    assert "wrong" not in heat_map_html(picture_of(expected, actual, wrong, None, "dw"))
    wrong[2, 3] = True
    assert ">wrong<" in heat_map_html(picture_of(expected, actual, wrong, None, "dw"))
    wrong[...] = True
    assert ">every entry is wrong<" in heat_map_html(picture_of(expected, actual, wrong, None, "dw"))


def test_the_largest_map_stays_small():
    expected = -1e-5 * (1 + RNG.random((1200, 1700)))
    wrong = RNG.random(expected.shape) < 0.5
    assert len(heat_map_html(picture_of(expected, -expected, wrong, (1199, 1699), "dw"))) < 150_000


def test_text_is_escaped():
    picture = picture_of([1.0], [2.0], [True], (0,), "<script>alert(1)</script>\x1b", ("<b>", '"&'))
    text = heat_map_html(picture)
    assert "<script" not in text and "<b>" not in text and "\x1b" not in text
    svg_of(text)  # well-formed
    check = GradientCheck("<img src=x>", None, False, "<script>alert(1)</script>")
    assert "<img" not in checks_html([check]) and "<script" not in checks_html([check])


def test_a_table_holds_text_verdicts_and_code():
    table = table_html(("what", "<verdict>"), [("a < b", True), (Code("x & y"), np.False_), ((2, 3), None)])
    rows = [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(table).iter("tr")]
    assert rows == [["what", "<verdict>"], ["a < b", "✓ right"], ["x & y", "✗ wrong"], ["(2, 3)", "? undecided"]]
    assert re.findall("<code[^>]*>(.*?)</code>", table) == ["x &amp; y"]


def test_only_long_text_in_a_table_breaks_its_lines():
    styles = re.findall('<td style="([^"]*)"', table_html(("name", "size"), [("n" * 40, "n" * 41)]))
    assert ["white-space:nowrap" in style for style in styles] == [True, False]


def test_right_gradients_are_a_table_without_pictures():
    w = RNG.normal(size=(3, 4))
    checks = check_gradients(lambda w: w**2, {"w": w}, {"w": 2 * w}, np.ones((3, 4)))
    text = checks._repr_html_()
    assert "✓</b> right" in text and "(3, 4)" in text and "≤ " in text and "<svg" not in text


def test_a_wrong_gradient_shows_its_message_and_its_picture():
    w = RNG.normal(size=(3, 4))
    checks = check_gradients(lambda w: w**2, {"w": w}, {"w": 3 * w}, np.ones((3, 4)))
    text = checks._repr_html_()
    assert "✗</b> wrong" in text and "dw is wrong in 12 of 12 entries" in text and "<svg" in text


def test_a_kink_is_counted_and_a_shape_error_has_no_picture():
    x = np.array([0.0, 1.0, -1.0])
    checks = check_gradients(lambda x: np.maximum(0, x), {"x": x}, {"x": (x > 0) * 1.0}, np.ones(3))
    assert "1 at kinks" in checks._repr_html_()
    checks = check_gradients(lambda x: x**2, {"x": x}, {"x": np.zeros(4)}, np.ones(3))
    assert "has shape (4,)" in checks._repr_html_() and "<svg" not in checks._repr_html_()


def test_an_undecided_check_says_so():
    text = GradientChecks([GradientCheck("dx", np.zeros(2), None, "too rough")])._repr_html_()
    assert "?</b> undecided" in text and "too rough" in text
