"""A call with inputs so large that code that measures its gradient entry by entry reaches the time limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.criteria import Trial, Wrong

TOLERANCE = 0.01  # of a whole gradient: such long sums in float32 may differ by nearly this much


@dataclass(frozen=True)
class LargeCall:
    """One call of a question with a large input.

    - says: the call, for messages
    - entries: the number of entries of all gradients
    - forward, derive: run the reference's forward pass, or its forward and backward pass, to measure their cost
    - ask: (Trial, names of criteria) -> None; calls the student's code, and raises Wrong if a gradient of one of these
      criteria is not right, or CallError if the call fails
    - spared: names of the question's criteria that need no gradient
    """

    says: str
    entries: int
    forward: Callable[[], Any]
    derive: Callable[[], Any]
    ask: Callable[[Trial, set[str]], None]
    spared: tuple[str, ...] = ()


def expect_about(gradient: Any, right: np.ndarray, what: str) -> None:
    """Raise Wrong unless a gradient is about right as a whole; axes of length 1 may differ."""
    actual = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else np.zeros(0)
    off = np.linalg.norm(actual.ravel() - right.ravel()) if actual.size == right.size else np.inf
    if not off <= TOLERANCE * np.linalg.norm(right):
        raise Wrong(f"{what} is not the gradient that was expected. Does your code treat large inputs in another way?")
