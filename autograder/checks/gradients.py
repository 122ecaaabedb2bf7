"""The comparison of one gradient from a student's code with a numeric gradient.

The judge measures the numeric gradient of the function that the student's forward pass computes: the right function,
or a wrong one of the catalogue. It uses its own code, so nothing in the student's process can influence the result.
A forward pass that agrees with no known function earns its backward pass credit only against the right function.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograder.checking.criteria import Outcome, Wrong
from autograder.checking.numeric_gradient import slopes_of
from autograder.checks.variants import Variant
from autograder.diagnosis.gradient_terms import attribute, describe_shares
from autograder.report.model import Diagnosis
from autograder.sandbox.worker.values import Handle
from cs231n.gradient_check import GradientCheck, compare
from cs231n.slopes import Slopes

Explain = Callable[[Any, str], Iterable[Diagnosis]]  # (claimed gradient, its name) -> Diagnoses


def expect_gradient(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: str,
    claimed: Any,
    name: str,
    call: str,
    dout: np.ndarray | None = None,
    variant: Variant | None = None,
    explain: Explain | None = None,
) -> Outcome:
    """Return an Outcome if `claimed` is the gradient of `function` with respect to inputs[wrt]; else raise Wrong.

    - function: called with the inputs by keyword; see numeric_gradient.slopes_of
    - dout: the upstream gradient, or None if the function returns a number
    - call: the call, for the message
    - variant: the wrong function of the student's forward pass, if known; its gradient is right too
    - explain: returns the Diagnoses of a wrong gradient
    """
    shape = inputs[wrt].shape
    if claimed is None:
        raise Wrong(f"{call}: {name} is None; expected an array of shape {shape}. Is it written?", "missing")
    if not isinstance(claimed, (np.ndarray, int, float)):
        kind = claimed.kind if isinstance(claimed, Handle) else type(claimed).__name__
        raise Wrong(f"{call}: {name} is a {kind}; expected an array of shape {shape}")
    check = check_numeric_gradient(function, inputs, wrt, claimed, dout, name)
    if check.passed:
        return _outcome_of(check)
    if variant and np.any(claimed):  # the gradient 0 of a variant without this part earns no credit
        other = check_numeric_gradient(variant.function, inputs, wrt, claimed, dout, name)
        if other.passed:
            outcome = _outcome_of(other)
            outcome.message = f"right for the function that your forward pass computes ({variant.name})"
            outcome.diagnosis.append(variant.diagnosis)
            return outcome
    message = f"{call}: {check.message}"
    if check.passed is None:
        raise RuntimeError(message)  # a fault of the grader: its own function is too rough at these inputs
    arrays, diagnosis = None, []
    if check.numeric is not None:
        labels = ("measured", "yours")
        arrays = (check.numeric, check.analytic, check.wrong, check.worst_index, name, labels)
        diagnosis = list(explain(claimed, name)) if explain else []
    raise Wrong(Outcome(message, check.max_rel_error, check.bound, check.worst_index, arrays, diagnosis))


def check_numeric_gradient(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: str,
    claimed: Any,
    dout: np.ndarray | None = None,
    name: str = "gradient",
) -> GradientCheck:
    """Compare a claimed gradient with measured slopes; see numeric_gradient.slopes_of."""
    return compare(claimed, slopes_of(function, inputs, wrt, dout, Slopes), name)


def _outcome_of(check: GradientCheck) -> Outcome:
    return Outcome(_describe_kinks(check), check.max_rel_error, check.bound, check.worst_index)


def _describe_kinks(check: GradientCheck) -> str:
    if not check.kinks:
        return ""
    entries = "entry is" if check.kinks == 1 else "entries are"
    return f"{check.kinks} {entries} at a kink, where every value between the two slopes is right."


def attribute_terms(
    claimed: Any, name: str, terms: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a gradient that is a sum of the right terms with wrong factors.

    - terms: {name: array}, whose plain sum is the right gradient
    - sizes: numbers that may divide or multiply a term, as in {"N": 4}
    """
    found = attribute(claimed, terms, sizes)
    return [Diagnosis("attribution", "its terms", found.describe(name))] if found else []


def attribute_examples(claimed: Any, name: str, parts: np.ndarray) -> list[Diagnosis]:
    """Return the Diagnosis, in a list, of a gradient that omits or repeats the shares of some examples.

    - parts: (N, *shape of claimed), the share of every example
    """
    text = describe_shares(claimed, parts, name)
    return [Diagnosis("attribution", "its examples", text)] if text else []
