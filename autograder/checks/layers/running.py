"""Running averages and test mode: the criteria of batch normalization that a single training call does not show."""

from dataclasses import replace

import numpy as np

from autograder.checking.compare import agrees, expect_array, expect_close
from autograder.checking.criteria import Checks, Wrong
from autograder.checks.gradients import fitting, variants_of
from autograder.checks.pairs import expect_forward, laid, worst

STATISTICS = {"running_mean": "running mean", "running_var": "running variance"}
RIGHT = {"running_mean": lambda rows: rows.mean(axis=0), "running_var": lambda rows: rows.var(axis=0)}


def state_running(checks: Checks, layer, rows):
    """Register, for a layer with bn_param, the criteria of the running averages and of mode 'test'.

    - rows: x -> (count, D), the examples of every feature as the layer sees them

    The layer has an edge case named "eps".
    """
    for key, name in STATISTICS.items():
        text = f"{name} moves toward that of the batch: momentum · old + (1 - momentum) · batch, batch after batch."

        @checks.criterion(layer.forward, name, 1, text=text)
        def running(trial, key=key):
            outcomes = []
            for count in (1, 3):
                inputs, batches, after = _train(trial, layer, count, momentum=0.7)
                start = inputs["bn_param"][key]
                call = f"{layer.forward}, mode 'train', momentum 0.7, after {count} batch{'es' if count > 1 else ''}"
                outcomes.append(_expect_average(after, key, start, batches, 0.7, call, rows))
            return worst(outcomes)

    @checks.criterion(layer.forward, "running averages from nothing", 0.5, edge=True)
    def from_nothing(trial):
        """Running averages that are not in bn_param yet start at 0, and momentum is 0.9 unless it says otherwise."""
        _, batches, after = _train(trial, layer, 2, keep=("mode",))
        call = f"{layer.forward}, bn_param {{'mode': 'train'}}, after 2 batches"
        start = np.zeros(rows(batches[0]).shape[1])
        return worst([_expect_average(after, key, start, batches, 0.9, call, rows) for key in STATISTICS])

    def draw_tested(rng, **case):
        inputs = layer.draw(rng, **case)
        return inputs | {"bn_param": inputs["bn_param"] | {"mode": "test"}}

    tested = replace(layer, draw=draw_tested)

    @checks.criterion(layer.forward, "test mode", 2)
    def test_mode(trial):
        """In mode 'test' the given running averages normalize x, and gamma and beta are applied as in training."""
        return worst([expect_forward(trial, tested, case) for case in layer.cases])

    @checks.criterion(layer.forward, "eps in test mode", 0.5, edge=True)
    def test_eps(trial):
        """The same where eps is not lost beside the running variance."""
        eps_cases = next(edge.cases for edge in layer.edges if edge.name == "eps")
        return worst([expect_forward(trial, tested, case) for case in eps_cases])

    @checks.criterion(layer.forward, "test mode changes nothing", 0.5, edge=True)
    def test_unchanged(trial):
        """Mode 'test' leaves the running averages as they are."""
        inputs = tested.inputs(trial, layer.cases[0])
        out, after = _call(trial, layer, inputs)
        right = tested.value(inputs)
        if not fitting(variants_of(layer.forward, 0), inputs, out, right):
            # Doing nothing at all changes nothing either.
            if not agrees(out, right):
                raise Wrong(f"{layer.forward}, mode 'test': out is not right, so there is nothing to judge here")
        for key, name in STATISTICS.items():
            if not agrees(laid(after.get(key), inputs["bn_param"][key].shape), inputs["bn_param"][key]):
                raise Wrong(
                    f"{layer.forward}, mode 'test': bn_param['{key}'] is not what it was before. "
                    f"Only mode 'train' moves the {name}."
                )

    @checks.criterion(layer.forward, "shapes", 0.5)
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
    first = bn_param = after = None
    for number in range(count):
        inputs = layer.inputs(trial, case | {"N": case["N"] + number})
        if first is None:
            settings = inputs["bn_param"] | settings
            inputs["bn_param"] = {key: value for key, value in settings.items() if keep is None or key in keep}
            first = inputs
        else:
            inputs["bn_param"] = bn_param
        _, after = _call(trial, layer, inputs)
        bn_param = _handed_on(inputs["bn_param"], after, len(inputs["gamma"]))
        batches.append(inputs["x"])
    return first, batches, after


def _handed_on(before, after, D):
    """Return bn_param for the next call: what was given, and what the layer has put there that is no larger than D.

    Whatever else stands there is the student's, and would be handed to code of the judge's.
    """
    kept = {key: value for key, value in after.items() if key not in before or key in STATISTICS}
    small = {key: value for key, value in list(kept.items())[:20] if np.ndim(value) <= 2 and np.size(value) <= D}
    return before | small


def _average(bn_param, key, call):
    if key not in bn_param:
        held = ", ".join(map(str, bn_param)) or "nothing"
        raise Wrong(f"{call}: bn_param has no {key} afterwards, it holds {held}. Store the new running average there.")
    return bn_param[key]


def _expect_average(bn_param, key, start, batches, momentum, call, rows):
    """Return an Outcome where bn_param[key] is the running average of the batches; else raise Wrong."""
    came = laid(_average(bn_param, key, call), start.shape)
    right = start
    for batch in batches:
        right = momentum * right + (1 - momentum) * RIGHT[key](rows(batch))
    return expect_close(came, right, f"{call}: bn_param['{key}']", name=key)
