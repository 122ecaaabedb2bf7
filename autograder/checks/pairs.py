"""Criteria for a layer: a forward function that returns (out, cache), and the backward function that takes them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autograder.checks.gradients import Variant, expect_gradient, named_variant
from autograder.checks.pack import criterion
from autograder.compare import expect_close
from autograder.criteria import Outcome, Wrong, needing


@dataclass(frozen=True)
class Layer:
    """What the criteria of a layer are made from.

    - function: the right function, inputs by keyword -> out
    - draw: (rng, **case) -> inputs by name, in the order of the arguments; float arrays
    - cases, single: ordinary sizes, and sizes with one example
    - gradients: {"x": "dx", ...} in the order the backward function returns them
    - says: the formula, for the text of the criterion
    """

    module: str
    forward: str
    backward: str
    function: Callable
    draw: Callable
    cases: tuple[dict, ...]
    single: tuple[dict, ...]
    gradients: dict[str, str]
    says: str
    variants: tuple[Variant, ...] = field(default=())

    def inputs(self, trial, case):
        return self.draw(trial.rng(self.forward, sorted(case.items())), **case)

    def run_forward(self, trial, inputs):
        """Call the student's forward function and return (out, cache handle)."""
        return trial.call(f"{self.module}:{self.forward}", *inputs.values(), returns=["value", "handle"])

    def run_backward(self, trial, dout, cache):
        """Call the student's backward function; return its gradients, and its arguments as they are afterwards."""
        returns = ["value"] * len(self.gradients) if len(self.gradients) > 1 else "value"
        result, after = trial.call(f"{self.module}:{self.backward}", dout, cache, returns=returns, echo=True)
        return (result if len(self.gradients) > 1 else (result,)), after

    def describe(self, inputs):
        """The call, with the shape of every argument, for messages."""
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in inputs.items())
        return f"with {shapes}"


def state_layer(layer, forward_weights=(4, 0.5, 0.5), gradient_weight=2, edge_weight=0.5):
    """Register the criteria of both functions of a layer."""
    values, one, unchanged = forward_weights

    @criterion(layer.forward, "values", values, text=f"{layer.says}, for inputs of several shapes.")
    def forward_values(trial):
        return _worst([_forward(trial, layer, case) for case in layer.cases])

    @criterion(layer.forward, "one example", one, edge=True, text="The same with a single example, N = 1.")
    def forward_single(trial):
        return _worst([_forward(trial, layer, case) for case in layer.single])

    @criterion(layer.forward, "arguments unchanged", unchanged, edge=True, text="The arguments are left as they were.")
    def forward_unchanged(trial):
        inputs = layer.inputs(trial, layer.cases[0])
        (out, _), after = trial.call(
            f"{layer.module}:{layer.forward}", *inputs.values(), returns=["value", "handle"], echo=True
        )
        expect_close(out, layer.function(**inputs), layer.forward)  # doing nothing at all changes nothing either
        _expect_unchanged(inputs, after, layer.forward)

    for position, (wrt, name) in enumerate(layer.gradients.items()):
        text = f"{name} is the gradient with respect to {wrt}, for inputs of several shapes."

        @criterion(layer.backward, name, gradient_weight, text=text)
        def gradient(trial, wrt=wrt, position=position):
            return _worst([_gradient(trial, layer, case, wrt, position) for case in layer.cases])

    text = "All gradients hold with a single example, N = 1."

    @criterion(layer.backward, "one example", edge_weight, edge=True, text=text)
    def backward_single(trial):
        found = [
            _gradient(trial, layer, case, wrt, position)
            for case in layer.single
            for position, wrt in enumerate(layer.gradients)
        ]
        return _worst(found)

    text = "dout is left as it was: other layers may still need it."

    @criterion(layer.backward, "dout unchanged", edge_weight, edge=True, text=text)
    def backward_unchanged(trial):
        inputs, dout, out, cache = _before_backward(trial, layer, layer.cases[0])
        grads, after = layer.run_backward(trial, dout, cache)
        _expect_some_gradient(layer, inputs, grads, dout, out)
        _expect_unchanged({"dout": dout}, after[:1], layer.backward)


def _forward(trial, layer, case):
    inputs = layer.inputs(trial, case)
    call = f"{layer.forward} {layer.describe(inputs)}"
    out, _ = layer.run_forward(trial, inputs)
    try:
        return expect_close(out, layer.function(**inputs), call)
    except Wrong as wrong:
        variant = named_variant(layer.variants, inputs, out)
        if variant:
            wrong.outcome.diagnosis.append(variant.diagnosis)
        raise


def _before_backward(trial, layer, case):
    inputs = layer.inputs(trial, case)
    with needing(layer.backward, layer.forward):
        out, cache = layer.run_forward(trial, inputs)
    dout = trial.rng(layer.backward, sorted(case.items())).normal(size=layer.function(**inputs).shape)
    return inputs, dout, out, cache


def _gradient(trial, layer, case, wrt, position):
    inputs, dout, out, cache = _before_backward(trial, layer, case)
    grads, _ = layer.run_backward(trial, dout, cache)
    return _expect_gradient(layer, inputs, wrt, grads[position], dout, out)


def _expect_gradient(layer, inputs, wrt, gradient, dout, out):
    variant = named_variant(layer.variants, inputs, out)
    call = f"{layer.backward} {layer.describe(inputs)}"
    return expect_gradient(layer.function, inputs, wrt, gradient, layer.gradients[wrt], call, dout, variant)


def _expect_some_gradient(layer, inputs, grads, dout, out):
    """Raise Wrong unless at least one gradient is right: doing nothing at all changes nothing either."""
    failures = []
    for position, wrt in enumerate(layer.gradients):
        try:
            return _expect_gradient(layer, inputs, wrt, grads[position], dout, out)
        except Wrong as wrong:
            failures.append(wrong)
    raise Wrong(f"{layer.backward}: no gradient is right, so there is nothing to judge here") from failures[-1]


def _expect_unchanged(before, after, function):
    for (name, value), left in zip(before.items(), after):
        if not np.array_equal(value, left):
            raise Wrong(
                f"{function} changed its argument {name} in place. Whoever called it still needs {name}: "
                "work on a copy, or write the result into a new array."
            )


def _worst(outcomes):
    """Return the outcome with the largest error, with the diagnoses of all."""
    result = max(outcomes, key=lambda outcome: outcome.max_rel_error or 0.0, default=Outcome())
    for outcome in outcomes:
        result.diagnosis += [found for found in outcome.diagnosis if found not in result.diagnosis]
    return result
