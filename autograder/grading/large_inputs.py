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

from autograder.checking.criteria import Trial, Wrong
from autograder.sandbox.worker_client import StudentError

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
    - ask: calls the student's code; given (Trial, names of criteria), it raises Wrong where a gradient of one of these
      is not right, and StudentError where none comes
    - spared: names of the question's criteria that no gradient is needed for
    """

    says: str
    entries: int
    forward: Callable[[], Any]
    derive: Callable[[], Any]
    ask: Callable[[Trial, set[str]], None]
    spared: tuple[str, ...] = ()


def refusal(large, question, start, proved, answered=False):
    """Return why the gradients of a question do not count as derived, as (verdict, message), or None.

    Too late is too late, and so is no answer for want of memory: that memory ran out may be the student's word alone.
    What does come has been derived, right or wrong; but a gradient that was right and is wrong here gives the large
    input an answer of its own.

    - large: LargeCall
    - start: Limits -> Trial with a worker of its own
    - proved: names of the criteria whose gradients were right
    - answered: whether the judge answers for functions; code that looks into their caches is then let be
    """
    proved = proved - set(large.spared)
    derived = _seconds(large.derive)
    limit = math.ceil(max(SECONDS, FACTOR * derived))
    try:
        large.ask(start(replace(question.limits, cpu_seconds=limit, wall_seconds=WALL * limit)), proved)
    except StudentError as error:
        if error.verdict == "timeout":
            return "timeout", _too_late(large, limit, derived)
        if error.verdict == "memory":
            return "memory", _too_large(large, error)
        if error.verdict == "forbidden" or (proved and not (answered and error.is_not_answered)):
            return error.verdict, f"Right for small inputs. {large.says}: {error}"
    except Wrong as wrong:
        if proved:
            return "failed", f"Right for small inputs, and not for a large one. {wrong}"
    return None


def expect_about(gradient, right, what):
    """Raise Wrong unless a gradient has about the right entries; axes of length 1 are not judged here."""
    actual = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else np.zeros(0)
    off = np.linalg.norm(actual.ravel() - right.ravel()) if actual.size == right.size else np.inf
    if not off <= TOLERANCE * np.linalg.norm(right):
        raise Wrong(f"{what} is not the gradient that was expected. Does your code treat large inputs in another way?")


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


def _too_large(large, error):
    return (
        f"{large.says}: {error} All {large.entries:,} entries of the gradients have to be had in that. The Jacobian of "
        "the whole input, every entry of out by every entry of x, does not fit and is not needed, as most of it is 0: "
        "write down what each entry of dout adds to the gradient."
    )
