"""Checks of cs231n/optimizers.py.

They compare only the next weights. A rule may store any entries in its config: the returned config stays in the worker,
and the next call gets it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checking.compare import agrees, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial
from autograder.checks.outcomes import combine_outcomes
from cs231n import optimizers as reference

CHECKS = Checks()

STEPS = 8

Rule = Callable[[Any, Any, dict], tuple[Any, dict]]  # (w, dw, config) -> (next w, config)


def _add_rule_criteria(
    rule: str,
    settings: Mapping[str, Any],
    start: Mapping[str, Any] | None = None,
    accepted: Sequence[Rule] = (),
    starts: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Add the criteria of one update rule.

    - settings: other values for its hyperparameters
    - start: entries of config before the first step, if editions of the course differ in it
    - accepted: other right rules
    - starts: other right initial values for an empty config
    """
    right, first = [getattr(reference, rule), *accepted], dict(start or {})

    def run(
        trial: Trial, config: dict | None, steps: int, shape: tuple[int, ...] = (4, 5), blank: bool = False
    ) -> Outcome:
        """Give the student's rule and the right rules the same gradients; compare the weights after every step."""
        rng = trial.rng(rule, shape, steps)
        w = rng.normal(size=shape)
        begun = [dict(config)] if config else [{}, *starts]
        rules = [(f, memory) for memory in begun for f in right]
        ours = [(w, dict(memory)) for _, memory in rules]
        theirs, kept = w, config
        outcomes = [Outcome(max_rel_error=0.0)]
        for step in range(1, steps + 1):
            dw = rng.normal(size=shape)
            if blank:
                dw[0] = 0.0
            theirs, kept = trial.call(f"cs231n.optimizers:{rule}", theirs, dw, kept, returns=["value", "handle"])
            ours = [f(weights, dw, memory) for (f, _), (weights, memory) in zip(rules, ours)]
            call = f"{rule}(w, dw, config), step {step}, w of shape {shape}"
            if any(agrees(theirs, weights, 1e-6) for weights, _ in ours[1:]):
                continue
            outcomes.append(expect_close(theirs, ours[0][0], call, name="next_w"))
        return combine_outcomes(outcomes)

    @CHECKS.criterion(rule, "first step", 2)
    def first_step(trial: Trial) -> Outcome:
        """The weights are right after the first step."""
        return run(trial, {"learning_rate": 0.1, **first}, 1)

    @CHECKS.criterion(rule, "many steps", 4)
    def many_steps(trial: Trial) -> Outcome:
        """Each step uses the values that the last step stored in config: eight steps in a row are right."""
        return run(trial, {"learning_rate": 0.1, **first}, STEPS)

    @CHECKS.criterion(rule, "settings", 2)
    def own_settings(trial: Trial) -> Outcome:
        """The rule uses the hyperparameters in config."""
        return run(trial, {**settings, **first}, STEPS)

    @CHECKS.criterion(rule, "defaults", 0.5, edge=True)
    def defaults(trial: Trial) -> Outcome:
        """The rule works without a config, and for weights of any shape."""
        run(trial, None, STEPS, shape=(6,))
        return run(trial, None, 2, shape=(2, 3, 2, 2))

    @CHECKS.criterion(rule, "gradient of zero", 0.5, edge=True)
    def gradient_of_zero(trial: Trial) -> Outcome:
        """The weights are finite and right where the gradient is 0."""
        return run(trial, None, 2, blank=True)


def _rmsprop_eps_in_root(w: Any, dw: Any, config: dict) -> tuple[Any, dict]:
    """Apply RMSProp with epsilon under the root, as in other editions of the course."""
    rate, decay, eps = (config.get(k, d) for k, d in (("learning_rate", 1e-2), ("decay_rate", 0.99), ("epsilon", 1e-8)))
    cache = decay * config.get("cache", 0) + (1 - decay) * dw**2
    return w - rate * dw / np.sqrt(cache + eps), config | {"cache": cache}


def _adam_with(root: Callable[[Any, Any, Any], Any]) -> Rule:
    """Return Adam with the denominator root(v, bias correction of v, epsilon)."""

    def rule(w: Any, dw: Any, config: dict) -> tuple[Any, dict]:
        rate, eps = config.get("learning_rate", 1e-3), config.get("epsilon", 1e-8)
        beta1, beta2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
        t = config.get("t", 0) + 1
        m = beta1 * config.get("m", 0) + (1 - beta1) * dw
        v = beta2 * config.get("v", 0) + (1 - beta2) * dw**2
        step = rate * (m / (1 - beta1**t)) / root(v, 1 - beta2**t, eps)
        return w - step, config | {"m": m, "v": v, "t": t}

    return rule


_add_rule_criteria("sgd_momentum", {"learning_rate": 0.05, "momentum": 0.6})
_add_rule_criteria(
    "rmsprop", {"learning_rate": 0.05, "decay_rate": 0.8, "epsilon": 1e-6}, accepted=(_rmsprop_eps_in_root,)
)
_add_rule_criteria(
    "adam",
    {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6},
    start={"t": 0},
    starts=({"t": 1},),  # the initial value in the course's own file in some years
    accepted=(
        _adam_with(lambda v, correction, eps: np.sqrt(v / correction + eps)),
        # Both corrections are in the rate, as at the end of section 2 of the paper.
        _adam_with(lambda v, correction, eps: (np.sqrt(v) + eps) / np.sqrt(correction)),
    ),
)
