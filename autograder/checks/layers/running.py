"""Running averages and test mode: the criteria of batch normalization that a single training call does not show."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autograder.checks.gradients import Variant, named_variant
from autograder.checks.layers.normalizing import EPS, root
from autograder.checks.pack import criterion
from autograder.checks.pairs import expect_forward, laid, worst
from autograder.compare import agrees, expect_array, expect_close
from autograder.criteria import Wrong
from autograder.report import Diagnosis

STATISTICS = {"running_mean": "running mean", "running_var": "running variance"}


@dataclass(frozen=True)
class Rule:
    """How running averages move: `statistic` of the rows (count, D) of a batch, and the step toward it."""

    statistic: Callable
    step: Callable = lambda running, batch, momentum: momentum * running + (1 - momentum) * batch

    def after(self, running, batches, momentum):
        """Return the running average after all batches, each an array of rows."""
        for rows in batches:
            running = self.step(running, self.statistic(rows), momentum)
        return running


def _mean(rows):
    return rows.mean(axis=0)


def _var(rows):
    return rows.var(axis=0)


RIGHT = {"running_mean": _mean, "running_var": _var}

# Wrong steps, for both averages, then wrong statistics.
STEPS = (
    ("never updated", lambda r, b, m: r, "is what it was before: write the new running average back into bn_param."),
    (
        "momentum the wrong way round",
        lambda r, b, m: (1 - m) * r + m * b,
        "moves by momentum and keeps 1 - momentum; momentum is the share of the old average that stays.",
    ),
    (
        "momentum ignored",
        lambda r, b, m: 0.9 * r + 0.1 * b,
        "moves as it would with a momentum of 0.9, whatever bn_param says: read it from there.",
    ),
    ("no average", lambda r, b, m: b, "is that of the last batch alone; nothing of the old one is kept."),
)
VARIANCES = (
    (
        "standard deviation stored",
        lambda rows: rows.std(axis=0),
        "holds the average of the standard deviation, not of the variance: take the average of var, before the root.",
    ),
    (
        "divided by N - 1",
        lambda rows: rows.var(axis=0, ddof=1),
        "holds a variance divided by N - 1; here the variance of the batch, divided by N, is what it averages.",
    ),
)


def state_running(layer, rows, mixed_rows=None):
    """Register, for a layer with bn_param, the criteria of the running averages and of mode 'test'.

    - rows: x -> (count, D), the examples of every feature as the layer sees them
    - mixed_rows: the same as a reshape alone gives them, a mistake of its own

    The layer has an edge case named "eps".
    """
    for key, name in STATISTICS.items():
        text = f"{name} moves toward that of the batch: momentum · old + (1 - momentum) · batch, batch after batch."

        @criterion(layer.forward, name, 1, text=text)
        def running(trial, key=key):
            outcomes = []
            for count in (1, 3):
                inputs, batches, after = _train(trial, layer, count, momentum=0.7)
                start = inputs["bn_param"][key]
                call = f"{layer.forward}, mode 'train', momentum 0.7, after {count} batch{'es' if count > 1 else ''}"
                outcomes.append(_expect_average(after, key, start, batches, 0.7, call, rows, mixed_rows))
            return worst(outcomes)

    @criterion(layer.forward, "running averages from nothing", 0.5, edge=True)
    def from_nothing(trial):
        """Running averages that are not in bn_param yet start at 0, and momentum is 0.9 unless it says otherwise."""
        _, batches, after = _train(trial, layer, 2, keep=("mode",))
        call = f"{layer.forward}, bn_param {{'mode': 'train'}}, after 2 batches"
        start = np.zeros(rows(batches[0]).shape[1])
        return worst([_expect_average(after, key, start, batches, 0.9, call, rows, mixed_rows) for key in STATISTICS])

    def draw_tested(rng, **case):
        inputs = layer.draw(rng, **case)
        return inputs | {"bn_param": inputs["bn_param"] | {"mode": "test"}}

    tested = replace(layer, draw=draw_tested, variants=(*variants_in_test_mode(layer), *layer.variants))

    @criterion(layer.forward, "test mode", 2)
    def test_mode(trial):
        """In mode 'test' the given running averages normalize x, and gamma and beta are applied as in training."""
        return worst([expect_forward(trial, tested, case) for case in layer.cases])

    @criterion(layer.forward, "eps in test mode", 0.5, edge=True)
    def test_eps(trial):
        """The same where eps is not lost beside the running variance."""
        eps_cases = next(edge.cases for edge in layer.edges if edge.name == "eps")
        return worst([expect_forward(trial, tested, case) for case in eps_cases])

    @criterion(layer.forward, "test mode changes nothing", 0.5, edge=True)
    def test_unchanged(trial):
        """Mode 'test' leaves the running averages as they are."""
        inputs = tested.inputs(trial, layer.cases[0])
        out, after = _call(trial, layer, inputs)
        if not named_variant(tested.variants, inputs, out):
            # Doing nothing at all changes nothing either.
            expect_close(out, tested.value(inputs), f"{layer.forward}, mode 'test'")
        for key, name in STATISTICS.items():
            if not agrees(laid(after.get(key), inputs["bn_param"][key].shape), inputs["bn_param"][key]):
                raise Wrong(
                    f"{layer.forward}, mode 'test': bn_param['{key}'] is not what it was before. "
                    f"Only mode 'train' moves the {name}."
                )

    @criterion(layer.forward, "shapes", 0.5)
    def shapes(trial):
        """running_mean and running_var keep the shape of gamma: a row (1, D) is no vector (D,)."""
        inputs, batches, after = _train(trial, layer, 1)
        for key in STATISTICS:
            call = f"{layer.forward}, mode 'train'"
            value = expect_array(_average(after, key, call), inputs["gamma"].shape, f"{call}: bn_param['{key}']")
            if agrees(value, inputs["bn_param"][key]):
                raise Wrong(f"{call}: bn_param['{key}'] is what it was before, so there is nothing to judge here")


def _call(trial, layer, inputs):
    """Call the student's forward function and return out and bn_param as it is afterwards."""
    target = f"{layer.module}:{layer.forward}"
    (out, _), after = trial.call(target, *inputs.values(), returns=["value", "handle"], echo=True)
    bn_param = after[list(inputs).index("bn_param")]
    if not isinstance(bn_param, dict):
        raise Wrong(f"{layer.forward}: afterwards bn_param holds keys that are no names; expected names like 'mode'")
    return out, bn_param


def _train(trial, layer, count, keep=None, **settings):
    """Put batches of several sizes through the student's layer, with one bn_param for all.

    Returns the inputs of the first call, x of every call, and bn_param as it is in the end.
    """
    case, batches = layer.cases[0], []
    first = bn_param = None
    for number in range(count):
        inputs = layer.inputs(trial, case | {"N": case["N"] + number})
        if first is None:
            settings = inputs["bn_param"] | settings
            inputs["bn_param"] = {key: value for key, value in settings.items() if keep is None or key in keep}
            first = inputs
        else:
            inputs["bn_param"] = bn_param
        _, bn_param = _call(trial, layer, inputs)
        batches.append(inputs["x"])
    return first, batches, bn_param


def _average(bn_param, key, call):
    if key not in bn_param:
        held = ", ".join(map(str, bn_param)) or "nothing"
        raise Wrong(f"{call}: bn_param has no {key} afterwards, it holds {held}. Store the new running average there.")
    return bn_param[key]


def _expect_average(bn_param, key, start, batches, momentum, call, rows, mixed_rows):
    """Return an Outcome where bn_param[key] is the running average of the batches; else raise Wrong."""
    came = laid(_average(bn_param, key, call), start.shape)
    batches_of = [rows(x) for x in batches]
    try:
        right = Rule(RIGHT[key]).after(start, batches_of, momentum)
        return expect_close(came, right, f"{call}: bn_param['{key}']", name=key)
    except Wrong as wrong:
        rules = [(name, Rule(RIGHT[key], step), text) for name, step, text in STEPS]
        if key == "running_var":
            rules += [(name, Rule(statistic), text) for name, statistic, text in VARIANCES]
        found = [(name, text) for name, rule, text in rules if agrees(came, rule.after(start, batches_of, momentum))]
        if mixed_rows and agrees(came, Rule(RIGHT[key]).after(start, [mixed_rows(x) for x in batches], momentum)):
            found.append(("channels mixed", "mixes channels: move the channel axis to the end before you reshape."))
        for name, text in found[:1]:
            wrong.outcome.diagnosis.append(Diagnosis("running average", name, f"{key} {text}"))
        raise


def variants_in_test_mode(layer):
    """Return the wrong functions that people write for mode 'test'; using it as mode 'train' is one of them."""

    def with_scale(scale=root, scaled=True, shifted=True):
        def function(x, gamma, beta, bn_param):
            wide = (-1,) + (1,) * (x.ndim - 2)
            mean, var = (bn_param[key].reshape(wide) for key in STATISTICS)
            with np.errstate(all="ignore"):
                x_hat = (x - mean) / scale(var, bn_param.get("eps", EPS))
                return (gamma.reshape(wide) if scaled else 1) * x_hat + (beta.reshape(wide) if shifted else 0)

        return function

    def trained(x, gamma, beta, bn_param):
        return layer.function(x, gamma, beta, bn_param | {"mode": "train"})

    return (
        Variant(
            "gamma and beta missing in test mode",
            with_scale(scaled=False, shifted=False),
            "In mode 'test' gamma and beta are not applied; they are, in both modes.",
        ),
        Variant(
            "gamma missing in test mode",
            with_scale(scaled=False),
            "In mode 'test' gamma is not applied; it is, in both modes.",
        ),
        Variant(
            "beta missing in test mode",
            with_scale(shifted=False),
            "In mode 'test' beta is not added; it is, in both modes.",
        ),
        Variant(
            "batch statistics in test mode",
            trained,
            "Mode 'test' normalizes with mean and variance of the batch; it has to use the running averages.",
        ),
        Variant(
            "running variance taken for a standard deviation",
            with_scale(lambda var, eps: var),
            "In mode 'test' x is divided by running_var itself, as if it held standard deviations: divide by "
            "sqrt(running_var + eps).",
        ),
        Variant(
            "running variance without its root",
            with_scale(lambda var, eps: var + eps),
            "In mode 'test' the root is missing: divide by sqrt(running_var + eps).",
        ),
        Variant(
            "eps ignored in test mode",
            with_scale(lambda var, eps: root(var, EPS)),
            f"In mode 'test' eps is {EPS:g} whatever bn_param['eps'] says: read it from there.",
        ),
        Variant(
            "eps missing in test mode",
            with_scale(lambda var, eps: np.sqrt(var)),
            "In mode 'test' eps is left out, or far too small: divide by sqrt(running_var + eps).",
        ),
        Variant(
            "eps outside the root in test mode",
            with_scale(lambda var, eps: np.sqrt(var) + eps),
            "In mode 'test' eps is added outside the root: it is sqrt(running_var + eps).",
        ),
    )
