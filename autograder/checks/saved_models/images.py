"""Images for measuring the accuracy of a trained net, determined by the grading secret. The judge keeps their labels.

Like the students' training images they are float32 of shape (N, 3, 32, 32), minus the mean training image. This
module prints nothing and writes to no folder of data.
"""

import functools
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.checks.catalogue import ASSIGNMENT
from cs231n import data_utils, sample_data

KIT = ASSIGNMENT.parent
TITLES = {"cifar10": "CIFAR-10", "sample": "the built-in sample"}
# The mean training image of the built-in sample, in a file because drawing the sample takes seconds in every process.
# Call write_mean_of_sample after a change of the sample.
MEAN_OF_SAMPLE = Path(__file__).with_name("sample_mean_image.npy")
# The defaults of get_CIFAR10_data; the mean is over the training images.
TRAINING, VALIDATION = 49000, 1000


@dataclass(frozen=True, eq=False)
class Images:
    """Images X (N, 3, 32, 32), their labels y (N,), and the name of their data set."""

    title: str
    X: np.ndarray
    y: np.ndarray


def get_hidden_images(source: str, count: int, secret: tuple[int, ...]) -> Images | None:
    """Return `count` Images of "cifar10" or of "sample", the same for the same secret; None if there are none.

    - cifar10: test images of genuine CIFAR-10 (fewer if it has fewer), if the grader's machine has it
    - sample: newly drawn images of the sample's classes, which are in no file
    """
    if source not in TITLES:
        raise ValueError(f"questions.toml: there are no images called {source!r}; expected cifar10 or sample")
    if source == "sample":
        return _draw_images(count, secret)
    folder = find_genuine_folder()
    return _choose_images(folder, count, secret) if folder else None


def find_genuine_folder() -> Path | None:
    """Return the folder with genuine CIFAR-10, in CS231N_DATASETS or in the kit's folders `datasets`; else None."""
    found = [folder for name in ("", data_utils.GENUINE_FOLDER) for folder in _complete_folders(name)]
    return next((folder for folder in found if folder.name != sample_data.SAMPLE_FOLDER), None)


def _complete_folders(name: str) -> list[Path]:
    places = [ASSIGNMENT / "datasets", KIT / "datasets"]
    if named := os.environ.get("CS231N_DATASETS"):
        places.insert(0, Path(named).expanduser())
    return [(place / name).resolve() for place in places if sample_data.is_complete(place / name)]


@functools.cache
def _choose_images(folder: Path, count: int, secret: tuple[int, ...]) -> Images:
    X, y = data_utils.load_CIFAR_batch(folder / "test_batch")
    rows = _make_generator(secret, "cifar10").permutation(len(y))[:count]
    return _make_images("cifar10", X[rows], y[rows], _compute_mean_image(folder))


@functools.cache
def _draw_images(count: int, secret: tuple[int, ...]) -> Images:
    rng = _make_generator(secret, "sample")
    y = rng.permutation(np.arange(count) % len(sample_data.CLASS_NAMES))
    X = np.stack([sample_data.draw_image(label, rng) for label in y])
    return _make_images("sample", X, y, np.load(MEAN_OF_SAMPLE))


def _make_generator(secret: tuple[int, ...], source: str) -> np.random.RandomState:
    # The list of numbers makes this stream differ from all others, such as that of the students' sample.
    return np.random.RandomState([*secret, zlib.crc32(source.encode())])


def compute_mean_of_sample() -> np.ndarray:
    """Draw the built-in sample and return its mean training image."""
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        return _compute_mean_image(sample_data.make_sample(folder))


def write_mean_of_sample() -> None:
    """Write the file MEAN_OF_SAMPLE."""
    np.save(MEAN_OF_SAMPLE, compute_mean_of_sample())


def _compute_mean_image(folder: Path | str) -> np.ndarray:
    """Return the mean training image (3, 32, 32) of get_CIFAR10_data, without converting all images to floats."""
    batches = [data_utils.load_CIFAR_batch(Path(folder) / name)[0] for name in sample_data.TRAINING_BATCHES]
    images = np.concatenate(batches)
    training, _ = data_utils.shrink_sizes(len(images), TRAINING, VALIDATION)
    return images[:training].mean(axis=0, dtype=np.float64).astype(np.float32).transpose(2, 0, 1)


def _make_images(source: str, images: np.ndarray, y: np.ndarray, mean_image: np.ndarray) -> Images:
    X = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) - mean_image
    for array in (X, y):
        array.flags.writeable = False  # all submissions that this process grades share it
    return Images(TITLES[source], X, y)
