"""The picture of a wrong array for a pack without its own pictures: two tables of numbers."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

ROWS, COLUMNS = 12, 12  # the size of the shown part, around the worst entry

_CELL = "padding:.15em .5em;text-align:right;font-variant-numeric:tabular-nums"
_WRONG = f"{_CELL};background:rgba(200,60,40,.22);font-weight:600"


def plain_picture(
    expected: np.ndarray,
    actual: np.ndarray,
    wrong: np.ndarray,
    worst: Sequence[int],
    name: str,
    labels: Sequence[str],
) -> dict[str, Any]:
    """Return the part of two arrays around the worst entry as plain data; docs/report_format.md names the fields.

    - expected, actual, wrong: arrays of one shape; of more than two axes, the slice of the worst entry is shown
    """
    shape = np.shape(expected)
    worst = tuple(map(int, worst)) or (0,) * len(shape)
    lead, last = worst[:-2], shape[-2:]
    starts = [_start(at, length, limit) for at, length, limit in zip(worst[-2:], last, (ROWS, COLUMNS)[-len(last) :])]
    part = tuple(slice(start, start + limit) for start, limit in zip(starts, (ROWS, COLUMNS)[-len(last) :]))
    ours, theirs, marks = (np.atleast_2d(np.asarray(array)[lead + part]) for array in (expected, actual, wrong))
    return {
        "ours": [[_plain(value) for value in row] for row in ours],
        "theirs": [[_plain(value) for value in row] for row in theirs],
        "wrong": marks.astype(bool).tolist(),
        "first": [*lead, *starts],
        "labels": list(labels),
        "caption": f"{name}, shape {shape}" + ("" if ours.size == np.size(expected) else ", the part around the worst"),
    }


def plain_table(picture: dict[str, Any]) -> str:
    """Return a picture as HTML: the expected and the returned numbers, with marked wrong entries."""
    sides = "".join(
        f'<div><div style="font-weight:600">{html.escape(label)}</div>{_table(picture[side], picture["wrong"])}</div>'
        for label, side in zip(picture["labels"], ("ours", "theirs"))
    )
    return (
        '<figure style="margin:.6em 0;font-size:13px;overflow-x:auto">'
        f"<figcaption>{html.escape(picture['caption'])}; first entry shown: {picture['first']}</figcaption>"
        f'<div style="display:flex;gap:2em">{sides}</div></figure>'
    )


def _table(rows: Sequence[Sequence[float | None]], wrong: Sequence[Sequence[bool]]) -> str:
    body = "".join(
        "<tr>" + "".join(f'<td style="{_WRONG if bad else _CELL}">{_text(v)}</td>' for v, bad in zip(*pair)) + "</tr>"
        for pair in zip(rows, wrong)
    )
    return f'<table style="border-collapse:collapse">{body}</table>'


def _start(centre: int, length: int, limit: int) -> int:
    """Return the start of a part of at most `limit` entries, with the centre in its middle if possible."""
    return max(0, min(centre - limit // 2, length - limit))


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _text(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4g}"
