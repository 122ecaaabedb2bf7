"""Whether a gradient was derived: one call with an input so large that slopes measured entry by entry come too late.

A slope measured for every entry costs two forward passes an entry; a derivation costs a few, however it is written:
loops over single entries take some 100 to 1000 times as long as the reference. The limit lies between the two, in
processor time of the worker, so that a busy machine changes nothing, and follows what the reference takes on this
machine now, so that a slow one does not either. See docs/decisions/0013-measured-gradients.md.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.criteria import Trial, Wrong
from autograder.student import StudentError

SECONDS = 10  # of processor time, at least
FACTOR = 3000  # times what the reference takes
WALL = 10  # seconds of wall-clock time for each of them
RUNS = 3  # of the reference, of which the shortest counts
TOLERANCE = 0.01  # of a whole gradient: sums this long, in float32, are no closer than that for certain


@dataclass(frozen=True)
class LargeCall:
    """One question's call with a large input.

    - says: what is called, for messages
    - entries: how many entries the gradients have
    - forward, derive: what the reference takes for one forward pass, and for the gradients from the start
    - ask: calls the student's code; raises Wrong or StudentError where the right gradients do not come
    - spared: names of the question's criteria that no gradient is needed for
    """

    says: str
    entries: int
    forward: Callable[[], Any]
    derive: Callable[[], Any]
    ask: Callable[[Trial], None]
    spared: tuple[str, ...] = ()


def refusal(large, question, start, complete):
    """Return why the gradients of a question do not count as derived, as (verdict, message), or None.

    Too late is too late. What comes in time has been derived, right or wrong; but an answer that was right everywhere
    and is wrong here gives the large input an answer of its own. Running out of memory is no sign of measuring.

    - large: LargeCall
    - start: Limits -> Trial with a worker of its own
    - complete: whether every criterion of the question passed
    """
    derived = _seconds(large.derive)
    limit = math.ceil(max(SECONDS, FACTOR * derived))
    try:
        large.ask(start(replace(question.limits, cpu_seconds=limit, wall_seconds=WALL * limit)))
    except StudentError as error:
        if error.verdict == "timeout":
            return "timeout", _too_late(large, limit, derived)
        return (error.verdict, f"Right for small inputs. {large.says}: {error}") if _counts(error, complete) else None
    except Wrong as wrong:
        return ("failed", f"Right for small inputs, and not for a large one. {wrong}") if complete else None
    return None


def expect_about(gradient, right, what):
    """Raise Wrong unless a gradient has about the right entries; axes of length 1 are not judged here."""
    actual = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else np.zeros(0)
    off = np.linalg.norm(actual.ravel() - right.ravel()) if actual.size == right.size else np.inf
    if not off <= TOLERANCE * np.linalg.norm(right):
        raise Wrong(f"{what} is not the gradient that was expected. Does your code treat large inputs in another way?")


def _counts(error, complete):
    return error.verdict == "forbidden" or (complete and error.verdict != "memory")


def _seconds(run):
    """Return the processor time of the shortest of a few runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def _too_late(large, limit, derived):
    passes = 2 * large.entries
    return (
        f"{large.says}: no answer within {limit} s of processor time. The reference derives all {large.entries:,} "
        f"entries in {derived:.2g} s on this machine, and loops over single entries take a few seconds. Slopes "
        f"measured entry by entry take {passes:,} forward passes, {passes * _seconds(large.forward):,.0f} s or more. "
        "In this course a gradient has to be derived: write it down as an expression in dout and what the forward pass "
        "has kept, and measure slopes only to check it. If it is derived, look for what is done anew for every entry."
    )
