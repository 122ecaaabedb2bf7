"""A question's call with an input so large that slopes measured entry by entry would come too late."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.criteria import Trial, Wrong

TOLERANCE = 0.01  # of a whole gradient: sums this long, in float32, are no closer than that for certain


@dataclass(frozen=True)
class LargeCall:
    """One question's call with a large input.

    - says: what is called, for messages
    - entries: how many entries the gradients have
    - forward, derive: what the reference takes for one forward pass, and for the gradients from the start
    - ask: calls the student's code; given (Trial, names of criteria), it raises Wrong where a gradient of one of these
      is not right, and CallError where none comes
    - spared: names of the question's criteria that no gradient is needed for
    """

    says: str
    entries: int
    forward: Callable[[], Any]
    derive: Callable[[], Any]
    ask: Callable[[Trial, set[str]], None]
    spared: tuple[str, ...] = ()


def expect_about(gradient: Any, right: np.ndarray, what: str) -> None:
    """Raise Wrong unless a gradient has about the right entries; axes of length 1 are not judged here."""
    actual = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else np.zeros(0)
    off = np.linalg.norm(actual.ravel() - right.ravel()) if actual.size == right.size else np.inf
    if not off <= TOLERANCE * np.linalg.norm(right):
        raise Wrong(f"{what} is not the gradient that was expected. Does your code treat large inputs in another way?")
