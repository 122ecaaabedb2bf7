"""CIFAR-10, or the built-in sample that stands in for it: found, read and cut into parts.

Where it looks: the argument `root`, and nowhere else; without it the folder that the environment variable
CS231N_DATASETS names, then every folder `datasets` from this package upward. In each of these two steps genuine
CIFAR-10 is preferred to the sample; when there is neither, the sample is made. `get_datasets.sh` fetches the genuine
data. Every load prints one line that says which of the two it used.
"""

import operator
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cs231n.sample_data import BATCH_FILES, SAMPLE_FOLDER, TRAINING_BATCHES, is_complete, make_sample

GENUINE_FOLDER = "cifar-10-batches-py"
IMAGE_SHAPE = (3, 32, 32)
_PACKAGE = Path(__file__).resolve().parent


def _encode(text, encoding="latin1"):
    """Stands in for `codecs.encode`, through which Python 3 pickles bytes at protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it wants the codec {encoding!r}")
    return text.encode("latin1")


_reconstruct = np.zeros(0).__reduce__()[0]  # by this way it needs no module name, which differs between NumPy 1 and 2
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _CifarUnpickler(pickle.Unpickler):
    """Reads arrays, lists, numbers and strings; a pickle can name any function to call, and here only these."""

    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR-10 file needs") from None


def load_pickle(filename: str | Path) -> Any:
    """The object in a CIFAR-10 file (strings as bytes). Raises ValueError for a damaged or a suspicious one."""
    with open(filename, "rb") as file:
        try:
            return _CifarUnpickler(file, encoding="bytes").load()
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise ValueError(_unreadable(filename, f"{type(error).__name__}: {error}")) from error


def _unreadable(filename, what):
    return (
        f"{filename} is not a readable CIFAR-10 file ({what}). Delete the folder {Path(filename).parent} and "
        f"fetch the data again with get_datasets.sh, or without a network let the loader make the sample anew."
    )


def load_CIFAR_batch(filename: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """One batch file as `X`, uint8 of shape (N, 32, 32, 3), and `y`, the labels 0 to 9 as int64 of shape (N,)."""
    batch = load_pickle(filename)
    refusal = _unreadable(filename, "it lacks uint8 images of 3072 numbers with a label 0 to 9 for each")
    try:
        rows, labels = batch[b"data"], np.array(batch[b"labels"], dtype=np.int64)
        sound = rows.dtype == np.uint8 and rows.shape == (labels.size, 3072) and labels.ndim == 1
        sound = sound and (labels.size == 0 or 0 <= labels.min() <= labels.max() <= 9)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(refusal) from None
    if not sound:
        raise ValueError(refusal)
    return rows.reshape(-1, *IMAGE_SHAPE).transpose(0, 2, 3, 1), labels


def _load_training_rows(folder, wanted=None):
    """The training batches one after the other, or only as many of them as hold `wanted` rows."""
    images, labels, count = [], [], 0
    for name in TRAINING_BATCHES:
        X, y = load_CIFAR_batch(folder / name)
        images.append(X)
        labels.append(y)
        count += len(y)
        if wanted is not None and count >= wanted:
            break
    return np.concatenate(images), np.concatenate(labels)


def load_CIFAR10(root: str | Path | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Everything: training images (N, 32, 32, 3) as uint8, their labels (N,), test images and test labels."""
    folder = find_data(root)
    Xtr, ytr = _load_training_rows(folder)
    Xte, yte = load_CIFAR_batch(folder / "test_batch")
    print(f"{_which(folder)}: {len(ytr)} training and {len(yte)} test images.")
    return Xtr, ytr, Xte, yte


def get_CIFAR10_data(
    num_training: int = 49000,
    num_validation: int = 1000,
    num_test: int = 1000,
    subtract_mean: bool = True,
    root: str | Path | None = None,
) -> dict[str, np.ndarray]:
    """Images and labels for training, validation and test, ready for a network.

    Returns a dictionary of `X_train`, `X_val`, `X_test`, float32 of shape (N, 3, 32, 32) with values 0 to 255, less
    the mean training image if `subtract_mean`, and `y_train`, `y_val`, `y_test`, int64 of shape (N,). The first
    `num_training` training rows are for training, the next `num_validation` for validation, and the first `num_test`
    test rows for test. When there are fewer rows, the parts shrink, and the printed line says so. Raises ValueError
    for impossible sizes and unreadable files, FileNotFoundError when `root` holds no data.
    """
    num_training = _checked_size("num_training", num_training, smallest=1)
    num_validation = _checked_size("num_validation", num_validation, smallest=0)
    num_test = _checked_size("num_test", num_test, smallest=0)
    folder = find_data(root)
    X, y = _load_training_rows(folder, num_training + num_validation)
    X_test, y_test = load_CIFAR_batch(folder / "test_batch")
    if len(y) == 0:
        raise ValueError(_unreadable(folder / TRAINING_BATCHES[0], "no training batch holds an image"))

    train, val = _shrunk_to(len(y), num_training, num_validation)
    test = min(num_test, len(y_test))
    parts = {
        "train": (X[:train], y[:train]),
        "val": (X[train : train + val], y[train : train + val]),
        "test": (X_test[:test], y_test[:test]),
    }
    data = {}
    for part, (images, labels) in parts.items():
        data[f"X_{part}"] = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        data[f"y_{part}"] = labels.copy()
    if subtract_mean:
        mean_image = data["X_train"].mean(axis=0, dtype=np.float64).astype(np.float32)
        for part in parts:
            data[f"X_{part}"] -= mean_image

    line = f"{_which(folder)}: {train} training, {val} validation and {test} test images"
    if (train, val, test) != (num_training, num_validation, num_test):
        line += f" (asked for {num_training}, {num_validation} and {num_test}; there are no more)"
    print(line + ".")
    return data


def _checked_size(name, size, smallest):
    try:
        whole = operator.index(size)
    except TypeError:
        whole = None
    if whole is None or whole < smallest or isinstance(size, bool):
        raise ValueError(f"{name} must be a whole number, {smallest} or more; it is {size!r}")
    return whole


def _shrunk_to(rows, num_training, num_validation):
    """Both parts in proportion to what was asked, but a tenth of the rows for validation where that is more."""
    if num_training + num_validation <= rows:
        return num_training, num_validation
    share = round(rows * num_validation / (num_training + num_validation))
    validation = min(num_validation, max(share, rows // 10, 1), rows - 1)
    return min(num_training, rows - validation), validation


def class_names(root: str | Path | None = None) -> list[str]:
    """The names of the ten classes, in the order of the labels, of the data that the loaders would use."""
    path = find_data(root) / "batches.meta"
    try:
        return [name.decode("ascii") for name in load_pickle(path)[b"label_names"]]
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError):
        raise ValueError(_unreadable(path, "it holds no list of class names")) from None


def find_data(root: str | Path | None = None) -> Path:
    """The folder of batch files that the loaders use: genuine CIFAR-10 where there is any, else the sample."""
    if root is not None:
        place = Path(root).expanduser()
        for folder in (place, place / GENUINE_FOLDER, place / SAMPLE_FOLDER):
            if is_complete(folder):
                return folder.resolve()
        raise FileNotFoundError(
            f"no CIFAR-10 in {place}: neither it nor a folder {GENUINE_FOLDER} in it holds the files "
            f"{', '.join(BATCH_FILES)}. Run get_datasets.sh to fetch them, or leave root out: then the loader looks "
            f"in CS231N_DATASETS and in the datasets folders beside and above the package."
        )
    upward = [folder / "datasets" for folder in (_PACKAGE, *_PACKAGE.parents)]
    for places in (_named_place(), upward):
        for name in ("", GENUINE_FOLDER, SAMPLE_FOLDER):  # "": the place may be the folder of batches itself
            for place in places:
                if is_complete(place / name):
                    return (place / name).resolve()
    return _sample_somewhere().resolve()


def _named_place():
    named = os.environ.get("CS231N_DATASETS")
    return [Path(named).expanduser()] if named else []


def _sample_somewhere():
    """Make the sample in the first of these that can be written to; the last one is the user's own."""
    nearby = [folder / "datasets" for folder in _PACKAGE.parents[:3]]  # farther up it may be anyone's folder
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    for place in (*_named_place(), *filter(os.path.isdir, nearby), nearby[0]):
        try:
            return make_sample(place)
        except OSError:
            continue
    return make_sample(Path(tempfile.gettempdir()) / f"cs231n-datasets-{user}")


def _which(folder):
    if folder.name == SAMPLE_FOLDER:
        return f"Data: the built-in sample, not CIFAR-10 (get_datasets.sh fetches that), in {folder}"
    return f"Data: CIFAR-10 in {folder}"
