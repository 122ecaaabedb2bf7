"""Heat maps and tables of gradients. The places of the wrong entries often show the mistake.

One wrong row suggests a mistake in one example, one wrong column a mistake in one feature. One factor in all entries
suggests a missing division, the opposite sign in all entries a missing minus. All functions return HTML with its styles
inside, for notebooks in light and in dark themes; text has the colour of the theme.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:  # only for the annotation: gradient_check imports this module
    from cs231n.gradient_check import GradientCheck

Picture = dict[str, Any]  # as `picture_of` returns it
Number = float | None  # an entry of a picture; None where it is not finite
Numbers = Sequence[Sequence[Number]]
Index = tuple[int, ...]
Pair = tuple[int, int]

ROWS, COLUMNS = 24, 32  # the largest slice that is drawn
# From the most negative over zero to the most positive. Blue and orange stay apart for every kind of colour vision.
COLOURS = ((18, 84, 156), (122, 178, 216), (244, 243, 239), (248, 180, 106), (196, 84, 8))
GREY, GROUND = "#9a9a9a", "#deddd8"
LINE = "rgba(128,128,128,.35)"
FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-variant-numeric:tabular-nums"
MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,monospace;font-size:.92em"
# symbol, word, colour behind both
VERDICTS = {
    True: ("✓", "right", "rgba(22,150,110,.20)"),
    False: ("✗", "wrong", "rgba(222,92,40,.24)"),
    None: ("?", "undecided", "rgba(128,128,128,.22)"),
}


def picture_of(
    expected: ArrayLike,
    actual: ArrayLike,
    wrong: ArrayLike,
    worst: Index | None,
    name: str,
    labels: tuple[str, str] = ("measured", "yours"),
) -> Picture:
    """Return the part of two arrays around the worst entry, for `heat_map_html`, as plain lists ready for JSON.

    The last two axes are shown, at most 24 rows and 32 columns of them; a vector becomes one row.

    - expected, actual, wrong: arrays of one shape, of any number of dimensions; `wrong` holds booleans
    - worst: index tuple of an entry that the picture must contain, or None for the largest difference
    - name: name of the array in the caption
    - labels: titles of the two maps

    Returns `ours`, `theirs` (None where not finite), `wrong`, `labels`, `caption`, and `first`, the index of the
    first entry shown. Raises ValueError where the shapes differ.
    """
    expected, actual = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    wrong = np.asarray(wrong, dtype=bool)
    shape = expected.shape
    if actual.shape != shape or wrong.shape != shape:
        shapes = f"{shape}, {actual.shape} and {wrong.shape}"
        raise ValueError(f"picture_of: expected, actual and wrong have shapes {shapes}; expected arrays of one shape")
    if worst is None:
        worst = _find_largest_difference(expected, actual)
    above = len(shape) - min(len(shape), 2)  # axes before the two that are shown
    limits = (ROWS, COLUMNS)[2 - (len(shape) - above) :]
    windows = [_choose_window(*axis) for axis in zip(worst[above:], shape[above:], limits, strict=True)]
    box = (*worst[:above], *(slice(*window) for window in windows))
    expected, actual, wrong = (np.atleast_2d(array[box]) for array in (expected, actual, wrong))
    return {
        "ours": [[_round(value) for value in row] for row in expected],
        "theirs": [[_round(value) for value in row] for row in actual],
        "wrong": wrong.tolist(),
        "labels": [str(label) for label in labels],
        "caption": _write_caption(name, shape, worst[:above], windows),
        "first": [int(i) for i in worst[:above]] + [start for start, _ in windows],
    }


def heat_map_html(picture: Picture) -> str:
    """Return two heat maps side by side, expected left and the student's right, on one colour scale.

    Wrong entries are outlined, and entries that are not finite are grey and crossed out. The tooltip of an entry has
    its index and both values. Small maps also contain the numbers.

    - picture: as `picture_of` returns it
    """
    caption = _escape(picture["caption"])
    ours, theirs = picture["ours"], picture["theirs"]
    if not ours or not ours[0]:
        return f'<div style="{FONT};font-size:13px">{caption}: no entries</div>'
    limit = _choose_limit(ours, theirs)
    rows, columns = len(ours), len(ours[0])
    written = columns <= 5 and rows <= 12
    width, height = (58, 22) if written else [max(9, min(20, 288 // max(rows, columns)))] * 2
    left, top, gap = 8 + 7 * max(len(str(i)) for i in (*_index_of(picture, rows - 1, 0), "")), 36, 28
    offsets = (left, left + columns * width + gap)
    everything = all(map(all, picture["wrong"]))
    pen = 1.7 if height > 12 else 1.2
    cells, numbers, outline, crosses = [], [], [], []
    for x in offsets:  # a light ground, so that outlines show in a dark theme too
        frame = f"M{x - 1} {top - 1}h{columns * width + 1}v{rows * height + 1}h-{columns * width + 1}z"
        edge = "currentColor" if everything else "none"
        cells.append(f'<path stroke="{edge}" stroke-width="3" fill="{GROUND}" d="{frame}"/>')
    for i, j in np.ndindex(rows, columns):
        y = top + i * height
        values = ours[i][j], theirs[i][j]
        cells.append(f"<g><title>{_write_tooltip(picture, i, j, values)}</title>")
        for value, offset in zip(values, offsets, strict=True):
            x = offset + j * width
            colour = _mix_colour(value, limit)
            cells.append(f'<path stroke="{colour}" d="M{x} {y + height / 2:g}h{width - 1}"/>')
            if value is None:
                crosses.append(
                    f"M{x + 1} {y + 1}l{width - 3} {height - 2}M{x + 1} {y + height - 1}l{width - 3} {2 - height}"
                )
            if written:
                numbers.append(_draw_number(value, x + (width - 1) / 2, y + height / 2, abs(value or 0) > 0.75 * limit))
            if picture["wrong"][i][j] and not everything:
                outline.append(f"M{x:g} {y + 0.5}h{width - 1}v{height - 1}h{1 - width}z")
        cells.append("</g>")
    below = top + rows * height + 16
    marks = {"framed": everything, "wrong": bool(outline), "not finite": bool(crosses)}
    legend, legend_width = _draw_legend(limit, (left, below), marks, _exceeds(ours, theirs, limit))
    total = max(offsets[1] + columns * width, legend_width) + 4
    return (
        f'<figure style="margin:.6em 0;{FONT};overflow-x:auto">'
        f'<figcaption style="font-size:13px;margin-bottom:2px">{caption}</figcaption>'
        f'<svg role="img" aria-label="{caption}" viewBox="0 0 {total} {below + 26}" width="{total}" '
        f'style="max-width:100%;min-width:{min(total, 420)}px;height:auto;display:block" font-size="11" '
        f'fill="currentColor" stroke="none">'
        + _draw_titles(picture["labels"], offsets)
        + _draw_ticks(picture, (width, height), offsets, top)
        + f'<g stroke-width="{height - 1}">{"".join(cells)}</g>'
        + f'<g pointer-events="none"><path d="{"".join(crosses)}" stroke="#444" fill="none"/>'
        + f'{"".join(numbers)}<path d="{"".join(outline)}" stroke="#111" stroke-width="{pen}" fill="none"/></g>'
        + legend
        + "</svg></figure>"
    )


class Code(str):
    """An entry that a table shows in the font of code."""


def table_html(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table that shows True, False and None as verdicts (right, wrong, undecided) and other values as text.

    - head: titles of the columns
    - rows: sequences of entries, each as long as head
    """
    cell = f"padding:.35em .8em;border-bottom:1px solid {LINE};text-align:left;background:none"
    short, long = f"{cell};white-space:nowrap", f"{cell};min-width:20em"  # only long text may break its lines
    style = f"{short};font-weight:600;opacity:.75"
    heads = "".join(f'<th scope="col" style="{style}">{_escape(title)}</th>' for title in head)
    body = ""
    for row in rows:
        cells = (f'<td style="{long if len(str(x)) > 40 else short}">{_write_entry(x)}</td>' for x in row)
        body += f"<tr>{''.join(cells)}</tr>"
    return (
        f'<div style="{FONT};color:inherit;font-size:13px;line-height:1.45;overflow-x:auto">'
        f'<table style="border-collapse:collapse;margin:.4em 0;color:inherit;font-size:13px">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def note_html(message: str, passed: bool | None = False) -> str:
    """Return a message with a bar in the colour of its verdict at its left."""
    tint = VERDICTS[passed][2]
    return (
        f'<div style="{FONT};font-size:13px;line-height:1.45;margin:.8em 0 .3em;padding:.4em .8em;'
        f'border-left:3px solid {tint.replace(".2", ".9")};white-space:pre-wrap">{_escape(message)}</div>'
    )


def checks_html(checks: Sequence["GradientCheck"]) -> str:
    """Return a table of gradient checks and, below it, the message and the heat map of each failure."""
    head = ("gradient", "shape", "verdict", "largest relative error", "bound", "where", "kinks, noise")
    failures = [_write_failure(check) for check in checks if not check.passed]
    return table_html(head, map(_row_of, checks)) + "".join(failures)


def _write_entry(entry: Any) -> str:
    if entry is None or isinstance(entry, (bool, np.bool_)):
        symbol, word, tint = VERDICTS[entry if entry is None else bool(entry)]
        return f'<span style="background:{tint};border-radius:1em;padding:.1em .7em"><b>{symbol}</b> {word}</span>'
    text = _escape(entry)
    return f'<code style="{MONO};background:none;color:inherit">{text}</code>' if isinstance(entry, Code) else text


def _row_of(check: "GradientCheck") -> tuple:
    counts = ((check.kinks, "at kinks"), (check.undecided, "too noisy"))
    return (
        Code(check.name),
        "–" if check.analytic is None else check.analytic.shape,
        check.passed,
        "–" if check.max_rel_error is None else f"{check.max_rel_error:.1e}",
        "–" if check.bound is None else f"≤ {check.bound:.1e}",
        Code("–" if check.worst_index is None else f"[{', '.join(map(str, check.worst_index))}]"),
        ", ".join(f"{count} {text}" for count, text in counts if count) or "–",
    )


def _write_failure(check: "GradientCheck") -> str:
    note = note_html(check.message, check.passed)
    if check.numeric is None or check.analytic is None or check.wrong is None:
        return note
    return note + heat_map_html(picture_of(check.numeric, check.analytic, check.wrong, check.worst_index, check.name))


def _find_largest_difference(expected: np.ndarray, actual: np.ndarray) -> Index:
    """Return the index of the entry that differs most; a difference that is not finite is the largest."""
    if not expected.size:
        return (0,) * expected.ndim
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.nan_to_num(np.abs(expected - actual), nan=np.inf)
    return tuple(map(int, np.unravel_index(np.argmax(difference), expected.shape)))


def _choose_window(centre: int, length: int, limit: int) -> Pair:
    """Return (start, stop) of at most `limit` positions around `centre`."""
    start = max(0, min(int(centre) - limit // 2, length - limit))
    return start, min(length, start + limit)


def _write_caption(name: str, shape: Index, lead: Index, windows: Sequence[Pair]) -> str:
    """Return the caption of the slice at index `lead`, of which the windows (start, stop) are drawn."""
    parts = []
    if lead:
        parts.append(f"slice [{', '.join([*map(str, map(int, lead)), ':', ':'])}]")
    words = {2: ("rows", "columns"), 1: ("entries",), 0: ()}[len(windows)]
    for word, (start, stop), length in zip(words, windows, shape[len(lead) :], strict=True):
        if stop - start < length:
            parts.append(f"{word} {start} to {stop - 1} of {length}")
    return f"{name}, shape {shape}" + (": " + ", ".join(parts) if parts else "")


def _round(value: float) -> Number:
    """Return a float of six significant digits, or None where it is not finite."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _escape(value: Any) -> str:
    """Return a value as text for HTML, with a visible sign for each control character."""
    return escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", str(value)))


def _choose_limit(ours: Numbers, theirs: Numbers) -> float:
    """Return the end of the colour scale: the largest value, but at most twice the largest expected value."""
    largest = [max((abs(v) for row in rows for v in row if v is not None), default=0.0) for rows in (ours, theirs)]
    return (min(max(largest), 2 * largest[0]) if largest[0] else largest[1]) or 1.0


def _exceeds(ours: Numbers, theirs: Numbers, limit: float) -> bool:
    return any(v is not None and abs(v) > limit for rows in (ours, theirs) for row in rows for v in row)


def _mix_colour(value: Number, limit: float) -> str:
    if value is None:
        return GREY
    place = (max(-1.0, min(1.0, value / limit)) + 1) / 2 * (len(COLOURS) - 1)
    low = min(int(place), len(COLOURS) - 2)
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(COLOURS[low], COLOURS[low + 1], strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _index_of(picture: Picture, i: int, j: int) -> list[int]:
    """Return the index, in the whole array, of the entry drawn in row i and column j."""
    first = picture.get("first", [0, 0])
    return [*first[:-2], *(start + step for start, step in zip(first[-2:], (i, j)[-len(first) :], strict=False))]


def _write_tooltip(picture: Picture, i: int, j: int, values: Iterable[Number]) -> str:
    texts = ("not finite" if value is None else f"{value:.5g}" for value in values)
    pairs = ", ".join(f"{_escape(label)} {text}" for label, text in zip(picture["labels"], texts, strict=True))
    return f"[{', '.join(map(str, _index_of(picture, i, j)))}] {pairs}"


def _draw_number(value: Number, x: float, y: float, strong: bool) -> str:
    """Return a number inside its cell, in white if the colour of the cell is strong."""
    if value is None:
        return ""
    ink = "#fff" if strong else "#1a1a1a"
    return f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" fill="{ink}">{value:.3g}</text>'


def _draw_titles(labels: Iterable[str], offsets: Pair) -> str:
    return "".join(
        f'<text x="{x}" y="13" font-weight="600" font-size="12">{_escape(label)}</text>'
        for label, x in zip(labels, offsets, strict=True)
    )


def _draw_ticks(picture: Picture, cell: Pair, offsets: Pair, top: int) -> str:
    """Return the first, the last and some other indices next to the rows and above the columns.

    - cell: width and height of one entry
    - offsets, top: left edges of the two maps, and their upper edge
    """
    rows, columns, (width, height) = len(picture["ours"]), len(picture["ours"][0]), cell
    marks = []
    if len(picture.get("first", [0, 0])) > 1:
        for i in _choose_ticks(rows, 4 if rows > 8 else 1):
            y, row = top + i * height + height / 2 + 4, _index_of(picture, i, 0)[-2]
            marks.append(f'<text x="{offsets[0] - 5}" y="{y:g}" text-anchor="end">{row}</text>')
    if picture.get("first", [0, 0]):
        for j in _choose_ticks(columns, 8 if columns > 12 else 1):
            column = _index_of(picture, 0, j)[-1]
            for offset in offsets:
                x = offset + j * width + (width - 1) / 2
                marks.append(f'<text x="{x:g}" y="{top - 5}" text-anchor="middle">{column}</text>')
    return f'<g opacity=".65" font-size="10">{"".join(marks)}</g>'


def _choose_ticks(count: int, step: int) -> list[int]:
    """Return every step-th position and the last, without those that would touch the last."""
    return [i for i in range(0, count - 1, step) if i <= count - 1 - step / 2] + [count - 1]


def _draw_legend(limit: float, corner: Pair, marks: Mapping[str, bool], clipped: bool) -> tuple[str, float]:
    """Return the colour scale with three numbers and the marks in use, at the corner (x, y), and its right edge.

    - clipped: whether some values are beyond the ends of the scale
    """
    steps, step, (x, y) = 20, 8, corner
    bar = "".join(
        f'<path stroke="{_mix_colour(limit * (2 * k / steps - 1), limit)}" d="M{x + k * step} {y + 4}h{step + 0.5}"/>'
        for k in range(steps + 1)
    )
    end = x + (steps + 1) * step
    low, high = ("≤ ", "≥ ") if clipped else ("", "")
    numbers = (("start", x, f"{low}{-limit:.3g}"), ("middle", (x + end) / 2, "0"), ("end", end, f"{high}{limit:.3g}"))
    parts = [f'<g stroke-width="9">{bar}</g>']
    parts += [f'<text x="{at:g}" y="{y + 21}" text-anchor="{side}">{word}</text>' for side, at, word in numbers]
    at = end + 24
    for mark, path, ink, words in (
        ("framed", "M-1 -1h15v14h-15z", "currentColor", "every entry is wrong"),
        ("wrong", "M1.5 1h10v10h-10z", "#111", "wrong"),
        ("not finite", "M1 1l11 10m-11 0l11 -10", "#444", "not finite"),
    ):
        if marks[mark]:
            ground = GREY if mark == "not finite" else GROUND
            parts.append(f'<g transform="translate({at:g} {y - 2})"><path d="M-1 -1h15v14h-15z" fill="{ground}"/>')
            parts.append(f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="1.5"/>')
            parts.append(f'<text x="20" y="10">{words}</text></g>')
            at += 20 + 7 * len(words) + 12
    return f"<g>{''.join(parts)}</g>", at
