"""One forward and one backward pass of a student's layer, and the judgement of its gradients."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.criteria import Outcome, Trial, Wrong, block_if_failed
from autograder.checking.large_call import LargeCall, expect_nearly
from autograder.checks.gradients import attribute_examples, attribute_terms, expect_gradient
from autograder.checks.layers.arguments import drop_unit_axes
from autograder.checks.layers.forward import find_variant
from autograder.checks.layers.layer import Case, Inputs, Layer
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import Variant
from autograder.report.model import Diagnosis


@dataclass(frozen=True)
class BackwardPass:
    """The results of both functions in one case.

    - grads: the gradients as the student's code returned them
    - after: the arguments of the backward function after the call
    """

    trial: Trial
    layer: Layer
    case: Case
    inputs: Inputs
    dout: np.ndarray
    out: Any
    grads: Sequence[Any]
    after: Sequence[Any]

    @property
    def call(self) -> str:
        """The call, for messages."""
        return f"{self.layer.backward} {self.layer.describe(self.inputs)}"

    def expect_gradients(self) -> Outcome:
        """Return the worst Outcome of all gradients; raise Wrong at the first that is not right."""
        return combine_outcomes([self.expect_gradient(position) for position in range(len(self.layer.gradients))])

    def expect_gradient(self, position: int) -> Outcome:
        """Return the Outcome of the gradient at this position; raise Wrong if it is not right."""
        # No gradient belongs to an out of another shape than that of dout.
        comparable = getattr(self.out, "shape", ()) == self.dout.shape
        variant = find_variant(self.trial, self.layer, self.case, self.inputs, self.out) if comparable else None
        try:
            return self._compare(self.grads[position], position, variant)
        except Wrong as wrong:
            if any(self._holds(other, position) for at, other in enumerate(self.grads) if at != position):
                order = ", ".join(self.layer.gradients.values())
                text = f"The gradients are returned in another order: return {order}."
                wrong.outcome.diagnosis.append(Diagnosis("gradient", "returned in another order", text))
            raise

    def expect_some_gradient(self) -> None:
        """Raise Wrong unless at least one gradient is right: code that does nothing changes nothing either."""
        failures = []
        for position in range(len(self.layer.gradients)):
            try:
                self.expect_gradient(position)
                return
            except Wrong as wrong:
                failures.append(wrong)
        nothing = all(wrong.verdict == "missing" for wrong in failures)
        text = f"{self.layer.backward}: no gradient is right, so this criterion cannot be judged"
        raise Wrong(text, "missing" if nothing else "failed") from failures[-1]

    def _compare(self, gradient: Any, position: int, variant: Variant | None) -> Outcome:
        wrt, name = list(self.layer.gradients.items())[position]
        if position:
            gradient = drop_unit_axes(gradient, self.inputs[wrt].shape)  # a parameter's shape has its own criterion

        def explain(gradient: Any, name: str) -> Iterator[Diagnosis]:
            if self.layer.terms:
                terms = self.layer.terms(self.dout, **self.inputs).get(wrt, {})
                yield from attribute_terms(gradient, name, terms, {"N": len(self.inputs["x"])})
            if position and len(self.dout) > 1:
                yield from attribute_examples(gradient, name, self.layer.parts(self.inputs, self.dout, position))

        function = self.layer.function
        return expect_gradient(function, self.inputs, wrt, gradient, name, self.call, self.dout, variant, explain)

    def _holds(self, gradient: Any, position: int) -> bool:
        try:
            self._compare(gradient, position, None)
        except Wrong:
            return False
        return True


def run_backward_pass(
    trial: Trial,
    layer: Layer,
    case: Case,
    changes: Inputs | None = None,
    dtype: type = np.float64,
    between: Callable[[], Any] = lambda: None,
) -> BackwardPass:
    """Run the student's forward and backward functions in one case.

    - changes: inputs that replace drawn inputs, such as handles of arrays in the worker
    - dtype: the dtype of the dout that the student's code gets
    - between: called after the forward pass
    """
    inputs = layer.inputs(trial, case)
    with block_if_failed(layer.backward, layer.forward):
        out, cache = layer.run_forward(trial, inputs | (changes or {}))
    dout = trial.rng(layer.backward, sorted(case.items())).normal(size=layer.value(inputs).shape)
    between()
    grads, after = layer.run_backward(trial, dout.astype(dtype), cache)
    return BackwardPass(trial, layer, case, inputs, dout, out, grads, after)


def make_large_call(trial: Trial, layer: Layer) -> LargeCall:
    """Return the LargeCall of a layer's backward function."""
    inputs = layer.inputs(trial, layer.large)
    dout = trial.rng(layer.backward, "large").normal(size=layer.value(inputs).shape)
    call = f"{layer.backward} {layer.describe(inputs)}"

    def derive() -> Sequence[np.ndarray]:
        return layer.derive(inputs, dout)

    def run_student(trial: Trial, proved: set[str]) -> None:
        _, cache = layer.run_forward(trial, inputs)
        result = trial.call(f"{layer.module}:{layer.backward}", dout, cache, returns=layer.returns)
        for name, gradient, right in zip(layer.gradients.values(), layer.as_sequence(result), derive()):
            if name in proved:
                expect_nearly(gradient, right, f"{call}: {name}")

    entries = sum(inputs[wrt].size for wrt in layer.gradients)
    return LargeCall(call, entries, lambda: layer.value(inputs), derive, run_student)
