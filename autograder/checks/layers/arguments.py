"""Checks that a function leaves its arguments unchanged, and that its results have the right dtype and shape."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from autograder.checking.criteria import Wrong
from autograder.checks.layers.layer import Inputs


def expect_unchanged(
    before: Mapping[str, Any], after: Mapping[str, Any], function: str, may_change: Collection[str] = ()
) -> None:
    """Raise Wrong if an argument changed: an array, or an entry of a dictionary.

    - before, after: {argument's name: value} before and after the call
    - may_change: keys of dictionaries that the function may change
    """
    for name, value in before.items():
        if isinstance(value, dict):
            # The worker returns no dictionary that has keys other than strings.
            left = after[name] if isinstance(after[name], dict) else value
            for key, item in value.items():
                if key not in may_change and not (key in left and np.array_equal(item, left[key])):
                    raise Wrong(
                        f"{function} changed {name}[{key!r}], a setting of its caller. The caller may use the same "
                        f"dictionary for other layers: only read {name}, and store your results in variables."
                    )
        elif isinstance(value, np.ndarray) and not np.array_equal(value, after[name]):
            raise Wrong(
                f"{function} changed its argument {name} in place. The caller still needs {name}: "
                "work on a copy, or write the result into a new array."
            )


def drop_unit_axes(value: Any, shape: tuple[int, ...]) -> Any:
    """Return an array, reshaped to `shape` if only axes of length 1 differ; return any other value unchanged."""
    if isinstance(value, np.ndarray) and [n for n in value.shape if n != 1] == [n for n in shape if n != 1]:
        return value.reshape(shape)
    return value


def convert_to_float32(inputs: Inputs) -> Inputs:
    """Return the inputs with every array converted to float32."""
    arrays = {name: value.astype(np.float32) for name, value in inputs.items() if isinstance(value, np.ndarray)}
    return inputs | arrays


def expect_float32(call: str, name: str, array: np.ndarray) -> None:
    """Raise Wrong if the result of a call with float32 arguments is in float64."""
    if array.dtype == np.float64:
        raise Wrong(
            f"{call}: {name} is in float64, which takes twice the memory and time; expected float32. An array in its "
            "computation is in float64, such as np.zeros(shape) or a mask turned into int: give it dtype=x.dtype."
        )
