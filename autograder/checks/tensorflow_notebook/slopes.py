"""Comparison of the gradients of a model's variables with slopes along whole directions.

Five million weights would take days to measure entry by entry. So this module moves all variables at once, along a
random direction and along the signs of the claimed gradients: right gradients pass after a few calls of the function.
Only if that fails, it moves each variable alone, to find the wrong gradients.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Outcome, Wrong
from cs231n.slopes import SETTLED, STEPS, Line, size_of

TRIES = 8  # directions of a kind; one of them has to be smooth enough to measure
Function = Callable[[dict[str, np.ndarray]], Any]

RTOL = 1e-3  # bound for sums of thousands of float32 numbers, relative to the root of their summed squares
SCALED = 100  # the largest extra step of a variable, so that a small gradient counts like a large one


def expect_slopes(
    f: Function, values: Mapping[str, np.ndarray], claimed: Mapping[str, np.ndarray], each: bool = True
) -> Outcome:
    """Return an Outcome if the claimed gradients agree with the slopes of f; else raise Wrong with the wrong names.

    - f: dictionary of float64 arrays -> number
    - values: the point, by name
    - claimed: {name: array} for the variables to move; the others do not change
    - each: find the wrong gradients among them
    """
    claimed = {
        name: expect_array(gradient, values[name].shape, f"the gradient of {name}").astype(np.float64)
        for name, gradient in claimed.items()
    }
    for name, gradient in claimed.items():
        if not np.isfinite(gradient).all():
            raise Wrong(f"the gradient of {name} holds entries that are not finite")
    rng = np.random.default_rng([*hashlib.sha256(b"".join(g.tobytes() for g in claimed.values())).digest()])
    lengths = {name: rng.uniform(0.5, 1.5, g.shape) * size_of(values[name]) for name, g in claimed.items()}
    shares = {name: float(np.linalg.norm(g * lengths[name])) for name, g in claimed.items()}
    largest = max(shares.values())
    for name, share in shares.items():
        lengths[name] *= largest / max(share, largest / SCALED) if largest else 1.0

    def compare(names: Collection[str]) -> tuple[Outcome, float]:
        return _compare(f, values, {name: (claimed[name], lengths[name]) for name in names}, largest, rng)

    together, error = compare(claimed)
    if error <= RTOL:
        return together
    if not each:
        raise Wrong(together)
    found = {name: compare([name]) for name in claimed}
    wrong = {name: outcome for name, (outcome, error) in found.items() if error > RTOL}
    if not wrong:
        raise RuntimeError("all gradients together are wrong, but each alone is right")  # a fault of the grader
    first, *others = wrong
    outcome = wrong[first]
    outcome.message = f"the gradient of {first} is wrong: {outcome.message}"
    if others:
        outcome.message += f". Also wrong: the gradient of {', '.join(others)}"
    raise Wrong(outcome)


def _compare(
    f: Function,
    values: Mapping[str, np.ndarray],
    moved: Mapping[str, tuple[np.ndarray, np.ndarray]],
    least: float,
    rng: np.random.Generator,
) -> tuple[Outcome, float]:
    """Return the Outcome with the larger error along two directions, and that error.

    - moved: {name: (claimed gradient, step of each entry)}
    - least: the least scale of a relative error, because a gradient of 0 has rounding errors too
    """
    outcomes: list[tuple[Outcome, float]] = []

    def at_random(g: np.ndarray, length: np.ndarray) -> np.ndarray:
        return rng.choice([-1.0, 1.0], size=g.shape) * length

    def uphill(g: np.ndarray, length: np.ndarray) -> np.ndarray:
        return np.copysign(length * rng.uniform(0.5, 1.5, g.shape), g)

    for way in (at_random, uphill):
        for _ in range(TRIES):
            direction = {name: way(g, length) for name, (g, length) in moved.items()}
            products = [moved[name][0] * steps for name, steps in direction.items()]
            claimed_slope = float(sum(np.sum(product) for product in products))
            measured, uncertainty = _measure_slope(f, values, direction)
            norm = float(np.sqrt(sum(np.sum(product**2) for product in products)))
            size = max(norm, least, abs(measured), np.finfo(float).tiny)
            if uncertainty <= 0.1 * RTOL * size:
                break
        else:
            raise RuntimeError("the judge's own function is too rough here")  # a fault of the grader
        message = f"along one direction its slope is {claimed_slope:.6g}, but the measured slope is {measured:.6g}"
        error = abs(measured - claimed_slope) / size
        outcomes.append((Outcome(message if error > RTOL else "", error, RTOL), error))
    return max(outcomes, key=lambda pair: pair[1])


def _measure_slope(
    f: Function, values: Mapping[str, np.ndarray], direction: Mapping[str, np.ndarray]
) -> tuple[float, float]:
    """Return the slope of f along a direction, {name: array}, and its uncertainty."""

    moved = {name: np.empty_like(values[name]) for name in direction}  # written again at each point, to save time

    def along(t: np.ndarray) -> float:
        for name, way in direction.items():
            np.multiply(t[0], way, out=moved[name])
            moved[name] += values[name]
        return f(dict(values) | moved)

    line = Line(along, np.zeros(1), np.ones(()))
    slope, uncertainty = np.nan, np.inf
    for step in STEPS[np.float64]:
        left, right, noise = line.slopes(step / np.sqrt(sum(way.size for way in direction.values())))
        if abs(right - left) + noise >= uncertainty:
            break  # kinks no longer matter, and rounding errors grow as the steps shrink
        slope, uncertainty = (left + right) / 2, abs(right - left) + noise
        if uncertainty <= SETTLED * abs(left + right):
            break
    return slope, uncertainty
