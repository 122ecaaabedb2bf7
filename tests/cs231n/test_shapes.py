"""Windows are counted, and those that do not fit an image are refused by name."""

import pytest

from cs231n.shapes import output_size


@pytest.mark.parametrize(
    "size, window, stride, message",
    [
        (5, 2, 2, "windows of height 2 at a stride of 2 do not fit 5 pixels .*: 5 - 2 is not divisible by 2"),
        (2, 3, 1, "do not fit 2 pixels .*: 2 - 3 is not 0 or more"),
        (4, 1, 0, "the height of a window is 1 and the stride 0; expected 1 or more"),
        (4, 0, 1, "the height of a window is 0"),
    ],
)
def test_windows_that_do_not_fit_are_refused(size, window, stride, message):
    with pytest.raises(ValueError, match=f"some_layer: .*{message}|some_layer: {message}"):
        output_size("some_layer", "height", size, window, stride)


@pytest.mark.parametrize("window, stride, count", [(7, 1, 1), (3, 2, 3), (1, 3, 3)])
def test_windows_that_fit_are_counted(window, stride, count):
    assert output_size("layer", "width", 7, window, stride) == count


def test_layers_of_earlier_releases_import_it_from_im2col():
    from cs231n import im2col

    assert im2col.output_size is output_size
