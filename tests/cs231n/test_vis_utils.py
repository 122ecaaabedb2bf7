"""The pictures show the right content for every layout of images."""

import os
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from cs231n import vis_utils


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


class TestGrid:
    @pytest.mark.parametrize("N, side", [(1, 1), (2, 2), (4, 2), (5, 3)])
    @pytest.mark.parametrize("padding", [0, 1, 3])
    def test_is_square_with_padding_between_only(self, N, side, padding):
        grid = vis_utils.visualize_grid(np.random.default_rng(0).random((N, 4, 5, 3)), padding=padding)
        assert grid.shape == (side * 4 + (side - 1) * padding, side * 5 + (side - 1) * padding, 3)

    def test_images_are_in_reading_order_and_stretched_one_by_one(self):
        Xs = np.arange(4)[:, None, None, None] * 100 + np.arange(6.0).reshape(1, 2, 3, 1)
        grid = vis_utils.visualize_grid(Xs, ubound=10.0, padding=1)[..., 0]
        expected = np.arange(6.0).reshape(2, 3) * 2
        for rows in (slice(0, 2), slice(3, 5)):
            for columns in (slice(0, 3), slice(4, 7)):
                np.testing.assert_allclose(grid[rows, columns], expected)
        assert not grid[2].any() and not grid[:, 3].any()

    def test_an_image_of_one_value_becomes_0(self):
        assert not vis_utils.visualize_grid(np.full((1, 2, 2, 1), 7)).any()

    def test_bytes_do_not_overflow(self):
        Xs = np.array([0, 255], dtype=np.uint8).reshape(1, 1, 2, 1)
        assert vis_utils.visualize_grid(Xs).ravel().tolist() == [0, 255]


@pytest.mark.parametrize("image_shape", [(3, 4, 5), (4, 5, 3)])
def test_weights_are_shown_one_image_a_unit_in_either_layout(image_shape):
    W1 = np.random.default_rng(0).normal(size=(60, 4))
    vis_utils.show_weights(W1, image_shape, padding=1)
    (image,) = plt.gca().images
    shown = image.get_array()
    assert shown.shape == (9, 11, 3)
    unit = W1[:, 0].reshape(image_shape)
    unit = unit.transpose(1, 2, 0) if image_shape[0] == 3 else unit
    np.testing.assert_allclose(shown[:4, :5], (unit - unit.min()) / np.ptp(unit))


def test_a_shape_that_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 5, 6\); expected \(C, H, W\)"):
        vis_utils.show_weights(np.ones((60, 4)), (2, 5, 6))


@pytest.mark.parametrize("shape", [(9, 3, 4, 5), (9, 4, 5, 3), (9, 4, 5, 1)])
def test_examples_are_shown_by_class_even_when_a_class_has_few_or_none(shape):
    y = np.array([0, 0, 0, 0, 2, 0, 0, 2, 0])
    vis_utils.show_examples(np.random.default_rng(0).normal(size=shape), y, ["cat", "dog", "ship"], per_class=3)
    axes = np.array(plt.gcf().axes).reshape(3, 3)
    assert [a.get_title() for a in axes[0]] == ["cat", "dog", "ship"]
    assert [sum(len(a.images) for a in column) for column in axes.T] == [3, 0, 2]


class TestTrainingPlot:
    def solver(self, steps, epochs=3):
        accuracies = np.linspace(0.1, 0.9, epochs + 1)
        return SimpleNamespace(
            loss_history=list(np.linspace(2, 1, steps)), train_acc_history=accuracies, val_acc_history=accuracies / 2
        )

    def test_three_panels_with_a_line_for_each_solver_and_one_legend(self):
        vis_utils.plot_training({"sgd": self.solver(30), "adam": self.solver(30)}, title="Update rules")
        figure = plt.gcf()
        assert [axes.get_title() for axes in figure.axes] == [
            "Training loss",
            "Training accuracy",
            "Validation accuracy",
        ]
        assert all(len(axes.lines) == 2 for axes in figure.axes)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sgd", "adam"]
        assert figure.get_suptitle() == "Update rules"
        np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), np.linspace(0.05, 0.45, 4))

    def test_a_long_history_is_smoothed_without_moving_it(self):
        vis_utils.plot_training({"sgd": self.solver(1000)})
        raw, smooth = plt.gcf().axes[0].lines
        assert len(raw.get_xdata()) == 1000
        expected = np.interp(smooth.get_xdata(), raw.get_xdata(), raw.get_ydata())
        np.testing.assert_allclose(smooth.get_ydata(), expected)

    def test_a_solver_that_has_not_trained_leaves_its_panels_empty(self):
        untrained = SimpleNamespace(loss_history=[], train_acc_history=[], val_acc_history=[])
        vis_utils.plot_training({"sgd": untrained})
        vis_utils.plot_training({})
        plt.gcf().canvas.draw()


def test_importing_needs_no_display():
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MPLBACKEND")}
    environment["PYTHONPATH"] = os.path.dirname(os.path.dirname(vis_utils.__file__))
    subprocess.run([sys.executable, "-c", "import cs231n.vis_utils"], env=environment, check=True)


def test_confusion_is_in_percent_of_each_right_class_even_when_one_is_missing():
    _, axes = plt.subplots()
    vis_utils.plot_confusion(axes, np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), ["cat", "dog", "ship"])
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0]])
    assert [text.get_text() for text in axes.texts] == ["50"] * 4


@pytest.mark.parametrize("shape", [(5, 3, 4, 5), (5, 4, 5, 3)])
def test_mistakes_carry_the_predicted_and_the_right_class(shape):
    X = np.random.default_rng(0).normal(size=shape)
    _, panels = plt.subplots(1, 3)
    vis_utils.show_mistakes(panels, X, np.array([0, 1, 1, 0, 1]), np.array([0, 0, 1, 1, 1]), ["cat", "dog"])
    assert [panel.get_title() for panel in panels] == ["cat?\ndog", "dog?\ncat", ""]
    assert [len(panel.images) for panel in panels] == [1, 1, 0]
    shown = panels[0].images[0].get_array()
    assert shown.shape == (4, 5, 3) and shown.min() == 0 and shown.max() == 1


def test_the_strongest_filters_are_shown_with_their_output():
    rng = np.random.default_rng(0)
    out = rng.normal(size=(9, 6, 7)) * np.arange(1, 10)[:, None, None]
    vis_utils.show_filter_outputs(rng.normal(size=(9, 3, 3, 3)), rng.normal(size=(3, 6, 7)), out)
    titles = [axes.get_title() for axes in plt.gcf().axes if axes.get_title().startswith("filter")]
    assert titles == [f"filter {number}" for number in np.argsort(-out.std(axis=(1, 2)))[:7]]


def test_spread_by_layer_has_a_line_for_each_scale_and_histograms_for_two():
    by_scale = {scale: [np.full((4, 3), scale) * np.arange(3) for _ in range(5)] for scale in (0.1, 1.0, 10.0)}
    vis_utils.plot_spread_by_layer(by_scale, shown=(0.1, 10.0))
    spread, first, second = plt.gcf().axes
    assert [line.get_label() for line in spread.lines] == ["0.1", "1.0", "10.0"]
    np.testing.assert_allclose(spread.lines[1].get_ydata(), np.full(5, np.std([0, 1, 2])))
    assert (first.get_title(), second.get_title()) == ("weight_scale 0.1", "weight_scale 10.0")
    assert len(first.collections) == len(second.collections) == 5


def test_a_descent_shows_the_whole_path():
    _, axes = plt.subplots()
    path = np.array([[-4.5, 1.0], [-3.0, 0.5], [-1.0, 0.1]])
    vis_utils.plot_descent(axes, path, np.array([0.015, 1.8]), "sgd")
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), path)
    assert axes.get_title() == "sgd"


def test_histories_have_two_accuracies_each():
    history = {"loss": [2.0, 1.0, 0.5, 0.4], "train": [0.2, 0.6], "val": [0.1, 0.4]}
    vis_utils.plot_histories({"simple": history, "complex": history}, "Models")
    loss, accuracy = plt.gcf().axes
    assert len(loss.lines) == 2 and len(accuracy.lines) == 4
    np.testing.assert_array_equal(accuracy.lines[1].get_xydata(), [[1, 0.1], [2, 0.4]])
    assert plt.gcf().get_suptitle() == "Models"
