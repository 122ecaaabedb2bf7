"""The names of the axes of the assignment's arrays."""

_PARAMETERS = {
    4: ("filter", "channel", "row", "column"),
    2: ("input", "output"),
    1: ("output",),
}
_IMAGES, _SCORES, _ROWS = ("example", "channel", "row", "column"), ("example", "class"), ("example", "feature")


def axes_of(question: str, name: str, ndim: int) -> tuple[str, ...]:
    """Return the names of the axes of an array that a question returns, such as `dw`; () if they are unknown."""
    if name == "scores" or question.endswith("_loss"):
        return _SCORES if ndim == 2 else ()
    if name.lstrip("d").lower().startswith(("w", "b", "next_w")) and not name.lstrip("d").startswith("beta"):
        return _PARAMETERS.get(ndim, ())
    return {4: _IMAGES, 2: _ROWS, 1: ("feature",)}.get(ndim, ())
