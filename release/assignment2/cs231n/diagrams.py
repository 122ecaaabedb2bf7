"""Schematic drawings for the notebooks: numbers in grids, a network with dropout, the graph of batch normalization.

Functions with an argument `axes` draw into it; the others make a new Matplotlib figure. All return None.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle


def draw_grid(axes: Axes, numbers: np.ndarray, title: str, pale: int = 0) -> None:
    """Draw a matrix as numbers in squares.

    numbers: (rows, columns)
    pale: number of rows and columns at each edge that are drawn in grey, such as padding
    """
    rows, columns = numbers.shape
    for (row, column), number in np.ndenumerate(numbers):
        inside = pale <= row < rows - pale and pale <= column < columns - pale
        background = "0.95" if inside else "white"
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=background, edgecolor="0.8"))
        ink = "black" if inside else "0.6"
        axes.text(column + 0.5, row + 0.5, f"{number:g}", ha="center", va="center", color=ink)
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def outline(
    axes: Axes, row: int, column: int, height: int, width: int, colour: str, inset: float = 0.06, opacity: float = 0.12
) -> None:
    """Draw a coloured frame around some squares of `draw_grid`.

    row, column: of the upper left square
    inset: distance from the edge of the squares
    opacity: of the colour inside the frame, 0 to 1
    """
    corner = (column + inset, row + inset)
    size = (width - 2 * inset, height - 2 * inset)
    axes.add_patch(Rectangle(corner, *size, facecolor=colour, alpha=opacity))
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, lw=2.5))


def draw_dropout_network(axes: Axes, title: str, p: float = 1.0, seed: int = 0) -> None:
    """Draw inputs, two hidden layers and scores as circles; dropped hidden units are crossed out.

    p: probability of keeping a hidden unit
    """
    sizes = [4, 7, 7, 3]
    rng = np.random.RandomState(seed)
    kept = [np.ones(size, bool) for size in sizes]
    kept[1] = rng.uniform(size=7) < p
    kept[2] = rng.uniform(size=7) < p
    heights = [np.linspace(-size, size, size) * 0.8 for size in sizes]
    for layer in range(3):
        for i, low in enumerate(heights[layer]):
            for j, high in enumerate(heights[layer + 1]):
                if kept[layer][i] and kept[layer + 1][j]:
                    axes.plot([layer, layer + 1], [low, high], color="0.75", lw=0.7, zorder=1)
    for layer, (height, keep) in enumerate(zip(heights, kept)):
        colour = "C1" if layer in (1, 2) else "C0"
        axes.scatter(np.full(keep.sum(), layer), height[keep], s=95, color=colour, edgecolor="0.3", lw=0.8, zorder=2)
        dropped = height[~keep]
        axes.scatter(np.full(len(dropped), layer), dropped, s=95, color="white", edgecolor="0.75", zorder=2)
        axes.scatter(np.full(len(dropped), layer), dropped, s=40, marker="x", color="C3", lw=1.2, zorder=3)
    axes.set_title(title)
    axes.set_axis_off()


def draw_shared_statistics(groups: Mapping[str, np.ndarray], xlabel: str, ylabel: str) -> None:
    """Draw tables side by side; entries of one colour share one mean and one variance.

    groups: {title: array (rows, columns) with the group of every entry, 0 to 11}
    """
    _, panels = plt.subplots(1, len(groups), figsize=(4.5 * len(groups), 2.9), layout="constrained", squeeze=False)
    for axes, (title, numbers) in zip(panels[0], groups.items()):
        axes.pcolormesh(numbers, cmap="Set3", vmin=0, vmax=11, edgecolor="white", lw=2)
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xticks=[], yticks=[], aspect="equal")
        axes.invert_yaxis()
        axes.spines[:].set_visible(False)


# The graph of batch normalization in training: name, position, text.
_BOXES = {
    "x": (0, 1, "$x$"),
    "mu": (1.7, 0, "$\\mu$\nmean of $x$"),
    "c": (3.4, 1, "$c = x - \\mu$"),
    "v": (5.0, 0, "$v$\nmean of $c^2$"),
    "s": (7.3, 0, "$s = \\sqrt{v + \\epsilon}$"),
    "x_hat": (8.9, 1, "$\\hat{x} = c\\,/\\,s$"),
    "gamma": (9.9, 0, "$\\gamma$"),
    "beta": (11.6, 0, "$\\beta$"),
    "out": (11.9, 1, "out $= \\gamma\\,\\hat{x} + \\beta$"),
}
_EDGES = ["x mu", "x c", "mu c", "c v", "v s", "s x_hat", "c x_hat", "x_hat out", "gamma out", "beta out"]
_BLUE, _ORANGE = "#cfe3f5", "#fbdcb8"
_FORWARD = {"color": "0.35", "lw": 1.4}
_BACKWARD = {"color": "C3", "ls": (0, (4, 2))}


def draw_batchnorm_graph() -> None:
    """Draw the forward pass of batch normalization: boxes are arrays, solid arrows values, dashed arrows gradients."""
    _, axes = plt.subplots(figsize=(13, 3.5), layout="constrained")
    boxes = {}
    for name, (x, y, text) in _BOXES.items():
        style = {"boxstyle": "round,pad=0.55", "facecolor": _ORANGE if y == 0 else _BLUE, "edgecolor": "0.45"}
        boxes[name] = axes.text(x, y, text, ha="center", va="center", fontsize=12, bbox=style, zorder=3)
    for edge in _EDGES:
        start, end = edge.split()
        for tail, head, style in [(start, end, _FORWARD), (end, start, _BACKWARD)]:
            arrow = {"patchA": boxes[tail].get_bbox_patch(), "patchB": boxes[head].get_bbox_patch()}
            arrow |= {"arrowstyle": "-|>", "connectionstyle": "arc3,rad=0.13", "shrinkA": 2, "shrinkB": 2}
            axes.annotate("", _BOXES[head][:2], _BOXES[tail][:2], arrowprops={**arrow, "mutation_scale": 13, **style})
    for tail, head, text, middle in [(14.3, 13.1, "dout", 13.75), (-0.35, -1.5, "dx", -1.05)]:
        arrow = {"arrowstyle": "-|>", "mutation_scale": 13, **_BACKWARD}
        axes.annotate("", (head, 1), (tail, 1), arrowprops=arrow)
        axes.text(middle, 1.14, text, color="C3", ha="center", fontsize=12)
    kinds = [Patch(facecolor=_BLUE, edgecolor="0.45"), Patch(facecolor=_ORANGE, edgecolor="0.45")]
    lines = [Line2D([], [], color="0.35"), Line2D([], [], color="C3", ls="--")]
    texts = ["shape $(N, D)$", "shape $(D,)$", "forward: values", "backward: gradients"]
    axes.legend(kinds + lines, texts, ncols=4, loc="lower center", bbox_to_anchor=(0.5, -0.16), frameon=False)
    axes.set(xlim=(-1.7, 14.5), ylim=(-0.55, 1.45))
    axes.set_axis_off()
