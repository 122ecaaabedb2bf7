"""Criteria of a layer's forward function, which returns (out, cache)."""

from typing import Any

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_close
from autograder.checking.criteria import Checks, Outcome, Trial, Wrong
from autograder.checks.layers.arguments import convert_to_float32, expect_float32, expect_unchanged
from autograder.checks.layers.layer import Case, Edge, Inputs, Layer
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import Variant, find_matching_variants, get_variants


def add_forward_criteria(checks: Checks, layer: Layer, values_weight: float = 4, unchanged_weight: float = 0.5) -> None:
    """Add the criteria of the forward function: its values, its edge cases, the type, its arguments unchanged."""

    @checks.criterion(layer.forward, "values", values_weight, text=f"{layer.formula}, for inputs of several shapes.")
    def forward_values(trial: Trial) -> Outcome:
        return combine_outcomes([expect_forward(trial, layer, case) for case in layer.cases])

    for edge in layer.edges:

        @checks.criterion(layer.forward, edge.name, edge.weight, edge=True, text=f"out is right {edge.condition}.")
        def forward_edge(trial: Trial, edge: Edge = edge) -> Outcome:
            return combine_outcomes([expect_forward(trial, layer, case) for case in edge.cases])

    if layer.keeps_type:

        @checks.criterion(layer.forward, "float32", 0.25, edge=True, text="For inputs in float32, out is in float32.")
        def forward_float32(trial: Trial) -> None:
            inputs = convert_to_float32(layer.inputs(trial, layer.cases[0]))
            out, _ = layer.run_forward(trial, inputs)
            call = f"{layer.forward} {layer.describe(inputs)}, all in float32"
            expect_close(out, layer.value(inputs), call, RTOL_FLOAT32)
            expect_float32(call, "out", out)

    text = "The arguments are unchanged after the call."

    @checks.criterion(layer.forward, "arguments unchanged", unchanged_weight, edge=True, text=text)
    def forward_unchanged(trial: Trial) -> None:
        inputs = layer.inputs(trial, layer.cases[0])
        (out, _), after = trial.call(
            f"{layer.module}:{layer.forward}", *inputs.values(), returns=["value", "handle"], echo=True
        )
        right = layer.value(inputs)
        if not agrees(out, right) and not find_matching_variants(get_variants(layer.forward, 0), inputs, out, right):
            # A function that does nothing changes nothing either.
            raise Wrong(f"{layer.forward}: out is not right, so this criterion cannot be judged")
        expect_unchanged(inputs, dict(zip(inputs, after)), layer.forward, layer.may_change)


def expect_forward(trial: Trial, layer: Layer, case: Case) -> Outcome:
    """Return an Outcome if the student's forward function is right in this case; else raise Wrong."""
    inputs = layer.inputs(trial, case)
    call = f"{layer.forward} {layer.describe(inputs)}"
    out, _ = layer.run_forward(trial, inputs)
    return expect_close(out, layer.value(inputs), call)


def find_variant(trial: Trial, layer: Layer, case: Case, inputs: Inputs, out: Any) -> Variant | None:
    """Return the wrong Variant that the student's forward function computes, or None.

    With the inputs of an edge case, such as a single example, several mistakes may look alike. So a Variant has to
    match an ordinary case too, where the function is wrong there.
    """
    right = layer.value(inputs)
    if agrees(out, right):
        return None
    found = find_matching_variants(get_variants(layer.forward, 0), inputs, out, right)
    if found and case not in layer.cases:
        usual = layer.inputs(trial, layer.cases[0])
        out, _ = layer.run_forward(trial, usual)
        if agrees(out, layer.value(usual)):
            return found[0] if layer.lenient else None
        found = find_matching_variants(found, usual, out, layer.value(usual))
    return found[0] if found else None
