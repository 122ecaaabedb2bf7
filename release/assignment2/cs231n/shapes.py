"""Sizes of the arrays that layers return."""


def output_size(function: str, axis: str, size: int, window: int, stride: int) -> int:
    """Return the number of windows along one axis of an image.

        1 + (size - window) / stride

    function, axis: names for the error message, such as "conv_forward_naive" and "height"
    size: pixels along the axis, padding included
    window: pixels of one window along the axis
    stride: pixels from one window to the next

    Raises ValueError if window or stride is less than 1, or if the last window does not end at the edge.
    """
    if window < 1 or stride < 1:
        raise ValueError(f"{function}: the {axis} of a window is {window} and the stride {stride}; expected 1 or more")
    steps, left_over = divmod(size - window, stride)
    if size < window or left_over:
        raise ValueError(
            f"{function}: windows of {axis} {window} at a stride of {stride} do not fit {size} pixels (padding "
            f"included): {size} - {window} is not {'0 or more' if size < window else f'divisible by {stride}'}"
        )
    return steps + 1
