"""Pictures: images in a grid, first-layer weights, examples by class, and the course of training.

The `show_` and `plot_` functions draw a new Matplotlib figure and return None; in a notebook it appears by itself,
elsewhere `plt.gcf()` is the figure.
"""

from math import ceil, sqrt

import matplotlib.pyplot as plt
import numpy as np


def visualize_grid(Xs, ubound=255.0, padding=1):
    """Many images as one, in a grid as square as possible.

    Xs: (N, H, W, C)
    ubound: every image is stretched so that its values run from 0 to ubound; an image of one value becomes 0
    padding: pixels of 0 between neighbours

    Returns one image (rows · H + (rows - 1) · padding, likewise with W, C) with as many rows as columns.
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


def show_weights(W1, image_shape=(3, 32, 32), padding=2):
    """The weights of a first layer as images, one for each of its units.

    W1: (D, M)
    image_shape: shape of one example before it was flattened, (C, H, W) or (H, W, C) with 1 or 3 channels
    """
    images = _channels_last(W1.T.reshape(-1, *image_shape))
    _, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    _draw(axes, visualize_grid(images, ubound=1.0, padding=padding))


def show_examples(X, y, class_names, per_class=7):
    """The first few images of each class, one column a class.

    X: (N, C, H, W) or (N, H, W, C) with 1 or 3 channels, in any range: darkest and brightest value of the images
       shown become black and white
    y: (N,) classes
    class_names: one name for each class
    per_class: how many images of each class at most
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


def plot_training(solvers, title=None):
    """Loss, training accuracy and validation accuracy of one or more solvers, side by side, one colour each.

    solvers: dictionary from a name for the legend to a solver that has trained
    title: line above the three panels

    A long loss history is drawn as its running mean, with the single steps pale behind it.
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
    # One scale for both accuracies: the gap between them is what one looks for.
    val.sharey(train)
    for axes in (loss, train, val):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    if solvers:
        figure.legend(loc="outside lower center", ncols=min(len(solvers), 6), frameon=False)
    figure.suptitle(title)


def _running_mean(values, windows=50):
    """Positions and means of a window that is a fiftieth of the history long; short histories stay as they are."""
    width = max(1, len(values) // windows)
    if not len(values):
        return np.array([]), np.array([])
    smooth = np.convolve(values, np.full(width, 1 / width), mode="valid")
    return np.arange(len(smooth)) + (width + 1) / 2, smooth


def _channels_last(images):
    if images.shape[-1] in (1, 3):
        return images
    if images.shape[1] in (1, 3):
        return images.transpose(0, 2, 3, 1)
    raise ValueError(f"images of shape {images.shape[1:]}; expected (C, H, W) or (H, W, C) with 1 or 3 channels")


def _draw(axes, image):
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
