"""The built-in sample: its format, its content, and that it appears whole or not at all."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs231n import sample_data
from cs231n.sample_data import BATCH_FILES, CLASS_NAMES, TRAINING_BATCHES, draw_image, encode_pickle, make_sample
from tests.whole_sample import SAMPLE, run_command

pytestmark = SAMPLE
IMAGES = BATCH_FILES[:-1]


@pytest.fixture(scope="module")
def sample():
    return run_command()[0] / "cifar-10-sample"


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(sample_data, "IMAGES_PER_BATCH", 20)


def read(path, **options):
    with open(path, "rb") as file:
        return pickle.load(file, **{"encoding": "bytes", **options})


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("name", IMAGES)
def test_a_batch_has_the_layout_of_a_cifar_10_batch(sample, name):
    batch = read(sample / name)
    assert set(batch) == {b"data", b"labels", b"batch_label", b"filenames"}
    assert batch[b"data"].shape == (400, 3072) and batch[b"data"].dtype == np.uint8
    assert len(batch[b"labels"]) == len(batch[b"filenames"]) == 400
    assert all(type(label) is int for label in batch[b"labels"])
    assert np.bincount(batch[b"labels"]).tolist() == [40] * 10


def test_the_batches_carry_cifar_10s_own_batch_labels(sample):
    labels = [read(sample / name)[b"batch_label"] for name in IMAGES]
    assert labels == [b"training batch %d of 5" % number for number in range(1, 6)] + [b"testing batch 1 of 1"]


def test_the_meta_file_names_ten_classes(sample):
    meta = read(sample / "batches.meta")
    assert meta[b"label_names"] == [name.encode() for name in CLASS_NAMES] and len(set(CLASS_NAMES)) == 10
    assert (meta[b"num_cases_per_batch"], meta[b"num_vis"]) == (400, 3072)


def test_readers_written_for_python_2_pickles_see_plain_string_keys(sample):
    assert "data" in read(sample / "test_batch", encoding="latin1")


def test_the_bytes_are_the_same_on_every_run(tmp_path, small_batches):
    first, second = make_sample(tmp_path / "one"), make_sample(tmp_path / "two")
    assert contents(first) == contents(second)


def test_the_drawing_does_not_depend_on_the_global_random_state(tmp_path, small_batches):
    np.random.seed(1)
    first = contents(make_sample(tmp_path / "one"))
    np.random.seed(2)
    assert contents(make_sample(tmp_path / "two")) == first


def test_no_picture_comes_twice(sample):
    rows = np.concatenate([read(sample / name)[b"data"] for name in IMAGES])
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("label", range(10))
def test_a_picture_uses_colours_and_contrast(label):
    image = draw_image(label, np.random.RandomState(0))
    assert image.shape == (32, 32, 3) and image.dtype == np.uint8
    assert image.std() > 20


def test_a_two_layer_net_learns_it_and_does_not_find_it_trivial(sample):
    batches = [read(sample / name) for name in IMAGES]
    X = np.concatenate([batch[b"data"] for batch in batches]).astype(np.float32)
    y = np.concatenate([batch[b"labels"] for batch in batches])
    X, X_test, y, y_test = X[:2000], X[2000:], y[:2000], y[2000:]
    mean, rng, rate = X.mean(axis=0), np.random.RandomState(0), 1e-3
    W1, W2 = (1e-3 * rng.randn(*shape).astype(np.float32) for shape in ((3072, 100), (100, 10)))
    b1, b2 = np.zeros(100, np.float32), np.zeros(10, np.float32)
    for _ in range(300):
        rows = rng.choice(len(X), 100)
        x = X[rows] - mean
        hidden = np.maximum(0, x @ W1 + b1)
        scores = hidden @ W2 + b2
        dscores = np.exp(scores - scores.max(axis=1, keepdims=True))
        dscores /= dscores.sum(axis=1, keepdims=True)
        dscores[np.arange(100), y[rows]] -= 1
        dscores /= 100
        dhidden = (dscores @ W2.T) * (hidden > 0)
        W1 -= rate * (x.T @ dhidden + 0.1 * W1)
        W2 -= rate * (hidden.T @ dscores + 0.1 * W2)
        b1 -= rate * dhidden.sum(axis=0)
        b2 -= rate * dscores.sum(axis=0)
    guesses = (np.maximum(0, (X_test - mean) @ W1 + b1) @ W2 + b2).argmax(axis=1)
    assert 0.45 < (guesses == y_test).mean() < 0.80


def test_it_is_not_made_again_when_it_is_there(sample, monkeypatch):
    monkeypatch.setattr(sample_data, "_draw_batch", lambda *_: pytest.fail("drawn again"))
    assert make_sample(sample.parent) == sample


def test_a_sample_with_a_missing_file_is_made_anew(tmp_path, small_batches):
    whole = contents(make_sample(tmp_path))
    (tmp_path / "cifar-10-sample" / TRAINING_BATCHES[2]).unlink()
    assert contents(make_sample(tmp_path)) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-sample"]


def test_an_interrupted_run_leaves_nothing_a_loader_could_take(tmp_path, small_batches, monkeypatch):
    drawn = []

    def interrupted(batch_label, rng):
        drawn.append(batch_label)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(sample_data, "_draw_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_at_once_all_find_the_whole_sample(tmp_path, small_batches):
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(make_sample, [tmp_path] * 4))
    assert all(sample_data.is_complete(folder) for folder in folders)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-sample"]


def test_a_place_that_cannot_be_written_to_is_an_os_error(tmp_path):
    (tmp_path / "datasets").write_text("a file, not a folder")
    with pytest.raises(OSError):
        make_sample(tmp_path / "datasets")


def test_the_command_makes_it_and_prints_where(sample):
    assert run_command()[1].strip() == str(sample)
    assert sample_data.is_complete(sample)


numbers = st.integers(-(2**31), 2**31 - 1)
values = st.recursive(
    st.binary(max_size=300) | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=9), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_encode_pickle_writes_pickle_reads_back(value):
    assert pickle.loads(encode_pickle(value), encoding="bytes") == value


@pytest.mark.parametrize("shape", [(0, 3072), (1, 3072), (3, 4, 5)])
def test_arrays_come_back_as_they_were(shape):
    array = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    back = pickle.loads(encode_pickle(array), encoding="bytes")
    assert back.dtype == np.uint8 and np.array_equal(back, array)


@pytest.mark.parametrize("value", [1.5, "text", np.zeros(3)])
def test_what_no_cifar_10_file_holds_is_refused(value):
    with pytest.raises(TypeError, match="holds no"):
        encode_pickle(value)
