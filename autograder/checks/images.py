"""Images to measure a trained net on, drawn or chosen by the grading secret. Their labels stay with the judge.

Like the images that students train on they come as float32 of shape (N, 3, 32, 32), less the mean of the same
training images. Nothing is printed, and no folder of data is written to.
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
# The mean training image of the built-in sample. To draw the sample for nothing else would take seconds in every
# process; write_mean_of_sample writes the file again where the sample is drawn in another way.
MEAN_OF_SAMPLE = Path(__file__).with_name("sample_mean_image.npy")
# What get_CIFAR10_data takes for training and validation unless told otherwise: the mean is over the former.
TRAINING, VALIDATION = 49000, 1000


@dataclass(frozen=True, eq=False)
class Images:
    """Images X (N, 3, 32, 32), their labels y (N,), and the name of the data they are of."""

    title: str
    X: np.ndarray
    y: np.ndarray


def hidden_images(source, count, secret):
    """Return `count` Images of "cifar10" or of "sample", the same for the same secret; None where there are none.

    - cifar10: test images of genuine CIFAR-10, if the grader's machine has it (all of them where they are fewer)
    - sample: pictures drawn for the purpose, of the sample's kinds; no file holds them
    """
    if source not in TITLES:
        raise ValueError(f"questions.toml: there are no images called {source!r}; expected cifar10 or sample")
    if source == "sample":
        return _drawn(count, secret)
    folder = genuine_folder()
    return _chosen(folder, count, secret) if folder else None


def genuine_folder():
    """Return the folder with genuine CIFAR-10: in CS231N_DATASETS, or in the kit's folders `datasets`; else None."""
    found = [folder for name in ("", data_utils.GENUINE_FOLDER) for folder in _complete(name)]
    return next((folder for folder in found if folder.name != sample_data.SAMPLE_FOLDER), None)


def _complete(name):
    places = [ASSIGNMENT / "datasets", KIT / "datasets"]
    if named := os.environ.get("CS231N_DATASETS"):
        places.insert(0, Path(named).expanduser())
    return [(place / name).resolve() for place in places if sample_data.is_complete(place / name)]


@functools.cache
def _chosen(folder, count, secret):
    X, y = data_utils.load_CIFAR_batch(folder / "test_batch")
    rows = _random(secret, "cifar10").permutation(len(y))[:count]
    return _ready("cifar10", X[rows], y[rows], _mean_image(folder))


@functools.cache
def _drawn(count, secret):
    rng = _random(secret, "sample")
    y = rng.permutation(np.arange(count) % len(sample_data.CLASS_NAMES))
    X = np.stack([sample_data.draw_image(label, rng) for label in y])
    return _ready("sample", X, y, np.load(MEAN_OF_SAMPLE))


def _random(secret, source):
    # A list of numbers: no other stream, that of the students' sample included, starts like this one.
    return np.random.RandomState([*secret, zlib.crc32(source.encode())])


def mean_of_sample():
    """Return the mean training image of the built-in sample, drawn anew."""
    with tempfile.TemporaryDirectory(prefix="sample-") as aside:
        return _mean_image(sample_data.make_sample(aside))


def write_mean_of_sample():
    """Write the file that MEAN_OF_SAMPLE names."""
    np.save(MEAN_OF_SAMPLE, mean_of_sample())


def _mean_image(folder):
    """The mean training image (3, 32, 32) that get_CIFAR10_data subtracts, without making floats of all of them."""
    batches = [data_utils.load_CIFAR_batch(folder / name)[0] for name in sample_data.TRAINING_BATCHES]
    images = np.concatenate(batches)
    training, _ = data_utils._shrunk_to(len(images), TRAINING, VALIDATION)
    return images[:training].mean(axis=0, dtype=np.float64).astype(np.float32).transpose(2, 0, 1)


def _ready(source, images, y, mean_image):
    X = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) - mean_image
    for array in (X, y):
        array.flags.writeable = False  # it is shared by all that are graded in this process
    return Images(TITLES[source], X, y)
