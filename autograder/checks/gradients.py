"""Judging one gradient that a student's code returned.

The numeric gradient is that of the function the student's own forward pass has been shown to compute: the right one,
or a wrong one that has a name. It is measured on the judge's side, so nothing the student's process does can bend
it; a forward pass that agrees with no known function earns its backward pass credit only against the right one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.checks import pack  # noqa: F401  (makes cs231n importable)
from autograder.compare import agrees
from autograder.criteria import Outcome, Wrong
from autograder.report import Diagnosis
from autograder.worker.values import Handle
from cs231n.gradient_check import check_gradient


@dataclass(frozen=True)
class Variant:
    """A wrong function that people really write: `name` for the report, the function, a sentence for the student.

    `kind` is "gradient" where it is the backward function that is wrong.
    """

    name: str
    function: Callable
    text: str
    kind: str = "function"

    @property
    def diagnosis(self):
        return Diagnosis(self.kind, self.name, self.text)


def fresh(inputs):
    """Return inputs with dictionaries copied, for a function that keeps running averages in one."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in inputs.items()}


def named_variant(variants, inputs, actual):
    """Return the Variant whose value on these inputs the student's equals, or None."""
    return next((variant for variant in variants if agrees(actual, variant.function(**fresh(inputs)))), None)


def expect_gradient(function, inputs, wrt, claimed, name, call, dout=None, variant=None):
    """Return an Outcome where `claimed` is the gradient of `function` with respect to inputs[wrt]; else raise Wrong.

    - function: called with the inputs by keyword
    - dout: the upstream gradient, or None where the function returns a number
    - call: what was called, for the message
    - variant: what the student's forward pass computes instead; its gradient is as good
    """
    if not isinstance(claimed, (np.ndarray, int, float)) and claimed is not None:
        kind = claimed.kind if isinstance(claimed, Handle) else type(claimed).__name__
        raise Wrong(f"{call}: {name} is a {kind}; expected an array of shape {inputs[wrt].shape}")
    first = None
    for candidate in (None, variant) if variant else (None,):
        f = candidate.function if candidate else function
        check = _check(f, inputs, wrt, claimed, name, dout)
        if check.passed:
            if candidate and not np.any(claimed):
                continue  # where a part is left out, a gradient of 0 fits it; that is no work done
            outcome = Outcome("", check.max_rel_error, check.bound, check.worst_index)
            if candidate:
                outcome.message = f"right for what your forward pass computes ({candidate.name})"
                outcome.diagnosis.append(candidate.diagnosis)
            return outcome
        first = first or check
    arrays = None
    if first.numeric is not None:
        labels = ("measured", "yours")
        arrays = (first.numeric, first.analytic, first.wrong, first.worst_index, name, labels)
    message = f"{call}: {first.message}"
    if first.passed is None:
        raise RuntimeError(message)  # the judge's own function is too rough at its own inputs: a fault of the grader
    raise Wrong(Outcome(message, first.max_rel_error, first.bound, first.worst_index, arrays))


def _check(function, inputs, wrt, claimed, name, dout):
    others = {key: value for key, value in inputs.items() if key != wrt}
    moved = inputs[wrt].astype("float64")
    return check_gradient(lambda value: function(**{wrt: value}, **fresh(others)), moved, claimed, dout, name)
