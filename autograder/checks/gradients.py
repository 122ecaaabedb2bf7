"""Judging one gradient that a student's code returned.

The numeric gradient is that of the function the student's own forward pass has been shown to compute: the right one,
or a wrong one that has a name. It is measured on the judge's side, so nothing the student's process does can bend
it; a forward pass that agrees with no known function earns its backward pass credit only against the right one.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.checking.compare import agrees
from autograder.checking.criteria import Outcome, Wrong
from autograder.checking.numeric_gradient import copy_inputs, slopes_of
from autograder.checks.catalogue import catalogue
from autograder.diagnosis.gradient_terms import attribute, by_example
from autograder.report.model import Diagnosis
from autograder.runtime.memo import Memo, make_key
from autograder.sandbox.worker.values import Handle
from cs231n.gradient_check import compare
from cs231n.slopes import Slopes

FAILED = object()  # what a variant gives that raises
_values = Memo(64 << 20)  # of variants, by inputs


@dataclass(frozen=True)
class Variant:
    """A wrong function that has a name: `function` takes the inputs by keyword; `diagnosis` is for the report."""

    function: Callable
    diagnosis: Diagnosis

    @property
    def name(self):
        return self.diagnosis.name


@functools.cache
def variants_of(function, part):
    """Return the wrong versions of a function in the catalogue as Variants: the same ones in every call.

    - function: the id of a question, which is the function's name
    - part: which of the values that it returns the Variants return
    """

    def value(version):
        def compute(**inputs):
            with np.errstate(all="ignore"):
                return getattr(version.module, function)(**inputs)[part]

        return compute

    versions = [version for version in catalogue().get(function, ()) if version.can_be_replayed]
    return tuple(Variant(value(version), version.misconception.diagnosis) for version in versions)


def fitting(variants, inputs, actual, right):
    """Return the Variants whose value on these inputs is the student's, and not the right one."""
    inputs_identity = make_key(inputs)

    def fits(variant):
        value = _values.get((variant.function, inputs_identity), lambda: _value_of(variant, inputs))
        return value is not FAILED and agrees(actual, value) and not agrees(value, right)

    return [variant for variant in variants if fits(variant)]


def _value_of(variant, inputs):
    try:
        return variant.function(**copy_inputs(inputs))
    except Exception:  # a wrong version may fail on some inputs
        return FAILED


def expect_gradient(function, inputs, wrt, claimed, name, call, dout=None, variant=None, explain=None):
    """Return an Outcome where `claimed` is the gradient of `function` with respect to inputs[wrt]; else raise Wrong.

    - function: called with the inputs by keyword; see numeric_gradient.slopes_of
    - dout: the upstream gradient, or None where the function returns a number
    - call: what was called, for the message
    - variant: what the student's forward pass computes instead; its gradient is as good
    - explain: (claimed, name) -> Diagnoses of a wrong gradient
    """
    if claimed is None:
        raise Wrong(
            f"{call}: {name} is None; expected an array of shape {inputs[wrt].shape}. Is it written?", "missing"
        )
    if not isinstance(claimed, (np.ndarray, int, float)):
        kind = claimed.kind if isinstance(claimed, Handle) else type(claimed).__name__
        raise Wrong(f"{call}: {name} is a {kind}; expected an array of shape {inputs[wrt].shape}")
    first = None
    for candidate in (None, variant) if variant else (None,):
        f = candidate.function if candidate else function
        check = check_numeric_gradient(f, inputs, wrt, claimed, dout, name)
        if check.passed:
            if candidate and not np.any(claimed):
                continue  # where a part is left out, a gradient of 0 fits it; that is no work done
            outcome = Outcome(_about_kinks(check), check.max_rel_error, check.bound, check.worst_index)
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
    diagnosis = list(explain(claimed, name)) if explain and first.numeric is not None else []
    raise Wrong(Outcome(message, first.max_rel_error, first.bound, first.worst_index, arrays, diagnosis))


def check_numeric_gradient(function, inputs, wrt, claimed, dout=None, name="gradient"):
    """Compare a claimed gradient with measured slopes and return a GradientCheck; see numeric_gradient.slopes_of."""
    return compare(claimed, slopes_of(function, inputs, wrt, dout, Slopes), name)


def _about_kinks(check):
    if not check.kinks:
        return ""
    entries = "entry lies" if check.kinks == 1 else "entries lie"
    return f"{check.kinks} {entries} at a kink, where every value between the two slopes is right."


def attribution(claimed, name, terms, sizes):
    """Return the Diagnosis, in a list, of a gradient that is a sum of the terms of the right one, but another sum.

    - terms: {name: array}, whose plain sum is the right gradient
    - sizes: what may divide or multiply a term, as in {"N": 4}
    """
    found = attribute(claimed, terms, sizes)
    return [Diagnosis("attribution", "its terms", found.sentence(name))] if found else []


def shares(claimed, name, parts):
    """Return the Diagnosis, in a list, of a gradient that holds other examples' shares than all of them, once each.

    - parts: (N, *shape of claimed), the share of every example
    """
    text = by_example(claimed, parts, name)
    return [Diagnosis("attribution", "its examples", text)] if text else []
