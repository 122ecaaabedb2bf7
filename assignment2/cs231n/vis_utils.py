"""Pictures of data, networks and training: images in a grid, weights, examples, mistakes, curves.

The `show_` and `plot_` functions draw a new Matplotlib figure, or into the given axes, and return None. A notebook
shows a new figure automatically; elsewhere `plt.gcf()` is the figure.
"""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike


def visualize_grid(Xs: np.ndarray, ubound: float = 255.0, padding: int = 1) -> np.ndarray:
    """Return many images as one, in a grid with as many rows as columns.

    Xs: (N, H, W, C)
    ubound: the values of every image are rescaled to the range from 0 to ubound; an image of one value becomes 0
    padding: pixels of 0 between neighbours

    Returns an image of shape (rows · H + (rows - 1) · padding, rows · W + (rows - 1) · padding, C).
    """
    N, H, W, C = Xs.shape
    side = ceil(sqrt(N))
    low = Xs.min(axis=(1, 2, 3), keepdims=True).astype(float)
    span = Xs.max(axis=(1, 2, 3), keepdims=True) - low
    cells = np.zeros((side * side, H + padding, W + padding, C))
    cells[:N, :H, :W] = ubound * (Xs - low) / np.where(span == 0, 1, span)
    rows = cells.reshape(side, side, H + padding, W + padding, C).transpose(0, 2, 1, 3, 4)
    grid = rows.reshape(side * (H + padding), side * (W + padding), C)
    return grid[: grid.shape[0] - padding, : grid.shape[1] - padding]


def show_weights(W1: np.ndarray, image_shape: tuple = (3, 32, 32), padding: int = 2) -> None:
    """Draw the weights of a first layer as images, one for each of its units.

    W1: (D, M)
    image_shape: shape of one example before it was flattened, (C, H, W) or (H, W, C) with 1 or 3 channels
    """
    images = _channels_last(W1.T.reshape(-1, *image_shape))
    _, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    _draw(axes, visualize_grid(images, ubound=1.0, padding=padding))


def show_examples(X: np.ndarray, y: ArrayLike, class_names: Sequence[str], per_class: int = 7) -> None:
    """Draw the first few images of each class, one column for each class.

    X: (N, C, H, W) or (N, H, W, C) with 1 or 3 channels, in any range: the lowest value of all images drawn becomes
       black, the highest white
    y: (N,) classes
    class_names: one name for each class
    per_class: largest number of images of each class
    """
    y = np.asarray(y)
    chosen = [np.flatnonzero(y == label)[:per_class] for label in range(len(class_names))]
    images = _channels_last(X[np.concatenate(chosen)]).astype(float)
    images = (images - images.min()) / (np.ptp(images) or 1)
    remaining = iter(images)

    size = (1.0 * len(class_names), 1.05 * per_class)
    _, axes = plt.subplots(per_class, len(class_names), figsize=size, squeeze=False, layout="constrained")
    for column, (name, indices) in enumerate(zip(class_names, chosen)):
        axes[0, column].set_title(name, fontsize=9)
        for row in range(per_class):
            axes[row, column].set_axis_off()
            if row < len(indices):
                _draw(axes[row, column], next(remaining))


def plot_training(solvers: Mapping[str, Any], title: str | None = None) -> None:
    """Draw loss, training accuracy and validation accuracy of one or more solvers, one colour for each solver.

    solvers: {name in the legend: solver that has trained}
    title: line above the three panels

    A long loss history is drawn as its running mean, with the single steps in a pale colour behind it.
    """
    figure, (loss, train, val) = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for number, (name, solver) in enumerate(solvers.items()):
        colour = f"C{number}"
        steps, smooth = _running_mean(solver.loss_history)
        if len(smooth) < len(solver.loss_history):
            loss.plot(range(1, len(solver.loss_history) + 1), solver.loss_history, color=colour, alpha=0.2, lw=0.8)
        loss.plot(steps, smooth, color=colour, label=name)
        train.plot(solver.train_acc_history, ".-", color=colour)
        val.plot(solver.val_acc_history, ".-", color=colour)

    loss.set(title="Training loss", xlabel="iteration")
    train.set(title="Training accuracy", xlabel="epoch")
    val.set(title="Validation accuracy", xlabel="epoch")
    # Both accuracies have one scale, because the gap between them is of interest.
    val.sharey(train)
    for axes in (loss, train, val):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    if solvers:
        figure.legend(loc="outside lower center", ncols=min(len(solvers), 6), frameon=False)
    figure.suptitle(title or "")


def plot_confusion(axes: Axes, predicted: np.ndarray, y: np.ndarray, class_names: Sequence[str]) -> None:
    """Draw a table of right classes (rows) and predicted classes (columns), in percent of each row.

    predicted, y: (N,) predicted classes and right classes
    """
    counts = np.zeros((len(class_names), len(class_names)))
    np.add.at(counts, (y, predicted), 1)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.01:
            ink = "white" if share > 0.5 else "black"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=ink, fontsize=9)
    axes.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right")
    axes.set_yticks(range(len(class_names)), class_names)
    axes.set(xlabel="predicted class", ylabel="right class", title="Test images, percent of each row")


def show_mistakes(
    axes: np.ndarray, X: np.ndarray, y: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]
) -> None:
    """Draw the first wrongly classified images, each with its predicted class and, below it, its right class.

    axes: array of Matplotlib axes, one for each image
    X: (N, C, H, W) or (N, H, W, C)
    predicted, y: (N,) predicted classes and right classes
    """
    wrong = np.flatnonzero(predicted != y)
    for panel in axes.flat:
        panel.set_axis_off()
    for panel, index in zip(axes.flat, wrong):
        _draw(panel, _rescale(_channels_last(X[[index]])[0]))
        panel.set_title(f"{class_names[predicted[index]]}?\n{class_names[y[index]]}", fontsize=9)


def show_filter_outputs(W1: np.ndarray, image: np.ndarray, out: np.ndarray) -> None:
    """Draw the filters of a first layer, and the seven strongest outputs for one image.

    W1: (F, C, HH, WW)
    image: (C, H, W)
    out: (F, H', W'), the output of the layer for this image
    """
    strongest = np.argsort(-out.std(axis=(1, 2)))[:7]
    figure = plt.figure(figsize=(14, 5.4), layout="constrained")
    [[left, right]] = figure.subfigures(1, 2, squeeze=False, width_ratios=[1, 1.7])
    _draw(left.subplots(), visualize_grid(_channels_last(W1), ubound=1.0))
    left.suptitle(f"{len(W1)} filters")
    panels = right.subplots(2, 4).ravel()
    _draw(panels[0], _rescale(_channels_last(image[np.newaxis])[0]))
    panels[0].set_title("the image", fontsize=10)
    for panel in panels[1:]:
        panel.set_axis_off()
    for panel, number in zip(panels[1:], strongest):
        reach = np.abs(out[number]).max()
        panel.imshow(out[number], cmap="RdBu_r", vmin=-reach, vmax=reach)
        _draw(panel.inset_axes([0.0, 0.72, 0.28, 0.28]), _rescale(_channels_last(W1[[number]])[0]))
        panel.set_title(f"filter {number}", fontsize=10)
    right.suptitle("what seven of them find in an image (the filter in the corner)")


def plot_spread_by_layer(by_scale: Mapping[float, Sequence[np.ndarray]], shown: tuple) -> None:
    """Draw the standard deviation of each layer's values for several weight scales, and the values for two of them.

    by_scale: {weight scale: arrays, one for each layer}
    shown: the two scales whose values are drawn as histograms, the first layer on top
    """
    _, panels = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained", width_ratios=[1.25, 1, 1])
    colours = plt.cm.plasma(np.linspace(0.05, 0.85, len(by_scale)))
    edges = np.linspace(-4, 4, 121)
    for (scale, arrays), colour in zip(by_scale.items(), colours):
        layers = range(1, len(arrays) + 1)
        panels[0].semilogy(layers, [array.std() for array in arrays], "o-", color=colour, label=f"{scale}")
        if scale not in shown:
            continue
        panel = panels[1 + shown.index(scale)]
        for layer, array in zip(layers, arrays):
            count, _ = np.histogram(array, edges)
            height = 1.6 * count / (array.size * (edges[1] - edges[0]))
            top = layer - np.minimum(height, 0.95)
            panel.fill_between(edges[1:], layer, top, step="pre", color=colour, alpha=0.8, lw=0)
        panel.set(title=f"weight_scale {scale}", xlabel="input of the ReLU", ylim=(len(arrays) + 0.3, 0), yticks=layers)
    panels[0].set(title="Spread of the inputs", xlabel="layer", ylabel="standard deviation", ylim=(3e-6, 3e4))
    panels[0].legend(title="weight_scale", frameon=False, ncols=2, loc="upper left")
    panels[1].set_ylabel("layer")


def plot_descent(axes: Axes, path: np.ndarray, curvature: np.ndarray, title: str) -> None:
    """Draw the path of an update rule in a long valley, over the contours of the loss.

    path: (steps + 1, 2), the two weights before the first step and after each one
    curvature: (2,); the loss is half the sum of curvature · w²
    """
    across, along = np.meshgrid(np.linspace(-5, 2, 120), np.linspace(-1.4, 1.4, 80))
    height = 0.5 * (curvature[0] * across**2 + curvature[1] * along**2)
    axes.contour(across, along, height, levels=np.linspace(0.1, 1.2, 10) ** 2, colors="0.8", linewidths=0.8)
    axes.plot(*np.asarray(path).T, ".-", color="C0", lw=1, ms=4)
    axes.plot(0, 0, "x", color="C3", ms=9, mew=2)
    axes.set(title=title, xlim=(-5, 2), ylim=(-1.4, 1.4))


def plot_histories(histories: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> None:
    """Draw the loss of each step and the accuracies after each epoch: training dashed, validation solid.

    histories: {name: {"loss": losses, "train": training accuracies, "val": validation accuracies}}
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 3.8), layout="constrained")
    for number, (name, history) in enumerate(histories.items()):
        epochs = range(1, len(history["val"]) + 1)
        steps = np.linspace(0, len(epochs), len(history["loss"]))
        left.semilogy(steps, history["loss"], color=f"C{number}", lw=1)
        right.plot(epochs, history["train"], "o--", color=f"C{number}", ms=4, alpha=0.6, label=f"{name}, training")
        right.plot(epochs, history["val"], "o-", color=f"C{number}", ms=5, label=f"{name}, validation")
    left.set(title="Loss of each batch", xlabel="epoch")
    right.set(title="Accuracy", xlabel="epoch", ylim=(0, 1.02))
    right.grid(alpha=0.3)
    right.legend(frameon=False, loc="lower right")
    figure.suptitle(title or "")


def _rescale(image: np.ndarray) -> np.ndarray:
    """Return an image with values from 0 to 1; an image of one value becomes 0."""
    return (image - image.min()) / (np.ptp(image) or 1)


def _running_mean(values: Sequence[float], windows: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and means of windows of a fiftieth of the history; short histories stay as they are."""
    width = max(1, len(values) // windows)
    if not len(values):
        return np.array([]), np.array([])
    smooth = np.convolve(values, np.full(width, 1 / width), mode="valid")
    return np.arange(len(smooth)) + (width + 1) / 2, smooth


def _channels_last(images: np.ndarray) -> np.ndarray:
    if images.shape[-1] in (1, 3):
        return images
    if images.shape[1] in (1, 3):
        return images.transpose(0, 2, 3, 1)
    raise ValueError(f"images of shape {images.shape[1:]}; expected (C, H, W) or (H, W, C) with 1 or 3 channels")


def _draw(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
