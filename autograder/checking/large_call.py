"""A call with inputs so large that code that measures its gradient entry by entry reaches the time limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.criteria import Trial, Wrong

TOLERANCE = 0.01  # relative to the gradient's norm; long sums in float32 may differ by almost this much


@dataclass(frozen=True)
class LargeCall:
    """One call of a question with a large input.

    - call: the call as text, for messages
    - entries: the number of entries of all gradients
    - forward, derive: run the reference's forward pass, or its forward and backward pass, to measure their cost
    - run_student: (Trial, names of criteria) -> None; calls the student's code. Raises Wrong if a gradient of one of
      these criteria is not right, and CallError if the call fails
    - without_gradient: names of the question's criteria that test no gradient
    """

    call: str
    entries: int
    forward: Callable[[], Any]
    derive: Callable[[], Any]
    run_student: Callable[[Trial, set[str]], None]
    without_gradient: tuple[str, ...] = ()


def expect_nearly(gradient: Any, right: np.ndarray, what: str) -> None:
    """Raise Wrong if a gradient differs from `right` by more than TOLERANCE; axes of length 1 may differ.

    - what: the call and the name of the gradient, for the message
    """
    actual = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else np.zeros(0)
    distance = np.linalg.norm(actual.ravel() - right.ravel()) if actual.size == right.size else np.inf
    if not distance <= TOLERANCE * np.linalg.norm(right):
        raise Wrong(f"{what} is not the gradient that was expected. Does your code treat large inputs in another way?")
