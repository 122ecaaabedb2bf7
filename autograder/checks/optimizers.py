"""Checks of cs231n/optimizers.py.

Only the next weights are compared. What a rule keeps in its config, and under which names, is its own affair: the
config it returned stays in the worker and goes back into the next call.
"""

import numpy as np

from autograder.checks.pack import criterion
from autograder.compare import agrees, expect_close
from autograder.criteria import Outcome, Wrong
from autograder.report import Diagnosis
from cs231n import optimizers as reference

STEPS = 8
FORGETFUL = ("nothing kept", "Every step is a first step: store in config what the next call will need.")


def _state_rule(rule, settings, accepted=(), mistakes=()):
    """Register the criteria of one update rule.

    - settings: other values for its hyperparameters
    - accepted: other rules that are right too
    - mistakes: (name, text, rule) that are wrong in a way worth naming
    """
    right = [getattr(reference, rule), *accepted]
    mistakes = [*mistakes, (*FORGETFUL, lambda w, dw, config: (right[0](w, dw, dict(config))[0], config))]

    def run(trial, config, steps, shape=(4, 5), blank=False):
        """Take the student and the right rules through the same gradients; compare the weights after every step."""
        rng = trial.rng(rule, shape, steps)
        w = rng.normal(size=shape)
        ours = [(w, dict(config or {})) for _ in right]
        wrong_ones = [(w, dict(config or {})) for _ in mistakes]
        theirs, kept = w, config
        worst = Outcome(max_rel_error=0.0)
        for step in range(1, steps + 1):
            dw = rng.normal(size=shape)
            if blank:
                dw[0] = 0.0
            theirs, kept = trial.call(f"cs231n.optimizers:{rule}", theirs, dw, kept, returns=["value", "handle"])
            ours = [f(weights, dw, memory) for f, (weights, memory) in zip(right, ours)]
            wrong_ones = [f(weights, dw, memory) for (_, _, f), (weights, memory) in zip(mistakes, wrong_ones)]
            call = f"{rule}(w, dw, config), step {step}, w of shape {shape}"
            if any(agrees(theirs, weights, 1e-6) for weights, _ in ours[1:]):
                continue
            try:
                found = expect_close(theirs, ours[0][0], call, name="next_w")
            except Wrong as wrong:
                for (name, text, _), (weights, _) in zip(mistakes, wrong_ones):
                    if _alike(theirs, weights):
                        wrong.outcome.diagnosis.append(Diagnosis("rule", name, text))
                raise
            worst = max(worst, found, key=lambda outcome: outcome.max_rel_error)
        return worst

    @criterion(rule, "first step", 2)
    def first_step(trial):
        """The first step moves the weights where it should."""
        return run(trial, {"learning_rate": 0.1}, 1)

    @criterion(rule, "many steps", 4)
    def many_steps(trial):
        """What a step leaves behind in config is used by the next: eight steps in a row are right."""
        return run(trial, {"learning_rate": 0.1}, STEPS)

    @criterion(rule, "settings", 2)
    def own_settings(trial):
        """Hyperparameters given in config are used."""
        return run(trial, dict(settings), STEPS)

    @criterion(rule, "defaults", 0.5, edge=True)
    def defaults(trial):
        """It works without a config, and for weights of any shape."""
        run(trial, None, STEPS, shape=(6,))
        return run(trial, None, 2, shape=(2, 3, 2, 2))

    @criterion(rule, "gradient of zero", 0.5, edge=True)
    def gradient_of_zero(trial):
        """Entries whose gradient is 0 give finite weights."""
        return run(trial, None, 2, blank=True)


def _rmsprop_inside(w, dw, config):
    """RMSProp with epsilon under the root: other editions write it so, and it converges alike."""
    rate, decay, eps = (config.get(k, d) for k, d in (("learning_rate", 1e-2), ("decay_rate", 0.99), ("epsilon", 1e-8)))
    cache = decay * config.get("cache", 0) + (1 - decay) * dw**2
    return w - rate * dw / np.sqrt(cache + eps), config | {"cache": cache}


def _alike(theirs, weights):
    """Say whether a wrong rule gives just these weights; one that divides by 0 gives nan, which is as telling."""
    same_shape = isinstance(theirs, np.ndarray) and theirs.shape == np.shape(weights)
    return same_shape and np.allclose(theirs, weights, rtol=1e-6, atol=0, equal_nan=True)


def _adam_with(correct=True, early=False, keep=True, root=lambda v, correction, eps: np.sqrt(v / correction) + eps):
    """Adam written otherwise (`root`), or wrongly: no bias correction, t used before it is incremented, t not kept."""

    def rule(w, dw, config):
        rate, eps = config.get("learning_rate", 1e-3), config.get("epsilon", 1e-8)
        beta1, beta2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
        t = config.get("t", 0) + (0 if early else 1)
        m = beta1 * config.get("m", 0) + (1 - beta1) * dw
        v = beta2 * config.get("v", 0) + (1 - beta2) * dw**2
        corrections = (1 - beta1**t, 1 - beta2**t) if correct else (1, 1)
        with np.errstate(all="ignore"):
            step = rate * (m / corrections[0]) / root(v, corrections[1], eps)
        return w - step, config | {"m": m, "v": v, "t": t + early if keep else 0}

    return rule


_state_rule("sgd_momentum", {"learning_rate": 0.05, "momentum": 0.6})
_state_rule("rmsprop", {"learning_rate": 0.05, "decay_rate": 0.8, "epsilon": 1e-6}, accepted=(_rmsprop_inside,))
_state_rule(
    "adam",
    {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6},
    accepted=(
        _adam_with(root=lambda v, correction, eps: np.sqrt(v / correction + eps)),
        # Both corrections moved into the rate, as the end of the paper's section 2 has it.
        _adam_with(root=lambda v, correction, eps: (np.sqrt(v) + eps) / np.sqrt(correction)),
    ),
    mistakes=(
        (
            "no bias correction",
            "The bias correction is missing: m and v are used as they are.",
            _adam_with(correct=False),
        ),
        (
            "t is 0",
            "t is still 0 when it is used, and 1 - beta^0 is 0: increment t first.",
            _adam_with(early=True),
        ),
        (
            "t not kept",
            "t is 1 at every step: store it in config once it is incremented.",
            _adam_with(keep=False),
        ),
    ),
)
