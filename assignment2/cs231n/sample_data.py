"""Draws a small data set that replaces CIFAR-10 on machines without a network.

It contains ten kinds of small pictures, 2,000 for training and 400 for testing, in the file format of CIFAR-10. The
pickles have the opcodes that Python 2 writes, so every program that reads CIFAR-10 can read them. This module writes
them itself, because `pickle.dumps` stores a name that depends on NumPy's version. Every run writes the same bytes;
another version of Pillow may draw a few pixels at the edges of a shape in a different shade.

    python -m cs231n.sample_data [FOLDER]      makes FOLDER/cifar-10-sample
"""

import colorsys
import contextlib
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SAMPLE_FOLDER = "cifar-10-sample"
TRAINING_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
BATCH_FILES = TRAINING_BATCHES + ("test_batch", "batches.meta")
IMAGES_PER_BATCH = 400
SEED = 231
SIZE, OVERSAMPLING = 32, 4

Colour = tuple[int, int, int]


def _arc(x: float, y: float, rx: float, ry: float, start: float = 0, stop: float = 360, steps: int = 24) -> np.ndarray:
    """Return points (steps, 2) on an ellipse; an angle of 0 degrees is right of the centre, 90 degrees below it."""
    angles = np.radians(np.linspace(start, stop, steps))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


# Each class has a favourite hue and polygons, back to front, in a square from -1 to 1 whose y axis points down.
# "main" is a colour near that hue, "second" a colour far from it; "pale" and "dark" are almost white and almost black.
PICTURES = {
    "balloon": (
        0.00,
        [
            ("dark", np.array([(-0.45, 0.05), (0.45, 0.05), (0.16, 0.72), (-0.16, 0.72)])),
            ("pale", np.array([(-0.36, 0.10), (0.36, 0.10), (0.11, 0.70), (-0.11, 0.70)])),
            ("main", _arc(0, -0.30, 0.68, 0.68)),
            ("second", _arc(0, -0.30, 0.26, 0.68)),
            ("dark", _box(-0.18, 0.68, 0.18, 0.96)),
        ],
    ),
    "boat": (
        0.60,
        [
            ("dark", _box(-0.05, -0.95, 0.05, 0.40)),
            ("pale", np.array([(0.10, -0.90), (0.85, 0.28), (0.10, 0.28)])),
            ("second", np.array([(-0.10, -0.70), (-0.10, 0.28), (-0.65, 0.28)])),
            ("main", np.array([(-0.95, 0.40), (0.95, 0.40), (0.60, 0.85), (-0.65, 0.85)])),
        ],
    ),
    "butterfly": (
        0.83,
        [
            ("main", _arc(-0.50, -0.35, 0.45, 0.50)),
            ("main", _arc(0.50, -0.35, 0.45, 0.50)),
            ("second", _arc(-0.40, 0.42, 0.34, 0.38)),
            ("second", _arc(0.40, 0.42, 0.34, 0.38)),
            ("pale", _arc(-0.52, -0.38, 0.18, 0.20)),
            ("pale", _arc(0.52, -0.38, 0.18, 0.20)),
            ("dark", _arc(0, 0, 0.10, 0.75)),
        ],
    ),
    "cactus": (
        0.38,
        [
            ("main", _arc(0, -0.20, 0.26, 0.78)),
            ("main", _box(-0.72, -0.12, 0.0, 0.14)),
            ("main", _arc(-0.66, -0.24, 0.15, 0.38)),
            ("main", _box(0.0, 0.02, 0.72, 0.28)),
            ("main", _arc(0.66, -0.16, 0.15, 0.44)),
            ("pale", _arc(0, -0.88, 0.14, 0.12)),
            ("second", np.array([(-0.50, 0.40), (0.50, 0.40), (0.34, 0.96), (-0.34, 0.96)])),
        ],
    ),
    "fish": (
        0.07,
        [
            ("second", np.array([(0.35, 0.0), (0.95, -0.50), (0.80, 0.0), (0.95, 0.50)])),
            ("second", np.array([(-0.30, -0.35), (0.10, -0.75), (0.30, -0.30)])),
            ("main", _arc(-0.20, 0, 0.74, 0.46)),
            ("pale", _arc(0.08, 0.0, 0.09, 0.34)),
            ("pale", _arc(-0.58, -0.10, 0.15, 0.15)),
            ("dark", _arc(-0.60, -0.10, 0.08, 0.08)),
        ],
    ),
    "house": (
        0.10,
        [
            ("dark", _box(0.30, -0.85, 0.52, -0.30)),
            ("main", _box(-0.70, -0.15, 0.70, 0.88)),
            ("second", np.array([(-0.95, -0.10), (0.0, -0.95), (0.95, -0.10)])),
            ("dark", _box(-0.46, 0.28, -0.10, 0.88)),
            ("pale", _box(0.12, 0.16, 0.50, 0.52)),
        ],
    ),
    "moon": (
        0.15,
        [
            ("main", np.concatenate([_arc(0, 0, 0.92, 0.92, 50, 310), _arc(0.32, 0, 0.70, 0.72, 285, 75)])),
            (
                "pale",
                np.array(
                    [
                        (0.48, -0.30),
                        (0.56, -0.08),
                        (0.78, 0.0),
                        (0.56, 0.08),
                        (0.48, 0.30),
                        (0.40, 0.08),
                        (0.18, 0.0),
                        (0.40, -0.08),
                    ]
                ),
            ),
        ],
    ),
    "mushroom": (
        0.97,
        [
            ("pale", np.array([(-0.22, 0.0), (0.22, 0.0), (0.34, 0.92), (-0.34, 0.92)])),
            ("main", _arc(0, 0.10, 0.92, 0.90, 180, 360)),
            ("pale", _arc(-0.45, -0.22, 0.16, 0.15)),
            ("pale", _arc(0.10, -0.48, 0.18, 0.17)),
            ("pale", _arc(0.50, -0.10, 0.14, 0.13)),
        ],
    ),
    "rocket": (
        0.52,
        [
            ("second", np.array([(-0.22, 0.50), (0.22, 0.50), (0.0, 1.0)])),
            ("main", np.array([(-0.28, 0.0), (-0.66, 0.68), (-0.20, 0.52)])),
            ("main", np.array([(0.28, 0.0), (0.66, 0.68), (0.20, 0.52)])),
            ("pale", _arc(0, -0.15, 0.34, 0.78)),
            ("main", _arc(0, -0.15, 0.34, 0.78, 215, 325)),
            ("dark", _arc(0, -0.16, 0.16, 0.16)),
        ],
    ),
    "tree": (
        0.30,
        [
            ("dark", _box(-0.13, 0.45, 0.13, 0.98)),
            ("main", np.array([(-0.80, 0.58), (0.0, -0.25), (0.80, 0.58)])),
            ("main", np.array([(-0.64, 0.10), (0.0, -0.65), (0.64, 0.10)])),
            ("main", np.array([(-0.46, -0.35), (0.0, -0.98), (0.46, -0.35)])),
        ],
    ),
}
CLASS_NAMES = tuple(PICTURES)


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _draw_background(rng: np.random.RandomState) -> Image.Image:
    """Return a sky, by day or by night, whose colour changes from top to bottom, with a hill in front of it."""
    night = rng.rand() < 0.3
    hue, saturation = rng.rand(), rng.uniform(0.15, 0.45)
    low, high = (0.15, 0.40) if night else (0.70, 1.00)
    top, bottom = (np.array(_rgb(hue + rng.uniform(-0.1, 0.1), saturation, rng.uniform(low, high))) for _ in "tb")
    width = SIZE * OVERSAMPLING
    fade = np.linspace(0, 1, width)[:, None, None]
    sky = (top + (bottom - top) * fade).astype(np.uint8)  # one pixel for each row
    canvas = Image.fromarray(sky).resize((width, width), Image.Resampling.NEAREST)
    hill = _arc(rng.uniform(0, 1), rng.uniform(1.1, 1.4), rng.uniform(0.6, 1.2), rng.uniform(0.3, 0.6))
    ground = _rgb(rng.rand(), rng.uniform(0.1, 0.4), rng.uniform(low, high) * 0.85)
    ImageDraw.Draw(canvas).polygon((hill * SIZE * OVERSAMPLING).ravel().tolist(), fill=ground)
    return canvas


def draw_image(label: int, rng: np.random.RandomState) -> np.ndarray:
    """Return a picture of class `label`, uint8 of shape (32, 32, 3); `rng` draws place, size, angle and colours."""
    favourite_hue, polygons = PICTURES[CLASS_NAMES[label]]
    hue = rng.rand() if rng.rand() < 0.35 else favourite_hue + 0.05 * rng.randn()
    colours = {
        "main": _rgb(hue, rng.uniform(0.55, 0.95), rng.uniform(0.55, 0.95)),
        "second": _rgb(hue + rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.95)),
        "pale": _rgb(rng.rand(), rng.uniform(0.0, 0.15), rng.uniform(0.85, 1.0)),
        "dark": _rgb(rng.rand(), rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.3)),
    }
    angle, mirrored = np.radians(rng.uniform(-25, 25)), rng.choice([-1, 1])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    scale, centre = rng.uniform(9, 13.5), SIZE / 2 + rng.uniform(-5, 5, size=2)
    canvas = _draw_background(rng)
    brush = ImageDraw.Draw(canvas)
    for role, points in polygons:
        placed = (points * [mirrored, 1] @ turn * scale + centre) * OVERSAMPLING
        brush.polygon(placed.ravel().tolist(), fill=colours[role])
    pixels = np.asarray(canvas.reduce(OVERSAMPLING), dtype=np.float64)
    pixels = pixels * rng.uniform(0.8, 1.1) + rng.normal(0, 9, size=pixels.shape)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _draw_batch(batch_label: bytes, rng: np.random.RandomState) -> dict[bytes, Any]:
    """Return a batch as the dictionary that CIFAR-10 stores: every class equally often, in random order."""
    labels = rng.permutation(np.arange(IMAGES_PER_BATCH) % len(CLASS_NAMES)).tolist()
    images = np.stack([draw_image(label, rng) for label in labels])
    return {
        b"data": images.transpose(0, 3, 1, 2).reshape(IMAGES_PER_BATCH, -1),
        b"labels": labels,
        b"batch_label": batch_label,
        b"filenames": [f"{CLASS_NAMES[label]}_s_{row:06d}.png".encode() for row, label in enumerate(labels)],
    }


def _write_opcodes(value: Any) -> bytes:
    """Return a value in the opcodes of pickle protocol 2 in Python 2, for the few types in a CIFAR-10 file."""
    if isinstance(value, bytes):
        short = len(value) < 256
        return (b"U" + struct.pack("<B", len(value)) if short else b"T" + struct.pack("<i", len(value))) + value
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(_write_opcodes, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(_write_opcodes(part) for item in value.items() for part in item) + b"u"
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        empty_array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        uint8 = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        shape = b"(" + b"".join(map(_write_opcodes, value.shape)) + b"t"
        return empty_array + b"(K\x01" + shape + uint8 + b"\x89" + _write_opcodes(value.tobytes()) + b"tb"
    raise TypeError(f"a CIFAR-10 file holds no {type(value).__name__}; expected bytes, int, list, dict or uint8 array")


def encode_pickle(value: Any) -> bytes:
    """Return a value of bytes, ints, lists, dicts and uint8 arrays as Python 2 pickles it (protocol 2)."""
    return b"\x80\x02" + _write_opcodes(value) + b"."


def is_complete(folder: str | Path) -> bool:
    """Return whether `folder` holds all seven files of a CIFAR-10 data set, genuine or sample."""
    return all(os.path.isfile(os.path.join(folder, name)) for name in BATCH_FILES)


def make_sample(datasets: str | Path) -> Path:
    """Make the folder cifar-10-sample in `datasets`, unless it exists already, and return its path.

    The files are written to a temporary folder, which is then renamed, so no process ever sees a part of them. If two
    processes make the sample at once, the second uses the identical files of the first. Raises OSError if `datasets` is
    not writable.
    """
    target = Path(datasets) / SAMPLE_FOLDER
    if is_complete(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{SAMPLE_FOLDER}-", dir=target.parent))
    try:
        fresh = temporary / "fresh"
        fresh.mkdir()
        rng = np.random.RandomState(SEED)  # unlike default_rng, it gives the same numbers in every version of NumPy
        for number, name in enumerate(TRAINING_BATCHES, 1):
            batch = _draw_batch(f"training batch {number} of 5".encode(), rng)
            (fresh / name).write_bytes(encode_pickle(batch))
        (fresh / "test_batch").write_bytes(encode_pickle(_draw_batch(b"testing batch 1 of 1", rng)))
        meta = {
            b"num_cases_per_batch": IMAGES_PER_BATCH,
            b"label_names": [name.encode() for name in CLASS_NAMES],
            b"num_vis": 3 * SIZE * SIZE,
        }
        (fresh / "batches.meta").write_bytes(encode_pickle(meta))
        if not is_complete(target):
            with contextlib.suppress(FileNotFoundError):  # it exists only if somebody deleted a part of it
                target.rename(temporary / "broken")
        try:
            fresh.rename(target)
        except OSError:
            if not is_complete(target):
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


if __name__ == "__main__":
    print(make_sample(sys.argv[1] if len(sys.argv) > 1 else "datasets"))
