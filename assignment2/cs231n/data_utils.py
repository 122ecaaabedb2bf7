"""Loads CIFAR-10, or the built-in sample that replaces it, and splits it into training, validation and test.

With the argument `root`, the loaders search only that folder. Without it they first search the folder in the
environment variable CS231N_DATASETS, then every folder `datasets` from this package upward. In each of these two steps
they prefer genuine CIFAR-10 to the sample. If they find neither, they make the sample. `get_datasets.sh` downloads the
genuine data. Every load prints one line that names the data set in use.
"""

import operator
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cs231n.sample_data import BATCH_FILES, SAMPLE_FOLDER, TRAINING_BATCHES, is_complete, make_sample

GENUINE_FOLDER = "cifar-10-batches-py"
IMAGE_SHAPE = (3, 32, 32)
_PACKAGE = Path(__file__).resolve().parent


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Replace `codecs.encode`, which Python 3 uses to pickle bytes at protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it needs the codec {encoding!r}; CIFAR-10 files need only latin1")
    return text.encode("latin1")


_reconstruct: Any = np.zeros(0).__reduce__()[0]  # its module has different names in NumPy 1 and 2
_ALLOWED: dict[tuple[str, str], Callable] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _CifarUnpickler(pickle.Unpickler):
    """Reads arrays, lists, numbers and strings. A pickle can call any function; this class allows only _ALLOWED."""

    def find_class(self, module: str, name: str) -> Callable:
        """Return the allowed function or class `module.name`; raise UnpicklingError for all others."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR-10 file needs") from None


def load_pickle(filename: str | Path) -> Any:
    """Return the object in a CIFAR-10 file (strings as bytes). Raises ValueError if it is damaged or suspicious."""
    with open(filename, "rb") as file:
        try:
            return _CifarUnpickler(file, encoding="bytes").load()
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise ValueError(_describe_damage(filename, f"{type(error).__name__}: {error}")) from error


def _describe_damage(filename: str | Path, problem: str) -> str:
    return (
        f"{filename} is not a readable CIFAR-10 file ({problem}). Delete the folder {Path(filename).parent}. "
        "Then download the data again with get_datasets.sh; without a network, the loader makes the sample again."
    )


# The functions with capitals keep the names that they have had since the first edition of the course.
def load_CIFAR_batch(filename: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Return `X`, uint8 of shape (N, 32, 32, 3), and `y`, labels 0 to 9 as int64 of shape (N,), of a batch file."""
    batch = load_pickle(filename)
    refusal = _describe_damage(filename, "it lacks uint8 images of 3072 numbers with a label 0 to 9 for each")
    try:
        rows, labels = batch[b"data"], np.array(batch[b"labels"], dtype=np.int64)
        sound = rows.dtype == np.uint8 and rows.shape == (labels.size, 3072) and labels.ndim == 1
        sound = sound and (labels.size == 0 or 0 <= labels.min() <= labels.max() <= 9)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(refusal) from None
    if not sound:
        raise ValueError(refusal)
    return rows.reshape(-1, *IMAGE_SHAPE).transpose(0, 2, 3, 1), labels


def _load_training_rows(folder: Path, needed: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of the training batches, or of the first batches that hold `needed` rows."""
    images, labels, count = [], [], 0
    for name in TRAINING_BATCHES:
        X, y = load_CIFAR_batch(folder / name)
        images.append(X)
        labels.append(y)
        count += len(y)
        if needed is not None and count >= needed:
            break
    return np.concatenate(images), np.concatenate(labels)


def load_CIFAR10(
    root: str | Path | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return all training images (N, 32, 32, 3) as uint8, their labels (N,), all test images and their labels."""
    folder = find_data(root)
    Xtr, ytr = _load_training_rows(folder)
    Xte, yte = load_CIFAR_batch(folder / "test_batch")
    print(f"{_describe_source(folder)}: {len(ytr)} training and {len(yte)} test images.")
    return Xtr, ytr, Xte, yte


def get_CIFAR10_data(
    num_training: int = 49000,
    num_validation: int = 1000,
    num_test: int = 1000,
    subtract_mean: bool = True,
    root: str | Path | None = None,
) -> dict[str, np.ndarray]:
    """Return images and labels for training, validation and test, ready for a network.

    The result is a dictionary. `X_train`, `X_val`, `X_test` are float32 of shape (N, 3, 32, 32) with values 0 to 255,
    minus the mean training image if `subtract_mean`. `y_train`, `y_val`, `y_test` are int64 of shape (N,). The first
    `num_training` training rows are for training, the next `num_validation` for validation, and the first `num_test`
    test rows for test. If there are fewer rows, the parts shrink, and the printed line says so. Raises ValueError for
    impossible sizes and unreadable files, FileNotFoundError if `root` contains no data.
    """
    num_training = _check_size("num_training", num_training, smallest=1)
    num_validation = _check_size("num_validation", num_validation, smallest=0)
    num_test = _check_size("num_test", num_test, smallest=0)
    folder = find_data(root)
    X, y = _load_training_rows(folder, num_training + num_validation)
    X_test, y_test = load_CIFAR_batch(folder / "test_batch")
    if len(y) == 0:
        raise ValueError(_describe_damage(folder / TRAINING_BATCHES[0], "no training batch holds an image"))

    train, val = shrink_sizes(len(y), num_training, num_validation)
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

    line = f"{_describe_source(folder)}: {train} training, {val} validation and {test} test images"
    if (train, val, test) != (num_training, num_validation, num_test):
        line += f" (asked for {num_training}, {num_validation} and {num_test}; there are no more)"
    print(line + ".")
    return data


def _check_size(name: str, size: Any, smallest: int) -> int:
    try:
        number = operator.index(size)
    except TypeError:
        number = None
    if number is None or number < smallest or isinstance(size, bool):
        raise ValueError(f"{name} must be a whole number, {smallest} or more; it is {size!r}")
    return number


def shrink_sizes(rows: int, num_training: int, num_validation: int) -> tuple[int, int]:
    """Return the sizes of both parts that fit into the rows, in the given proportion.

    Validation gets at least a tenth of the rows, but never more than `num_validation`.
    """
    if num_training + num_validation <= rows:
        return num_training, num_validation
    share = round(rows * num_validation / (num_training + num_validation))
    validation = min(num_validation, max(share, rows // 10, 1), rows - 1)
    return min(num_training, rows - validation), validation


def class_names(root: str | Path | None = None) -> list[str]:
    """Return the names of the ten classes, in the order of the labels, of the data that the loaders use."""
    path = find_data(root) / "batches.meta"
    try:
        return [name.decode("ascii") for name in load_pickle(path)[b"label_names"]]
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError):
        raise ValueError(_describe_damage(path, "it holds no list of class names")) from None


def find_data(root: str | Path | None = None) -> Path:
    """Return the folder of batch files that the loaders use: genuine CIFAR-10 if there is any, else the sample."""
    if root is not None:
        place = Path(root).expanduser()
        for folder in (place, place / GENUINE_FOLDER, place / SAMPLE_FOLDER):
            if is_complete(folder):
                return folder.resolve()
        raise FileNotFoundError(
            f"no CIFAR-10 in {place}: expected the files {', '.join(BATCH_FILES)} there, or in the folder "
            f"{GENUINE_FOLDER} there. Run get_datasets.sh to download them. Without root, the loader searches "
            "the folder in CS231N_DATASETS, and the datasets folders next to and above the package."
        )
    upward = [folder / "datasets" for folder in (_PACKAGE, *_PACKAGE.parents)]
    for places in (_list_named_folder(), upward):
        for name in ("", GENUINE_FOLDER, SAMPLE_FOLDER):  # "": the place may be the folder of batches itself
            for place in places:
                if is_complete(place / name):
                    return (place / name).resolve()
    return _make_sample_where_possible().resolve()


def _list_named_folder() -> list[Path]:
    """Return the folder that the environment names, as a list of one or none."""
    named = os.environ.get("CS231N_DATASETS")
    return [Path(named).expanduser()] if named else []


def _make_sample_where_possible() -> Path:
    """Make the sample in the first folder that is writable; the last folder belongs to this user alone."""
    nearby = [folder / "datasets" for folder in _PACKAGE.parents[:3]]  # higher folders may belong to other people
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    for place in (*_list_named_folder(), *filter(os.path.isdir, nearby), nearby[0]):
        try:
            return make_sample(place)
        except OSError:
            continue
    return make_sample(Path(tempfile.gettempdir()) / f"cs231n-datasets-{user}")


def _describe_source(folder: Path) -> str:
    if folder.name == SAMPLE_FOLDER:
        return f"Data: the built-in sample, not CIFAR-10 (get_datasets.sh downloads CIFAR-10), in {folder}"
    return f"Data: CIFAR-10 in {folder}"
