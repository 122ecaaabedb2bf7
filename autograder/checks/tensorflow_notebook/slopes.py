"""Gradients of a model's variables against slopes along whole directions.

Entry by entry, five million weights would take days to measure. So all variables are moved at once, along a direction
drawn from the claimed gradients themselves and along the claims' own signs: a few calls of the function pass right
gradients. Only when that fails is each variable moved on its own, which tells which of them are wrong.
"""

import hashlib

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Outcome, Wrong
from cs231n.slopes import SETTLED, STEPS, Line, size_of

TRIES = 8  # directions of a kind, of which one has to be smooth enough to be measured
RTOL = 1e-3  # of sums over thousands of float32 numbers, relative to the root of their summed squares
SCALED = 100  # how much farther a variable is moved at most, so that a small gradient counts like a large one


def expect_slopes(f, values, claimed, each=True):
    """Return an Outcome where the claimed gradients have the slopes of f; else raise Wrong, and name all that have not.

    - f: dictionary of float64 arrays -> number
    - values: where, by name
    - claimed: {name: array} for the variables to be moved; the others stay
    - each: go on to tell which of them are wrong
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

    def compare(names):
        return _compare(f, values, {name: (claimed[name], lengths[name]) for name in names}, largest, rng)

    together = compare(claimed)
    if together.max_rel_error <= RTOL:
        return together
    if not each:
        raise Wrong(together)
    found = {name: compare([name]) for name in claimed}
    wrong = {name: outcome for name, outcome in found.items() if outcome.max_rel_error > RTOL}
    if not wrong:
        raise RuntimeError("the gradients are wrong together, and each is right")  # a fault of the grader
    first, *others = wrong
    outcome = wrong[first]
    outcome.message = f"the gradient of {first} is wrong: {outcome.message}"
    if others:
        outcome.message += f". Wrong as well: the gradient of {', '.join(others)}"
    raise Wrong(outcome)


def _compare(f, values, moved, least, rng):
    """Return the larger error along two directions; the message says what was promised and what is measured.

    - moved: {name: (claimed gradient, how far each entry is moved)}
    - least: what an error is relative to at least, since a gradient that is 0 comes with some rounding
    """
    outcomes = []

    def at_random(g, length):
        return rng.choice([-1.0, 1.0], size=g.shape) * length

    def uphill(g, length):
        return np.copysign(length * rng.uniform(0.5, 1.5, g.shape), g)

    for way in (at_random, uphill):
        for _ in range(TRIES):
            direction = {name: way(g, length) for name, (g, length) in moved.items()}
            products = [moved[name][0] * steps for name, steps in direction.items()]
            promised = float(sum(np.sum(product) for product in products))
            measured, uncertainty = _slope(f, values, direction)
            norm = float(np.sqrt(sum(np.sum(product**2) for product in products)))
            size = max(norm, least, abs(measured), np.finfo(float).tiny)
            if uncertainty <= 0.1 * RTOL * size:
                break
        else:
            raise RuntimeError("the judge's own function is too rough here")  # a fault of the grader
        message = f"along some direction it promises a slope of {promised:.6g}, and {measured:.6g} is measured"
        outcomes.append(Outcome(message, abs(measured - promised) / size, RTOL))
    worst = max(outcomes, key=lambda outcome: outcome.max_rel_error)
    return worst if worst.max_rel_error > RTOL else Outcome("", worst.max_rel_error, RTOL)


def _slope(f, values, direction):
    """Return the slope of f along a direction, {name: array}, and its uncertainty."""

    def along(t):
        return f(values | {name: values[name] + t[0] * way for name, way in direction.items()})

    line = Line(along, np.zeros(1), np.ones(()))
    for step in STEPS[np.float64]:
        left, right, noise = line.slopes(step / np.sqrt(sum(way.size for way in direction.values())))
        uncertainty = abs(right - left) + noise
        if uncertainty <= SETTLED * abs(left + right):
            break
    return (left + right) / 2, uncertainty
