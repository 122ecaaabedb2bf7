"""Variants: wrong functions with a known diagnosis, and the search for the one that a student's code computes."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.compare import agrees
from autograder.checking.numeric_gradient import copy_inputs
from autograder.checks.catalogue import load_catalogue
from autograder.diagnosis.wrong_version import WrongVersion
from autograder.report.model import Diagnosis
from autograder.runtime.memo import Memo, make_key

FAILED = object()  # the value of a variant that raises an exception
_values = Memo(64 << 20)  # the values of variants, by inputs


@dataclass(frozen=True)
class Variant:
    """A wrong function: `function` takes the inputs by keyword; `diagnosis` goes into the report."""

    function: Callable[..., Any]
    diagnosis: Diagnosis

    @property
    def name(self) -> str:
        """The name of the misconception."""
        return self.diagnosis.name


@functools.cache
def get_variants(function: str, part: int) -> tuple[Variant, ...]:
    """Return the wrong versions of a function in the catalogue as Variants; every call returns the same objects.

    - function: the id of a question, which is the function's name
    - part: the position, among the returned values, of the one that the Variants return
    """

    def value(version: WrongVersion) -> Callable[..., Any]:
        def compute(**inputs: Any) -> Any:
            with np.errstate(all="ignore"):
                return getattr(version.module, function)(**inputs)[part]

        return compute

    versions = [version for version in load_catalogue().get(function, ()) if version.can_be_replayed]
    return tuple(Variant(value(version), version.misconception.diagnosis) for version in versions)


def find_matching_variants(
    variants: Iterable[Variant], inputs: Mapping[str, Any], actual: Any, right: Any
) -> list[Variant]:
    """Return the Variants that compute the student's value from these inputs, and not the right one."""
    inputs_identity = make_key(inputs)

    def matches(variant: Variant) -> bool:
        value = _values.get((variant.function, inputs_identity), lambda: _value_of(variant, inputs))
        return value is not FAILED and agrees(actual, value) and not agrees(value, right)

    return [variant for variant in variants if matches(variant)]


def _value_of(variant: Variant, inputs: Mapping[str, Any]) -> Any:
    try:
        return variant.function(**copy_inputs(inputs))
    except Exception:  # a wrong version may fail on some inputs
        return FAILED
