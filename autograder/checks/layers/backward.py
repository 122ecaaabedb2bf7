"""Criteria of a layer's backward function, (dout, cache) -> gradients; the cache comes from the forward function."""

from typing import Any

import numpy as np

from autograder.checking.compare import agrees, expect_array
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checking.large_call import LargeCall
from autograder.checks.layers.arguments import convert_to_float32, expect_float32, expect_unchanged
from autograder.checks.layers.backward_pass import BackwardPass, make_large_call, run_backward_pass
from autograder.checks.layers.layer import Edge, Layer
from autograder.checks.outcomes import combine_outcomes


def add_backward_criteria(checks: Checks, layer: Layer, gradient_weight: float = 2, edge_weight: float = 0.5) -> None:
    """Add the criteria of the backward function: each gradient, the shapes, the edge cases, unchanged arguments."""
    usual = layer.cases[0]
    for position, (wrt, name) in enumerate(layer.gradients.items()):
        text = f"{name} is the gradient with respect to {wrt}, for inputs of several shapes."

        @checks.criterion(layer.backward, name, gradient_weight, text=text)
        def gradient(trial: Trial, position: int = position) -> Outcome:
            return combine_outcomes(
                [run_backward_pass(trial, layer, case).expect_gradient(position) for case in layer.cases]
            )

    if len(layer.gradients) > 1:
        names = " and ".join(list(layer.gradients.values())[1:])
        text = f"{names} have the shapes of their parameters: a row (1, M) is not a vector (M,)."

        @checks.criterion(layer.backward, "shapes", edge_weight, text=text)
        def shapes(trial: Trial) -> None:
            found = run_backward_pass(trial, layer, usual)
            found.expect_some_gradient()
            for (wrt, name), gradient in zip(layer.gradients.items(), found.grads):
                expect_array(gradient, found.inputs[wrt].shape, f"{found.call}: {name}")

    for edge in layer.edges:

        @checks.criterion(
            layer.backward, edge.name, edge.weight, edge=True, text=f"All gradients are right {edge.condition}."
        )
        def backward_edge(trial: Trial, edge: Edge = edge) -> Outcome:
            return combine_outcomes([run_backward_pass(trial, layer, case).expect_gradients() for case in edge.cases])

    @checks.criterion(layer.backward, "own cache", edge_weight, edge=True)
    def own_cache(trial: Trial) -> None:
        """Every forward pass has its own cache: a net runs many forward passes before the first backward pass."""
        at_once = run_backward_pass(trial, layer, usual)
        at_once.expect_some_gradient()
        later = run_backward_pass(
            trial, layer, usual, between=lambda: layer.run_forward(trial, layer.inputs(trial, usual, "another"))
        )
        _expect_same(at_once, later)

    if layer.keeps_type:
        # Only dx is tested: it is as large as the batch. The other gradients are sums over the batch and stay small.
        @checks.criterion(layer.backward, "float32", 0.25, edge=True, text="For inputs in float32, dx is in float32.")
        def backward_float32(trial: Trial) -> None:
            inputs = convert_to_float32(layer.inputs(trial, usual))
            found = run_backward_pass(trial, layer, usual, inputs, dtype=np.float32)
            found.expect_some_gradient()
            expect_float32(f"{layer.backward} {layer.describe(inputs)}, all in float32", "dx", found.grads[0])

    @checks.large_call(layer.backward)
    def large(trial: Trial) -> LargeCall:
        return make_large_call(trial, layer)

    parameters = list(layer.gradients)[1:]
    text = f"{' and '.join(['dout', *parameters])} {'are' if parameters else 'is'} unchanged after the call."

    @checks.criterion(layer.backward, "dout unchanged", edge_weight, edge=True, text=text)
    def backward_unchanged(trial: Trial) -> None:
        # The parameters stay in the worker, where a cache may hold the same arrays that the forward pass received.
        inputs = layer.inputs(trial, usual)
        handles = {name: trial.call("numpy:array", inputs[name], returns="handle") for name in parameters}
        before: dict[str, Any] = {}

        def read_parameters() -> None:
            before.update({name: trial.call("numpy:array", handle) for name, handle in handles.items()})

        found = run_backward_pass(trial, layer, usual, handles, between=read_parameters)
        found.expect_some_gradient()
        expect_unchanged({"dout": found.dout}, {"dout": found.after[0]}, layer.backward)
        for name, handle in handles.items():
            if not np.array_equal(trial.call("numpy:array", handle), before[name]):
                raise Wrong(
                    f"{layer.backward} changed {name} in place: the cache holds the net's own array. "
                    "Work on a copy, or write the result into a new array."
                )


def _expect_same(at_once: BackwardPass, later: BackwardPass) -> None:
    """Raise Wrong if a gradient differs after a second forward pass."""
    layer = at_once.layer
    for name, one, other in zip(layer.gradients.values(), at_once.grads, later.grads):
        if agrees(one, one) and not agrees(other, one):  # nan does not agree with itself
            raise Wrong(
                f"{at_once.call}: {name} changes if {layer.forward} runs on other inputs before the backward pass. "
                "Keep the values that the backward pass needs in the cache that you return, not in a global variable: "
                "a net runs all its forward passes first."
            )
