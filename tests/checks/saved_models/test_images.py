"""The hidden images: like those that students train on, never the same ones, and no file is touched for them."""

import shutil

import numpy as np
import pytest

from autograder.checks.saved_models import images
from autograder.checks.saved_models.images import find_genuine_folder, get_hidden_images
from cs231n import sample_data
from cs231n.data_utils import get_CIFAR10_data, load_CIFAR_batch
from tests.whole_sample import SAMPLE, run_command

pytestmark = SAMPLE

SECRET, COUNT = (3, 1, 4, 1), 60


@pytest.fixture(scope="module")
def sample():
    """A folder with the students' sample in it."""
    return run_command()[0]


@pytest.fixture(scope="module")
def students_own(sample):
    """What get_CIFAR10_data returns for the students' sample."""
    return get_CIFAR10_data(root=sample)


@pytest.fixture(scope="module")
def genuine(sample, tmp_path_factory):
    """A folder with what looks like genuine CIFAR-10 in it: the sample under another name."""
    folder = tmp_path_factory.mktemp("genuine")
    shutil.copytree(sample / sample_data.SAMPLE_FOLDER, folder / "cifar-10-batches-py")
    return folder


@pytest.fixture(autouse=True)
def datasets(sample, monkeypatch):
    monkeypatch.setenv("CS231N_DATASETS", str(sample))


class TestOfTheSample:
    def test_are_like_the_students_own(self, students_own):
        drawn, data = get_hidden_images("sample", COUNT, SECRET), students_own
        assert drawn.X.shape == (COUNT, 3, 32, 32) and drawn.X.dtype == data["X_train"].dtype
        assert np.array_equal(np.bincount(drawn.y), [COUNT // 10] * 10)
        assert abs(drawn.X.mean()) < 10 and 0.8 < drawn.X.std() / data["X_train"].std() < 1.25

    def test_the_mean_image_on_record_is_that_of_the_sample(self, sample, monkeypatch):
        """Where it is not, run images.write_mean_of_sample()."""
        monkeypatch.setattr(sample_data, "make_sample", lambda _: sample / sample_data.SAMPLE_FOLDER)  # not once more
        assert np.array_equal(np.load(images.MEAN_OF_SAMPLE), images.compute_mean_of_sample())

    def test_are_none_of_the_students_own(self, students_own):
        drawn, data = get_hidden_images("sample", COUNT, SECRET), students_own
        for part in ("X_train", "X_val", "X_test"):
            for image in drawn.X:
                assert np.abs(data[part] - image).mean(axis=(1, 2, 3)).min() > 1

    def test_are_the_same_for_one_secret_and_others_for_another(self):
        first = get_hidden_images("sample", COUNT, SECRET)
        images._draw_images.cache_clear()
        again, other = get_hidden_images("sample", COUNT, SECRET), get_hidden_images("sample", COUNT, (2, 7, 1, 8))
        assert np.array_equal(first.X, again.X) and np.array_equal(first.y, again.y)
        assert not np.array_equal(first.y, other.y)

    def test_are_drawn_once_in_a_process_and_nobody_can_change_them(self):
        first = get_hidden_images("sample", COUNT, SECRET)
        assert get_hidden_images("sample", COUNT, SECRET) is first
        for array in (first.X, first.y):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    def test_need_no_sample_on_disk_make_none_and_print_nothing(self, tmp_path, monkeypatch, capsys):
        with_sample = get_hidden_images("sample", COUNT, SECRET)
        images._draw_images.cache_clear()
        monkeypatch.setenv("CS231N_DATASETS", str(tmp_path / "none"))
        monkeypatch.setattr(images, "KIT", tmp_path)
        assert np.array_equal(get_hidden_images("sample", COUNT, SECRET).X, with_sample.X)
        assert list(tmp_path.iterdir()) == [] and capsys.readouterr() == ("", "")

    def test_leave_the_global_random_numbers_alone(self):
        images._draw_images.cache_clear()
        np.random.seed(5)
        get_hidden_images("sample", COUNT, SECRET)
        drawn = np.random.rand()
        np.random.seed(5)
        assert drawn == np.random.rand()


class TestOfCifar10:
    def test_are_test_images_less_the_mean_that_students_subtract(self, genuine, monkeypatch):
        monkeypatch.setenv("CS231N_DATASETS", str(genuine))
        chosen, data = get_hidden_images("cifar10", COUNT, SECRET), get_CIFAR10_data(root=genuine)
        assert chosen.title == "CIFAR-10" and chosen.X.shape == (COUNT, 3, 32, 32)
        rows = [np.flatnonzero((data["X_test"] == image).all(axis=(1, 2, 3))) for image in chosen.X]
        assert [row.size for row in rows] == [1] * COUNT  # to the last bit
        assert len(set(np.concatenate(rows))) == COUNT
        assert np.array_equal(chosen.y, data["y_test"][np.concatenate(rows)])

    def test_are_all_there_are_where_more_are_asked_for(self, genuine, monkeypatch):
        monkeypatch.setenv("CS231N_DATASETS", str(genuine))
        _, labels = load_CIFAR_batch(genuine / "cifar-10-batches-py" / "test_batch")
        assert np.array_equal(np.sort(get_hidden_images("cifar10", 10**6, SECRET).y), np.sort(labels))

    @pytest.mark.parametrize("inner", ["", "cifar-10-batches-py"])
    def test_are_found_in_the_named_folder(self, inner, genuine, monkeypatch):
        monkeypatch.setenv("CS231N_DATASETS", str(genuine / inner))
        assert find_genuine_folder() == (genuine / "cifar-10-batches-py").resolve()

    def test_are_found_in_the_kits_own_folder(self, genuine, tmp_path, monkeypatch):
        monkeypatch.delenv("CS231N_DATASETS")
        monkeypatch.setattr(images, "KIT", tmp_path)
        assert find_genuine_folder() is None
        shutil.copytree(genuine, tmp_path / "datasets")
        assert find_genuine_folder() == (tmp_path / "datasets" / "cifar-10-batches-py").resolve()

    @pytest.mark.parametrize("inner", ["", sample_data.SAMPLE_FOLDER])
    def test_are_not_there_where_only_the_sample_is(self, inner, sample, tmp_path, monkeypatch):
        monkeypatch.setattr(images, "KIT", tmp_path)
        monkeypatch.setenv("CS231N_DATASETS", str(sample / inner))
        assert find_genuine_folder() is None and get_hidden_images("cifar10", COUNT, SECRET) is None


def test_an_unknown_kind_of_images_is_named():
    with pytest.raises(ValueError, match="no images called 'mnist'; expected cifar10 or sample"):
        get_hidden_images("mnist", COUNT, SECRET)
