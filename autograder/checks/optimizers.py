"""Checks of cs231n/optimizers.py.

Only the next weights are compared. What a rule keeps in its config, and under which names, is its own affair: the
config it returned stays in the worker and goes back into the next call.
"""

import numpy as np

from autograder.checking.compare import agrees, expect_close
from autograder.checking.criteria import Checks, Outcome
from cs231n import optimizers as reference

CHECKS = Checks()

STEPS = 8


def _state_rule(rule, settings, start=(), accepted=(), starts=()):
    """Register the criteria of one update rule.

    - settings: other values for its hyperparameters
    - start: what config holds before the first step, where editions of the course do not agree on it
    - accepted: other rules that are right too
    - starts: other contents of an empty config that are as good
    """
    right = [getattr(reference, rule), *accepted]

    def run(trial, config, steps, shape=(4, 5), blank=False):
        """Take the student and the right rules through the same gradients; compare the weights after every step."""
        rng = trial.rng(rule, shape, steps)
        w = rng.normal(size=shape)
        begun = [dict(config)] if config else [{}, *starts]
        rules = [(f, memory) for memory in begun for f in right]
        ours = [(w, dict(memory)) for _, memory in rules]
        theirs, kept = w, config
        worst = Outcome(max_rel_error=0.0)
        for step in range(1, steps + 1):
            dw = rng.normal(size=shape)
            if blank:
                dw[0] = 0.0
            theirs, kept = trial.call(f"cs231n.optimizers:{rule}", theirs, dw, kept, returns=["value", "handle"])
            ours = [f(weights, dw, memory) for (f, _), (weights, memory) in zip(rules, ours)]
            call = f"{rule}(w, dw, config), step {step}, w of shape {shape}"
            if any(agrees(theirs, weights, 1e-6) for weights, _ in ours[1:]):
                continue
            found = expect_close(theirs, ours[0][0], call, name="next_w")
            worst = max(worst, found, key=lambda outcome: outcome.max_rel_error)
        return worst

    @CHECKS.criterion(rule, "first step", 2)
    def first_step(trial):
        """The first step moves the weights where it should."""
        return run(trial, {"learning_rate": 0.1, **dict(start)}, 1)

    @CHECKS.criterion(rule, "many steps", 4)
    def many_steps(trial):
        """What a step leaves behind in config is used by the next: eight steps in a row are right."""
        return run(trial, {"learning_rate": 0.1, **dict(start)}, STEPS)

    @CHECKS.criterion(rule, "settings", 2)
    def own_settings(trial):
        """Hyperparameters given in config are used."""
        return run(trial, {**settings, **dict(start)}, STEPS)

    @CHECKS.criterion(rule, "defaults", 0.5, edge=True)
    def defaults(trial):
        """It works without a config, and for weights of any shape."""
        run(trial, None, STEPS, shape=(6,))
        return run(trial, None, 2, shape=(2, 3, 2, 2))

    @CHECKS.criterion(rule, "gradient of zero", 0.5, edge=True)
    def gradient_of_zero(trial):
        """Entries whose gradient is 0 give finite weights."""
        return run(trial, None, 2, blank=True)


def _rmsprop_inside(w, dw, config):
    """RMSProp with epsilon under the root: other editions write it so, and it converges alike."""
    rate, decay, eps = (config.get(k, d) for k, d in (("learning_rate", 1e-2), ("decay_rate", 0.99), ("epsilon", 1e-8)))
    cache = decay * config.get("cache", 0) + (1 - decay) * dw**2
    return w - rate * dw / np.sqrt(cache + eps), config | {"cache": cache}


def _adam_with(root):
    """Adam with its denominator written as root(v, bias correction of v, epsilon)."""

    def rule(w, dw, config):
        rate, eps = config.get("learning_rate", 1e-3), config.get("epsilon", 1e-8)
        beta1, beta2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
        t = config.get("t", 0) + 1
        m = beta1 * config.get("m", 0) + (1 - beta1) * dw
        v = beta2 * config.get("v", 0) + (1 - beta2) * dw**2
        step = rate * (m / (1 - beta1**t)) / root(v, 1 - beta2**t, eps)
        return w - step, config | {"m": m, "v": v, "t": t}

    return rule


_state_rule("sgd_momentum", {"learning_rate": 0.05, "momentum": 0.6})
_state_rule("rmsprop", {"learning_rate": 0.05, "decay_rate": 0.8, "epsilon": 1e-6}, accepted=(_rmsprop_inside,))
_state_rule(
    "adam",
    {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6},
    start={"t": 0},
    starts=({"t": 1},),  # what the course's own file began with in some years
    accepted=(
        _adam_with(lambda v, correction, eps: np.sqrt(v / correction + eps)),
        # Both corrections moved into the rate, as the end of the paper's section 2 has it.
        _adam_with(lambda v, correction, eps: (np.sqrt(v) + eps) / np.sqrt(correction)),
    ),
)
