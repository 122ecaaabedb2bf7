"""Pictures and tables of gradients: which entries are wrong shows, more often than not, why they are wrong.

A row that is off hints at an example treated alone, a column at a feature; everything off by one factor hints at a
missing division; everything of the other sign at a minus. Everything here returns HTML with its styles inside, for a
notebook in a light or a dark theme, and leaves the text in the theme's own colour.
"""

import re
from html import escape
from typing import Any

import numpy as np

ROWS, COLUMNS = 24, 32  # the largest slice that is drawn
# From the most negative over zero to the most positive. Blue and orange stay apart for every kind of colour vision.
COLOURS = ((18, 84, 156), (122, 178, 216), (244, 243, 239), (248, 180, 106), (196, 84, 8))
GREY, GROUND = "#9a9a9a", "#deddd8"
LINE = "rgba(128,128,128,.35)"
FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-variant-numeric:tabular-nums"
MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,monospace;font-size:.92em"
# symbol, word, tint behind both: the colour repeats what the word says
VERDICTS = {
    True: ("✓", "right", "rgba(22,150,110,.20)"),
    False: ("✗", "wrong", "rgba(222,92,40,.24)"),
    None: ("?", "undecided", "rgba(128,128,128,.22)"),
}


def picture_of(
    expected: Any, actual: Any, wrong: Any, worst: Any, name: str, labels: tuple = ("measured", "yours")
) -> dict:
    """Return what is to be drawn around the worst entry of two arrays, as plain lists ready for JSON.

    The last two axes are shown, at most 24 rows and 32 columns of them; a vector becomes one row.

    - expected, actual, wrong: arrays of one shape, of any number of dimensions; `wrong` holds booleans
    - worst: index tuple of the entry that has to be in the picture, or None for the largest difference
    - name: what the array is called in the caption
    - labels: titles of the two maps

    Returns `ours`, `theirs` (None where not finite), `wrong`, `labels`, `caption`, and `first`, the index of the
    first entry shown. Raises ValueError where the shapes differ.
    """
    expected, actual = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    wrong = np.asarray(wrong, dtype=bool)
    shape = expected.shape
    if actual.shape != shape or wrong.shape != shape:
        raise ValueError(f"a picture wants arrays of one shape; got {shape}, {actual.shape} and {wrong.shape}")
    if worst is None:
        worst = _largest_difference(expected, actual)
    above = len(shape) - min(len(shape), 2)  # axes before the two that are shown
    limits = (ROWS, COLUMNS)[2 - (len(shape) - above) :]
    windows = [_window(*axis) for axis in zip(worst[above:], shape[above:], limits, strict=True)]
    box = (*worst[:above], *(slice(*window) for window in windows))
    expected, actual, wrong = (np.atleast_2d(array[box]) for array in (expected, actual, wrong))
    return {
        "ours": [[_plain(value) for value in row] for row in expected],
        "theirs": [[_plain(value) for value in row] for row in actual],
        "wrong": wrong.tolist(),
        "labels": [str(label) for label in labels],
        "caption": _caption(name, shape, worst[:above], windows),
        "first": [int(i) for i in worst[:above]] + [start for start, _ in windows],
    }


def heat_map_html(picture: dict) -> str:
    """Return two heat maps side by side, expected left and the student's right, on one colour scale.

    Wrong entries are outlined, entries that are not finite are grey and crossed out, and every entry tells its index
    and both values to the mouse that rests on it. Small maps carry the numbers themselves.

    - picture: as `picture_of` returns it
    """
    caption = _text(picture["caption"])
    ours, theirs = picture["ours"], picture["theirs"]
    if not ours or not ours[0]:
        return f'<div style="{FONT};font-size:13px">{caption}: no entries</div>'
    limit = _limit(ours, theirs)
    rows, columns = len(ours), len(ours[0])
    written = columns <= 5 and rows <= 12
    width, height = (58, 22) if written else [max(9, min(20, 288 // max(rows, columns)))] * 2
    left, top, gap = 8 + 7 * max(len(str(i)) for i in (*_index(picture, rows - 1, 0), "")), 36, 28
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
        cells.append(f"<g><title>{_tooltip(picture, i, j, values)}</title>")
        for value, offset in zip(values, offsets, strict=True):
            x = offset + j * width
            colour = _colour(value, limit)
            cells.append(f'<path stroke="{colour}" d="M{x} {y + height / 2:g}h{width - 1}"/>')
            if value is None:
                crosses.append(
                    f"M{x + 1} {y + 1}l{width - 3} {height - 2}M{x + 1} {y + height - 1}l{width - 3} {2 - height}"
                )
            if written:
                numbers.append(_number(value, x + (width - 1) / 2, y + height / 2, abs(value or 0) > 0.75 * limit))
            if picture["wrong"][i][j] and not everything:
                outline.append(f"M{x:g} {y + 0.5}h{width - 1}v{height - 1}h{1 - width}z")
        cells.append("</g>")
    below = top + rows * height + 16
    marks = {"framed": everything, "wrong": bool(outline), "not finite": bool(crosses)}
    legend, legend_width = _legend(limit, below, left, marks, _clipped(ours, theirs, limit))
    total = max(offsets[1] + columns * width, legend_width) + 4
    return (
        f'<figure style="margin:.6em 0;{FONT};overflow-x:auto">'
        f'<figcaption style="font-size:13px;margin-bottom:2px">{caption}</figcaption>'
        f'<svg role="img" aria-label="{caption}" viewBox="0 0 {total} {below + 26}" width="{total}" '
        f'style="max-width:100%;min-width:{min(total, 420)}px;height:auto;display:block" font-size="11" '
        f'fill="currentColor" stroke="none">'
        + _titles(picture["labels"], offsets)
        + _ticks(picture, rows, columns, width, height, offsets, top)
        + f'<g stroke-width="{height - 1}">{"".join(cells)}</g>'
        + f'<g pointer-events="none"><path d="{"".join(crosses)}" stroke="#444" fill="none"/>'
        + f'{"".join(numbers)}<path d="{"".join(outline)}" stroke="#111" stroke-width="{pen}" fill="none"/></g>'
        + legend
        + "</svg></figure>"
    )


class Code(str):
    """An entry of a table that is set in the font of code."""


def table_html(head: Any, rows: Any) -> str:
    """Return a table in which True, False and None stand as verdicts (right, wrong, undecided), all else as text.

    - head: titles of the columns
    - rows: sequences of entries, each as long as head
    """
    cell = f"padding:.35em .8em;border-bottom:1px solid {LINE};text-align:left;background:none"
    short, long = f"{cell};white-space:nowrap", f"{cell};min-width:20em"  # only what is long may break its lines
    heads = "".join(
        f'<th scope="col" style="{short};font-weight:600;opacity:.75">{_text(title)}</th>' for title in head
    )
    body = "".join(
        "<tr>" + "".join(f'<td style="{long if len(str(x)) > 40 else short}">{_entry(x)}</td>' for x in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div style="{FONT};color:inherit;font-size:13px;line-height:1.45;overflow-x:auto">'
        f'<table style="border-collapse:collapse;margin:.4em 0;color:inherit;font-size:13px">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def note_html(message: str, passed: bool = False) -> str:
    """Return a message with a bar in the colour of its verdict at the side."""
    tint = VERDICTS[passed][2]
    return (
        f'<div style="{FONT};font-size:13px;line-height:1.45;margin:.8em 0 .3em;padding:.4em .8em;'
        f'border-left:3px solid {tint.replace(".2", ".9")};white-space:pre-wrap">{_text(message)}</div>'
    )


def checks_html(checks: Any) -> str:
    """Return a table of GradientCheck results; under it, for each failure, its message and its heat map."""
    head = ("gradient", "shape", "verdict", "largest relative error", "bound", "where", "left open")
    return table_html(head, map(_row, checks)) + "".join(_failure(check) for check in checks if not check.passed)


def _entry(entry):
    if entry is None or isinstance(entry, (bool, np.bool_)):
        symbol, word, tint = VERDICTS[entry if entry is None else bool(entry)]
        return f'<span style="background:{tint};border-radius:1em;padding:.1em .7em"><b>{symbol}</b> {word}</span>'
    text = _text(entry)
    return f'<code style="{MONO};background:none;color:inherit">{text}</code>' if isinstance(entry, Code) else text


def _row(check):
    open_entries = [f"{n} {what}" for n, what in ((check.kinks, "at kinks"), (check.undecided, "too noisy")) if n]
    return (
        Code(check.name),
        "–" if check.analytic is None else check.analytic.shape,
        check.passed,
        "–" if check.max_rel_error is None else f"{check.max_rel_error:.1e}",
        "–" if check.bound is None else f"≤ {check.bound:.1e}",
        Code("–" if check.worst_index is None else f"[{', '.join(map(str, check.worst_index))}]"),
        ", ".join(open_entries) or "–",
    )


def _failure(check):
    said = note_html(check.message, check.passed)
    if check.numeric is None or check.analytic is None or check.wrong is None:
        return said
    return said + heat_map_html(picture_of(check.numeric, check.analytic, check.wrong, check.worst_index, check.name))


def _largest_difference(expected, actual):
    """Return the index of the entry that differs most; one that is not finite differs most of all."""
    if not expected.size:
        return (0,) * expected.ndim
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.nan_to_num(np.abs(expected - actual), nan=np.inf)
    return np.unravel_index(np.argmax(difference), expected.shape)


def _window(centre, length, limit):
    """Return (start, stop) of at most `limit` positions around `centre`."""
    start = max(0, min(int(centre) - limit // 2, length - limit))
    return start, min(length, start + limit)


def _caption(name, shape, lead, windows):
    parts = []
    if lead:
        parts.append(f"slice [{', '.join([*map(str, map(int, lead)), ':', ':'])}]")
    words = {2: ("rows", "columns"), 1: ("entries",), 0: ()}[len(windows)]
    for word, (start, stop), length in zip(words, windows, shape[len(lead) :], strict=True):
        if stop - start < length:
            parts.append(f"{word} {start} to {stop - 1} of {length}")
    shape = f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
    return f"{name}, shape {shape}" + (": " + ", ".join(parts) if parts else "")


def _plain(value):
    """Return a float of six significant digits, or None where it is not finite."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _text(value):
    """Return text for HTML: control characters made visible, everything else escaped."""
    return escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", str(value)))


def _limit(ours, theirs):
    """Return where the colour scale ends: at the largest value, but at most at twice the largest expected one."""
    largest = [max((abs(v) for row in rows for v in row if v is not None), default=0.0) for rows in (ours, theirs)]
    return (min(max(largest), 2 * largest[0]) if largest[0] else largest[1]) or 1.0


def _clipped(ours, theirs, limit):
    return any(v is not None and abs(v) > limit for rows in (ours, theirs) for row in rows for v in row)


def _colour(value, limit):
    if value is None:
        return GREY
    place = (max(-1.0, min(1.0, value / limit)) + 1) / 2 * (len(COLOURS) - 1)
    low = min(int(place), len(COLOURS) - 2)
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(COLOURS[low], COLOURS[low + 1], strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _index(picture, i, j):
    """Return the index, in the whole array, of the entry drawn in row i and column j."""
    first = picture.get("first", [0, 0])
    return [*first[:-2], *(start + step for start, step in zip(first[-2:], (i, j)[-len(first) :], strict=False))]


def _tooltip(picture, i, j, values):
    told = ("not finite" if value is None else f"{value:.5g}" for value in values)
    pairs = ", ".join(f"{_text(label)} {value}" for label, value in zip(picture["labels"], told, strict=True))
    return f"[{', '.join(map(str, _index(picture, i, j)))}] {pairs}"


def _number(value, x, y, strong):
    """Return a number written into its cell, white on the strong colours."""
    if value is None:
        return ""
    ink = "#fff" if strong else "#1a1a1a"
    return f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" fill="{ink}">{value:.3g}</text>'


def _titles(labels, offsets):
    return "".join(
        f'<text x="{x}" y="13" font-weight="600" font-size="12">{_text(label)}</text>'
        for label, x in zip(labels, offsets, strict=True)
    )


def _ticks(picture, rows, columns, width, height, offsets, top):
    """Return the first, last and some indices between along the rows and the columns."""
    marks = []
    if len(picture.get("first", [0, 0])) > 1:
        for i in _places(rows, 4 if rows > 8 else 1):
            y = top + i * height + height / 2 + 4
            marks.append(f'<text x="{offsets[0] - 5}" y="{y:g}" text-anchor="end">{_index(picture, i, 0)[-2]}</text>')
    if picture.get("first", [0, 0]):
        for j in _places(columns, 8 if columns > 12 else 1):
            for x in offsets:
                x += j * width + (width - 1) / 2
                marks.append(f'<text x="{x:g}" y="{top - 5}" text-anchor="middle">{_index(picture, 0, j)[-1]}</text>')
    return f'<g opacity=".65" font-size="10">{"".join(marks)}</g>'


def _places(count, step):
    """Return every step-th position and the last, leaving out what would touch the last."""
    return [i for i in range(0, count - 1, step) if i <= count - 1 - step / 2] + [count - 1]


def _legend(limit, y, x, marks, clipped):
    """Return the colour scale with its three numbers and the marks in use, and how wide that is."""
    steps, step = 20, 8
    bar = "".join(
        f'<path stroke="{_colour(limit * (2 * k / steps - 1), limit)}" d="M{x + k * step} {y + 4}h{step + 0.5}"/>'
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
