"""What the axes of the assignment's arrays are called."""

_PARAMETERS = {
    4: ("filter", "channel", "row", "column"),
    2: ("input", "output"),
    1: ("output",),
}
_IMAGES, _SCORES, _ROWS = ("example", "channel", "row", "column"), ("example", "class"), ("example", "feature")


def axes_of(question, name, ndim):
    """Return the names of the axes of an array that a question returns, as in `dw`; () where they are not known."""
    if name == "scores" or question.endswith("_loss"):
        return _SCORES if ndim == 2 else ()
    if name.lstrip("d").lower().startswith(("w", "b", "next_w")) and not name.lstrip("d").startswith("beta"):
        return _PARAMETERS.get(ndim, ())
    return {4: _IMAGES, 2: _ROWS, 1: ("feature",)}.get(ndim, ())
