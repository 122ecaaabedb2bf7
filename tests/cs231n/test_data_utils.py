"""The loaders: what they return, where they look, what they say, and what they refuse to read."""

import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs231n import data_utils, sample_data
from cs231n.data_utils import class_names, find_data, get_CIFAR10_data, load_CIFAR10, load_CIFAR_batch, load_pickle
from cs231n.sample_data import BATCH_FILES, TRAINING_BATCHES, encode_pickle

REPOSITORY = Path(__file__).resolve().parents[2]


def write_data(folder, per_batch=20, test=10):
    """A little data set of random images in `folder`; the first number of every row counts the rows up from 0."""
    folder.mkdir(parents=True)
    rng, start = np.random.RandomState(0), 0
    for name in BATCH_FILES[:-1]:
        size = test if name == "test_batch" else per_batch
        rows = rng.randint(0, 256, (size, 3072)).astype(np.uint8)
        rows[:, 0] = np.arange(start, start + size) % 256
        start += size
        (folder / name).write_bytes(encode_pickle({b"data": rows, b"labels": rng.randint(0, 10, size).tolist()}))
    (folder / "batches.meta").write_bytes(encode_pickle({b"label_names": [b"name%d" % n for n in range(10)]}))
    return folder


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course folder with the package in assignment2/cs231n, as far as the loaders can tell."""
    package = tmp_path / "course" / "assignment2" / "cs231n"
    package.mkdir(parents=True)
    monkeypatch.setattr(data_utils, "_PACKAGE", package)
    monkeypatch.setattr(sample_data, "IMAGES_PER_BATCH", 20)
    monkeypatch.setattr(data_utils.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.delenv("CS231N_DATASETS", raising=False)
    return tmp_path / "course"


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "mine" / "cifar-10-batches-py")


@pytest.fixture(scope="module")
def genuine(tmp_path_factory):
    archive = Path(
        os.environ.get(
            "CIFAR10_FIRST_ROWS", REPOSITORY.parent / "shared" / "datasets" / "cifar-10-python-first-rows.tar.gz"
        )
    )
    if not archive.is_file():
        pytest.skip(f"no genuine CIFAR-10 rows at {archive}; CIFAR10_FIRST_ROWS may name them")
    folder = tmp_path_factory.mktemp("genuine")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "cifar-10-batches-py"


def test_a_batch_is_images_with_the_channels_last(data):
    X, y = load_CIFAR_batch(data / "data_batch_1")
    raw = pickle.loads((data / "data_batch_1").read_bytes(), encoding="bytes")
    assert X.shape == (20, 32, 32, 3) and X.dtype == np.uint8
    assert y.tolist() == raw[b"labels"]
    assert X[3, 5, 7, 2] == raw[b"data"][3, 2 * 1024 + 5 * 32 + 7]


def test_everything_comes_in_the_order_of_the_batches(data):
    Xtr, ytr, Xte, yte = load_CIFAR10(data)
    assert Xtr.shape == (100, 32, 32, 3) and Xte.shape == (10, 32, 32, 3) and (ytr.size, yte.size) == (100, 10)
    assert np.concatenate([Xtr, Xte])[:, 0, 0, 0].tolist() == list(range(110))


def test_the_parts_are_float32_contiguous_and_channels_first(data):
    parts = get_CIFAR10_data(60, 30, 10, root=data)
    assert {name: array.shape for name, array in parts.items()} == {
        "X_train": (60, 3, 32, 32),
        "y_train": (60,),
        "X_val": (30, 3, 32, 32),
        "y_val": (30,),
        "X_test": (10, 3, 32, 32),
        "y_test": (10,),
    }
    for part in ("X_train", "X_val", "X_test"):
        assert parts[part].dtype == np.float32 and parts[part].flags.c_contiguous


def test_training_rows_come_first_then_validation_rows_each_with_its_label(data):
    parts = get_CIFAR10_data(50, 30, 5, subtract_mean=False, root=data)
    assert parts["X_train"][:, 0, 0, 0].tolist() == list(range(50))
    assert parts["X_val"][:, 0, 0, 0].tolist() == list(range(50, 80))
    assert parts["X_test"][:, 0, 0, 0].tolist() == list(range(100, 105))
    _, ytr, _, yte = load_CIFAR10(data)
    assert np.concatenate([parts["y_train"], parts["y_val"], parts["y_test"]]).tolist() == [*ytr[:80], *yte[:5]]


def test_the_training_mean_is_subtracted_from_all_three_parts(data):
    raw = get_CIFAR10_data(50, 30, 5, subtract_mean=False, root=data)
    centred = get_CIFAR10_data(50, 30, 5, root=data)
    mean = raw["X_train"].astype(np.float64).mean(axis=0)
    for part in ("X_train", "X_val", "X_test"):
        np.testing.assert_allclose(centred[part], raw[part] - mean, atol=1e-4)


def test_only_the_batches_that_are_needed_are_read(data):
    (data / "data_batch_2").write_bytes(b"damaged")
    assert len(get_CIFAR10_data(15, 5, 5, root=data)["X_train"]) == 15


def test_class_names_come_from_the_meta_file(data):
    assert class_names(data) == [f"name{number}" for number in range(10)]


def test_genuine_rows_are_read_as_they_are(genuine):
    Xtr, ytr, Xte, yte = load_CIFAR10(genuine)
    assert (len(Xtr), len(Xte)) == (8068, 1017)
    assert ytr[:5].tolist() == [6, 9, 9, 4, 1] and yte[:5].tolist() == [3, 8, 8, 0, 6]
    assert class_names(genuine)[6] == "frog" and 110 < Xtr.mean() < 130


def test_parts_shrink_in_proportion_when_there_are_fewer_rows(data, capsys):
    parts = get_CIFAR10_data(400, 200, 50, root=data)
    assert (len(parts["y_train"]), len(parts["y_val"]), len(parts["y_test"])) == (67, 33, 10)
    assert "67 training, 33 validation and 10 test images (asked for 400, 200 and 50" in capsys.readouterr().out


def test_validation_keeps_a_tenth_with_the_usual_sizes(data):
    parts = get_CIFAR10_data(root=data)
    assert (len(parts["y_train"]), len(parts["y_val"])) == (90, 10)


def test_no_validation_and_no_test_may_be_asked_for(data):
    parts = get_CIFAR10_data(np.int64(10), 0, 0, root=data)
    assert parts["X_val"].shape == parts["X_test"].shape == (0, 3, 32, 32)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_shrunk_parts_fit_and_never_exceed_what_was_asked(rows, num_training, num_validation):
    train, val = data_utils.shrink_sizes(rows, num_training, num_validation)
    assert 1 <= train <= num_training and 0 <= val <= num_validation
    assert train + val == min(rows, num_training + num_validation) or train == num_training
    assert val > 0 or num_validation == 0 or rows == 1


@pytest.mark.parametrize(
    "sizes",
    [
        dict(num_training=0),
        dict(num_training=-1),
        dict(num_validation=-5),
        dict(num_test=-1),
        dict(num_training=1.5),
        dict(num_test="10"),
        dict(num_training=True),
        dict(num_validation=None),
    ],
)
def test_an_impossible_size_is_named_in_the_error(data, sizes):
    ((name, size),) = sizes.items()
    with pytest.raises(ValueError, match=f"{name} must be a whole number, . or more; it is {size!r}"):
        get_CIFAR10_data(root=data, **sizes)


def test_root_may_be_the_folder_of_batches_or_the_one_around_it(data):
    assert find_data(data) == find_data(data.parent) == find_data(str(data)) == data.resolve()


def test_a_root_without_data_or_with_half_of_it_is_a_clear_error(tmp_path, data):
    (data / "data_batch_4").unlink()
    for root in (data, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=f"no CIFAR-10 in {root}: .*data_batch_4.*get_datasets.sh"):
            get_CIFAR10_data(root=root)


def test_the_environment_comes_before_the_folders_above(course, data, monkeypatch):
    write_data(course / "datasets" / "cifar-10-batches-py")
    monkeypatch.setenv("CS231N_DATASETS", str(data.parent))
    assert find_data() == data.resolve()


def test_a_sample_in_the_named_folder_comes_before_genuine_data_above(course, tmp_path, monkeypatch):
    write_data(course / "datasets" / "cifar-10-batches-py")
    sample = write_data(tmp_path / "named" / "cifar-10-sample")
    monkeypatch.setenv("CS231N_DATASETS", str(tmp_path / "named"))
    assert find_data() == sample.resolve()


def test_the_environment_without_data_is_passed_over(course, tmp_path, monkeypatch):
    above = write_data(course / "datasets" / "cifar-10-batches-py")
    monkeypatch.setenv("CS231N_DATASETS", str(tmp_path / "empty"))
    assert find_data() == above.resolve()


@pytest.mark.parametrize("place", ["assignment2/cs231n/datasets", "assignment2/datasets", "datasets", "../datasets"])
def test_data_is_found_upward_from_the_package(course, place):
    folder = write_data(course / place / "cifar-10-batches-py")
    assert find_data() == folder.resolve()


def test_genuine_data_farther_up_is_preferred_to_a_sample_nearby(course):
    write_data(course / "assignment2" / "datasets" / "cifar-10-sample")
    folder = write_data(course / "datasets" / "cifar-10-batches-py")
    assert find_data() == folder.resolve()


def test_the_sample_is_made_beside_the_package_when_there_is_nothing(course):
    assert find_data() == (course / "assignment2" / "datasets" / "cifar-10-sample").resolve()


def test_the_sample_is_made_in_a_datasets_folder_that_exists_above(course):
    (course / "datasets").mkdir()
    assert find_data() == (course / "datasets" / "cifar-10-sample").resolve()


def test_the_sample_is_made_where_the_environment_says(course, tmp_path, monkeypatch):
    (course / "datasets").mkdir()
    monkeypatch.setenv("CS231N_DATASETS", str(tmp_path / "named"))
    assert find_data() == (tmp_path / "named" / "cifar-10-sample").resolve()


def test_the_sample_is_made_in_a_folder_of_the_users_own_when_nothing_else_can_be_written(course, tmp_path):
    (course / "assignment2" / "datasets").write_text("a file in the way")
    folder = find_data()
    assert folder.parent.name.startswith("cs231n-datasets-") and tmp_path / "tmp" in folder.parents


def test_a_load_prints_one_line_about_genuine_data(data, capsys):
    get_CIFAR10_data(60, 30, 10, root=data)
    assert capsys.readouterr().out == (
        f"Data: CIFAR-10 in {data.resolve()}: 60 training, 30 validation and 10 test images.\n"
    )
    load_CIFAR10(data)
    assert capsys.readouterr().out == f"Data: CIFAR-10 in {data.resolve()}: 100 training and 10 test images.\n"


def test_a_load_prints_one_line_about_the_sample_even_while_making_it(course, capsys):
    get_CIFAR10_data()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Data: the built-in sample, not CIFAR-10") and str(find_data()) in line
    assert "90 training, 10 validation and 20 test images (asked for 49000, 1000 and 1000" in line


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "function, arguments", [(os.system, ("touch {}",)), (eval, ("open({!r}, 'w')",)), (Path.touch, (Path("x"),))]
)
def test_a_pickle_that_calls_a_function_is_refused_before_it_calls(tmp_path, function, arguments):
    harmed = tmp_path / "harmed"
    arguments = [part.format(str(harmed)) if isinstance(part, str) else harmed for part in arguments]
    (tmp_path / "batch").write_bytes(pickle.dumps(Attack(function, *arguments), protocol=2))
    with pytest.raises(ValueError, match="which no CIFAR-10 file needs.*get_datasets.sh"):
        load_pickle(tmp_path / "batch")
    assert not harmed.exists()


def test_a_pickle_that_wants_another_codec_is_refused(tmp_path):
    (tmp_path / "batch").write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00bz2\x86R.")
    with pytest.raises(ValueError, match="needs the codec 'bz2'"):
        load_pickle(tmp_path / "batch")


def test_batches_that_python_3_wrote_are_read(tmp_path):
    batch = {b"data": np.arange(3072, dtype=np.uint8).reshape(1, 3072), b"labels": [3]}
    for protocol in (2, 4):
        (tmp_path / "batch").write_bytes(pickle.dumps(batch, protocol=protocol))
        X, y = load_CIFAR_batch(tmp_path / "batch")
        assert X[0, 0, 31, 0] == 31 and y.tolist() == [3]


GOOD = {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 2]}


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2],
        {},
        {**GOOD, b"labels": [1]},
        {**GOOD, b"labels": [1, 10]},
        {**GOOD, b"labels": [-1, 1]},
        {**GOOD, b"labels": [[1, 2]]},
        {**GOOD, b"labels": b"12"},
        {**GOOD, b"data": [1, 2]},
        {**GOOD, b"data": np.zeros((2, 3071), np.uint8)},
    ],
)
def test_a_batch_of_another_shape_is_a_clear_error(tmp_path, batch):
    (tmp_path / "batch").write_bytes(encode_pickle(batch))
    with pytest.raises(ValueError, match="is not a readable CIFAR-10 file .*with a label 0 to 9 for each"):
        load_CIFAR_batch(tmp_path / "batch")


@pytest.mark.parametrize("kept", [0, 1, 100, 30000])
def test_a_truncated_batch_is_a_clear_error(data, kept):
    path = data / TRAINING_BATCHES[0]
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="data_batch_1 is not a readable CIFAR-10 file .*Delete the folder"):
        get_CIFAR10_data(root=data)


def test_batches_without_images_are_a_clear_error(tmp_path):
    with pytest.raises(ValueError, match="no training batch holds an image"):
        get_CIFAR10_data(root=write_data(tmp_path / "cifar-10-batches-py", per_batch=0))


@pytest.mark.parametrize("meta", [{}, [1], {b"label_names": [1]}, {b"label_names": [b"\xff"]}])
def test_a_meta_file_without_names_is_a_clear_error(data, meta):
    (data / "batches.meta").write_bytes(encode_pickle(meta))
    with pytest.raises(ValueError, match="it holds no list of class names"):
        class_names(data)
