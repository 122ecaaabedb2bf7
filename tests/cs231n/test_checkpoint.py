"""Saved models: what a net needs at test time comes back, what cannot be saved is named, and no half file is left."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from cs231n.checkpoint import load_model, save_model
from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.classifiers.fc_net import FullyConnectedNet, TwoLayerNet

X = np.random.default_rng(0).normal(size=(6, 3, 4, 4))
Y = np.arange(6) % 5


def two_layers():
    return TwoLayerNet(48, 7, 5, weight_scale=0.3)


def deep(**options):
    return FullyConnectedNet([7, 6], 48, 5, weight_scale=0.3, **options)


def normalized():
    """A net with batch normalization whose running averages have moved."""
    net = deep(use_batchnorm=True, dropout=0.6)
    for _ in range(3):
        net.loss(X, Y)
    return net


def convolutional():
    return ThreeLayerConvNet((3, 4, 4), 2, 3, 7, 5, weight_scale=0.3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best.npz"


class TestSaveAndLoad:
    @pytest.mark.parametrize("make", [two_layers, deep, normalized, convolutional])
    def test_another_net_then_gives_the_same_scores(self, make, path):
        net, other = make(), make()
        assert not np.allclose(net.loss(X), other.loss(X))
        save_model(net, path)
        assert load_model(other, path) is other
        np.testing.assert_allclose(net.loss(X), other.loss(X), rtol=1e-5, atol=1e-6)
        assert {name: value.dtype for name, value in other.params.items()} == {
            name: value.dtype for name, value in net.params.items()
        }

    def test_the_file_holds_plain_float32_arrays_under_the_names_of_params(self, path):
        net = normalized()
        save_model(net, path)
        with np.load(path, allow_pickle=False) as entries:
            assert {entries[name].dtype for name in entries} == {np.dtype(np.float32)}
            averages = {f"{name}{layer}" for name in ("running_mean", "running_var") for layer in (1, 2)}
            assert set(entries) == set(net.params) | averages
            np.testing.assert_allclose(entries["running_var2"], net.bn_params[1]["running_var"], rtol=1e-6)

    def test_a_loaded_net_can_be_trained_further_without_moving_the_file(self, path):
        net = normalized()
        save_model(net, path)
        before = path.read_bytes()
        loss, _grads = load_model(deep(use_batchnorm=True), path).loss(X, Y)
        assert np.isfinite(loss) and path.read_bytes() == before

    def test_nothing_else_is_left_in_the_folder(self, tmp_path):
        save_model(deep(), tmp_path / "new" / "best.npz")
        assert os.listdir(tmp_path / "new") == ["best.npz"]


class TestWhatCannotBeSaved:
    @pytest.fixture(autouse=True)
    def older(self, path):
        """A file that is there already stays whole."""
        path.write_bytes(b"older")
        yield
        assert path.read_bytes() == b"older" and os.listdir(path.parent) == [path.name]

    @pytest.mark.parametrize(
        "model, said",
        [
            (None, "the model is None"),
            (deep, "is a function without a dictionary params"),
            (SimpleNamespace(params={}), "a SimpleNamespace without"),
            (SimpleNamespace(params=[1.0]), "a SimpleNamespace without"),
        ],
    )
    def test_what_is_no_net(self, model, said, path):
        with pytest.raises(ValueError, match=f"save_model: .*{said}.*Train a network first"):
            save_model(model, path)

    @pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
    def test_a_parameter_that_is_not_finite_in_float32(self, number, path):
        net = two_layers()
        net.params["W2"][1, 2] = number
        with pytest.raises(ValueError, match="save_model: W2 holds numbers that are not finite"):
            save_model(net, path)

    @pytest.mark.parametrize("value", [None, "W", [1.0, 2.0], np.array([None]), np.ones(2, complex)], ids=str)
    def test_a_parameter_that_is_no_array_of_numbers(self, value, path):
        with pytest.raises(ValueError, match="save_model: W1 is a .*; expected an array of real numbers"):
            save_model(SimpleNamespace(params={"W1": value}), path)

    def test_a_net_with_batch_normalization_that_has_never_trained(self, path):
        with pytest.raises(ValueError, match=r"bn_params\[0\] has no running_mean.*Train the network first"):
            save_model(deep(use_batchnorm=True), path)

    def test_anything_when_the_disk_is_full(self, path, monkeypatch):
        def full_disk(file, **arrays):
            file.write(b"half")
            raise OSError("disk full")

        monkeypatch.setattr(np, "savez", full_disk)
        with pytest.raises(OSError, match="disk full"):
            save_model(deep(), path)


class TestWhatCannotBeLoaded:
    @pytest.mark.parametrize("make", [two_layers, normalized, convolutional])
    def test_the_file_of_another_net(self, make, path):
        save_model(make(), path)
        with pytest.raises(ValueError, match=r"this model needs .*'W3': \(6, 5\).*Build the same model"):
            load_model(deep(), path)

    def test_a_file_without_running_averages(self, path):
        net = normalized()
        np.savez(path, **net.params)
        with pytest.raises(ValueError, match="and running_mean1, running_var1, running_mean2, running_var2"):
            load_model(net, path)

    @pytest.mark.parametrize("content", [b"", b"not a zip"])
    def test_a_file_of_another_kind(self, content, path):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="load_model: .* is not a saved model"):
            load_model(deep(), path)

    def test_a_file_that_needs_pickle(self, path):
        np.savez(path, W1=np.array([{}]))
        with pytest.raises(ValueError, match="is not a saved model"):
            load_model(deep(), path)

    def test_a_file_that_is_not_there(self, path):
        with pytest.raises(FileNotFoundError):
            load_model(deep(), path)
