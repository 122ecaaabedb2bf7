"""The diagrams show the numbers and groups that they are given."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from cs231n import diagrams


@pytest.fixture
def axes():
    yield plt.subplots()[1]
    plt.close("all")


def test_a_grid_shows_every_number_in_reading_order_and_padding_in_grey(axes):
    diagrams.draw_grid(axes, np.pad(np.array([[1.0, 2.5]]), 1), "x", pale=1)
    assert [text.get_text() for text in axes.texts] == list("00000") + ["1", "2.5"] + list("00000")
    assert [text.get_text() for text in axes.texts if text.get_color() == "black"] == ["1", "2.5"]
    assert axes.get_title() == "x"


def test_an_outline_lies_inside_its_squares(axes):
    diagrams.outline(axes, 1, 2, height=3, width=4, colour="C0", inset=0.1)
    inside, frame = axes.patches
    assert frame.get_bbox().bounds == pytest.approx((2.1, 1.1, 3.8, 2.8))
    assert inside.get_bbox().bounds == frame.get_bbox().bounds and not frame.get_fill()


@pytest.mark.parametrize("p, dropped", [(1.0, 0), (0.0, 14)])
def test_only_hidden_units_are_dropped(axes, p, dropped):
    diagrams.draw_dropout_network(axes, "training", p=p)
    crosses = [points for index, points in enumerate(axes.collections) if index % 3 == 2]
    assert sum(len(points.get_offsets()) for points in crosses) == dropped
    connections = {0: 4 * 7 + 7 * 7 + 7 * 3, 14: 0}
    assert len(axes.lines) == connections[dropped]


def test_groups_have_a_table_each(axes):
    rows, columns = np.indices((2, 3))
    diagrams.draw_shared_statistics({"by column": columns, "by row": rows}, "channel", "image")
    panels = plt.gcf().axes
    assert [panel.get_title() for panel in panels] == ["by column", "by row"]
    for panel, groups in zip(panels, (columns, rows), strict=True):
        np.testing.assert_array_equal(panel.collections[0].get_array().reshape(2, 3), groups)


def test_the_graph_of_batch_normalization_has_an_arrow_each_way_for_every_edge(axes):
    diagrams.draw_batchnorm_graph()
    graph = plt.gcf().axes[0]
    arrows = [text for text in graph.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 2 * 10 + 2
    assert {"$x$", "dout", "dx", "$\\gamma$"} <= {text.get_text() for text in graph.texts}
    plt.gcf().canvas.draw()
