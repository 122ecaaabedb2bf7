"""The parameters of a new net: names, shapes, and how they are drawn."""

from collections.abc import Callable

import numpy as np

from autograder.checking.criteria import Outcome, Trial, Wrong
from autograder.checks.classifiers.net_trial import NetTrial

SCALE = 0.3  # the weight_scale that is asked for


def expect_initial_parameters(trial: Trial, make: Callable[..., NetTrial]) -> None:
    """Raise Wrong unless names, shapes and the spread of the weights are right, b and beta are 0, and gamma is 1.

    - make: keyword arguments of a constructor -> NetTrial
    """
    trial.call("numpy.random:seed", trial.seed % 2**32)
    net = make(weight_scale=SCALE)
    for name, value in net.expect_parameters().items():
        start = {"b": 0, "g": 1}.get(name[0])
        if start is not None and np.any(value != start):
            normalizes = name.startswith(("gamma", "beta"))
            mistake = "net_init_gamma_beta" if normalizes else "net_init_biases"
            message = f"{net.call}: {name} does not start at {start}"
            raise Wrong(Outcome(message, diagnosis=[net.find_misconception(mistake)]))
        if name.startswith("W"):
            _expect_spread(net, make, name, value)


def _expect_spread(net: NetTrial, make: Callable[..., NetTrial], name: str, value: np.ndarray) -> None:
    """Raise Wrong if weights are not drawn around 0 with the asked standard deviation."""
    spread, mean = float(value.std()), float(value.mean())
    slack = 10 / np.sqrt(value.size)  # ten standard errors: a right draw never differs by more in practice
    if abs(spread / SCALE - 1) > slack or abs(mean) > slack * SCALE:
        message = (
            f"{net.call}: the initial {name} has mean {mean:.3g} and standard deviation {spread:.3g}; "
            f"expected about 0 and weight_scale, {SCALE:g}"
        )
        wider = make(weight_scale=2 * SCALE).expect_parameters()[name]
        mistake = name_draw_mistake(value, wider, SCALE)
        raise Wrong(Outcome(message, diagnosis=[net.find_misconception(mistake)] if mistake else []))


def name_draw_mistake(value: np.ndarray, wider: np.ndarray, scale: float) -> str | None:
    """Return the catalogue's name for the wrong way in which weights are drawn, or None.

    - value, wider: the weights for weight_scale `scale`, and for twice that
    """
    if np.ptp(value) == 0:
        return "net_init_alike"
    growth = wider.std() / value.std()
    if np.isclose(growth, 2, rtol=0.1):
        return "net_init_uniform" if np.max(np.abs(value)) <= scale else None
    mistakes = {1: "net_init_scale_ignored", 4: "net_init_scale_squared", 2**0.5: "net_init_variance"}
    return next((mistake for power, mistake in mistakes.items() if np.isclose(growth, power, rtol=0.1)), None)
