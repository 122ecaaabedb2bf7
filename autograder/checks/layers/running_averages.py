"""Criteria of the running averages and of test mode, for batch normalization."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checking.compare import agrees, expect_array, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.layers.arguments import drop_unit_axes
from autograder.checks.layers.forward import expect_forward
from autograder.checks.layers.layer import Inputs, Layer
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import find_matching_variants, get_variants

STATISTICS = {"running_mean": "running mean", "running_var": "running variance"}
BATCH_STATISTICS = {"running_mean": lambda rows: rows.mean(axis=0), "running_var": lambda rows: rows.var(axis=0)}


Rows = Callable[[np.ndarray], np.ndarray]


def add_running_average_criteria(checks: Checks, layer: Layer, rows: Rows) -> None:
    """Add the criteria of the running averages and of mode 'test' for a layer with bn_param and an "eps" edge.

    - rows: x -> (count, D), the examples of every feature
    """
    for key, name in STATISTICS.items():
        text = f"In training, each batch changes the {name} to momentum · old + (1 - momentum) · batch."

        @checks.criterion(layer.forward, name, 1, text=text)
        def running(trial: Trial, key: str = key) -> Outcome:
            outcomes = []
            for count in (1, 3):
                inputs, batches, after = _train(trial, layer, count, momentum=0.7)
                start = inputs["bn_param"][key]
                call = f"{layer.forward}, mode 'train', momentum 0.7, after {count} batch{'es' if count > 1 else ''}"
                outcomes.append(_expect_average(after, key, start, batches, 0.7, call, rows))
            return combine_outcomes(outcomes)

    @checks.criterion(layer.forward, "running averages from nothing", 0.5, edge=True)
    def from_nothing(trial: Trial) -> Outcome:
        """Running averages that are not in bn_param yet start at 0, and the default of momentum is 0.9."""
        _, batches, after = _train(trial, layer, 2, keep=("mode",))
        call = f"{layer.forward}, bn_param {{'mode': 'train'}}, after 2 batches"
        start = np.zeros(rows(batches[0]).shape[1])
        return combine_outcomes([_expect_average(after, key, start, batches, 0.9, call, rows) for key in STATISTICS])

    def draw_tested(rng: np.random.Generator, **case: Any) -> Inputs:
        inputs = layer.draw(rng, **case)
        return inputs | {"bn_param": inputs["bn_param"] | {"mode": "test"}}

    tested = replace(layer, draw=draw_tested)

    @checks.criterion(layer.forward, "test mode", 2)
    def test_mode(trial: Trial) -> Outcome:
        """In mode 'test', the given running averages normalize x; gamma and beta apply as in training."""
        return combine_outcomes([expect_forward(trial, tested, case) for case in layer.cases])

    @checks.criterion(layer.forward, "eps in test mode", 0.5, edge=True)
    def test_eps(trial: Trial) -> Outcome:
        """In mode 'test', out is right where eps is not negligible compared with the running variance."""
        eps_cases = next(edge.cases for edge in layer.edges if edge.name == "eps")
        return combine_outcomes([expect_forward(trial, tested, case) for case in eps_cases])

    @checks.criterion(layer.forward, "test mode changes nothing", 0.5, edge=True)
    def test_unchanged(trial: Trial) -> None:
        """In mode 'test', the running averages do not change."""
        inputs = tested.inputs(trial, layer.cases[0])
        out, after = _call(trial, layer, inputs)
        right = tested.value(inputs)
        if not agrees(out, right) and not find_matching_variants(get_variants(layer.forward, 0), inputs, out, right):
            # A function that does nothing changes nothing either.
            raise Wrong(f"{layer.forward}, mode 'test': out is not right, so this criterion cannot be judged")
        for key, name in STATISTICS.items():
            if not agrees(drop_unit_axes(after.get(key), inputs["bn_param"][key].shape), inputs["bn_param"][key]):
                raise Wrong(
                    f"{layer.forward}, mode 'test': bn_param['{key}'] changed. Change the {name} only in mode 'train'."
                )

    @checks.criterion(layer.forward, "shapes", 0.5)
    def shapes(trial: Trial) -> None:
        """running_mean and running_var keep the shape of gamma: a row (1, D) is not a vector (D,)."""
        inputs, _, after = _train(trial, layer, 1)
        for key in STATISTICS:
            call = f"{layer.forward}, mode 'train'"
            value = expect_array(_get_average(after, key, call), inputs["gamma"].shape, f"{call}: bn_param['{key}']")
            if agrees(value, inputs["bn_param"][key]):
                raise Wrong(f"{call}: bn_param['{key}'] did not change, so this criterion cannot be judged")


def _call(trial: Trial, layer: Layer, inputs: Inputs) -> tuple[Any, dict]:
    """Call the student's forward function; return out, and bn_param after the call."""
    target = f"{layer.module}:{layer.forward}"
    (out, _), after = trial.call(target, *inputs.values(), returns=["value", "handle"], echo=True)
    bn_param = after[list(inputs).index("bn_param")]
    if not isinstance(bn_param, dict):
        raise Wrong(
            f"{layer.forward}: after the call bn_param contains keys that are not strings; expected names like 'mode'"
        )
    return out, bn_param


def _train(
    trial: Trial, layer: Layer, count: int, keep: Collection[str] | None = None, **settings: Any
) -> tuple[Inputs, list[np.ndarray], dict]:
    """Call the student's layer with batches of several sizes and one bn_param.

    Return the inputs of the first call, x of every call, and bn_param after the last.
    """
    case = layer.cases[0]
    calls = [layer.inputs(trial, case | {"N": case["N"] + number}) for number in range(count)]
    settings = calls[0]["bn_param"] | settings
    bn_param = {key: value for key, value in settings.items() if keep is None or key in keep}
    after: dict = {}
    for inputs in calls:
        inputs["bn_param"] = bn_param
        _, after = _call(trial, layer, inputs)
        bn_param = _carry_over(bn_param, after, len(inputs["gamma"]))
    return calls[0], [inputs["x"] for inputs in calls], after


def _carry_over(before: dict, after: dict, D: int) -> dict:
    """Return bn_param for the next call: the given entries, and those of the student's layer that are not large."""
    kept = {key: value for key, value in after.items() if key not in before or key in STATISTICS}
    small = {key: value for key, value in list(kept.items())[:20] if np.ndim(value) <= 2 and np.size(value) <= D}
    return before | small


def _get_average(bn_param: dict, key: str, call: str) -> Any:
    if key not in bn_param:
        held = ", ".join(map(str, bn_param)) or "nothing"
        raise Wrong(
            f"{call}: bn_param has no {key} after the call; it contains {held}. Store the new running average there."
        )
    return bn_param[key]


def _expect_average(
    bn_param: dict, key: str, start: np.ndarray, batches: list[np.ndarray], momentum: float, call: str, rows: Rows
) -> Outcome:
    """Return an Outcome if bn_param[key] is the running average of the batches; else raise Wrong."""
    came = drop_unit_axes(_get_average(bn_param, key, call), start.shape)
    right = start
    for batch in batches:
        right = momentum * right + (1 - momentum) * BATCH_STATISTICS[key](rows(batch))
    return expect_close(came, right, f"{call}: bn_param['{key}']", name=key)
