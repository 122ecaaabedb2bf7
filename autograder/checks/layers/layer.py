"""The description of a layer for its checks: its two functions, its test inputs, and calls of the student's code."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.criteria import Trial
from autograder.checking.numeric_gradient import copy_inputs
from autograder.sandbox.worker_client import CallError

Case = dict[str, Any]  # sizes and settings: the keyword arguments of Layer.draw
Inputs = dict[str, Any]  # the arguments of a forward function by name, in their order
Terms = Mapping[str, Mapping[str, np.ndarray]]  # the named parts whose sum is a gradient, by the name of the input


@dataclass(frozen=True)
class Edge:
    """An edge case, which is a criterion of the forward function and one of the backward function.

    - condition: the end of the criterion's sentence, such as "with pad = 0"
    """

    name: str
    cases: tuple[Case, ...]
    condition: str
    weight: float = 0.5


def make_single_example_edge(*cases: Case) -> Edge:
    """Return the edge case of a single example."""
    return Edge("one example", cases, "with a single example, N = 1")


@dataclass(frozen=True)
class Layer:
    """The description of a layer from which its criteria are made.

    - function: the right function, inputs by keyword -> out
    - draw: (rng, **case) -> inputs by name, in the order of the arguments: float arrays, and dictionaries of settings
    - cases: ordinary sizes
    - gradients: {"x": "dx", ...} in the order in which the backward function returns them
    - formula: the first part of the text of the criterion "values"
    - terms: (dout, inputs by keyword) -> {"x": {name: array}, ...}, the named parts whose sum is a gradient
    - may_change: settings that the forward function may change, such as running averages
    - lenient: whether, in an edge case, a gradient may be that of a known wrong forward pass. False if the backward
      pass reads the same settings as the forward pass (a stride, a size): code that misreads them is wrong in both
    - keeps_type: whether float32 inputs must give float32 outputs
    - large: sizes of the call that detects measured gradients: about 100,000 entries in x and in the weights, so that
      no array is cheap to measure; about 1,000,000 products, so that plain loops take seconds; few entries that depend
      on each other, so that a Jacobian stays small
    """

    module: str
    forward: str
    backward: str
    function: Callable[..., np.ndarray]
    draw: Callable[..., Inputs]
    cases: tuple[Case, ...]
    gradients: dict[str, str]
    formula: str
    large: Case
    edges: tuple[Edge, ...] = ()
    terms: Callable[..., Terms] | None = None
    may_change: tuple[str, ...] = ()
    lenient: bool = True
    keeps_type: bool = False

    def inputs(self, trial: Trial, case: Case, *more: str) -> Inputs:
        """Return the inputs of a case.

        - more: any words; other words give other inputs of the same sizes
        """
        return self.draw(trial.rng(self.forward, sorted(case.items()), *more), **case)

    def value(self, inputs: Inputs) -> np.ndarray:
        """Return the right output for these inputs and leave them unchanged."""
        return self.function(**copy_inputs(inputs))

    def parts(self, inputs: Inputs, dout: np.ndarray, position: int) -> np.ndarray:
        """Return the share of every example in one gradient, (N, *its shape): a backward pass is linear in dout."""
        alone = np.eye(len(dout)).reshape(len(dout), len(dout), *(1,) * (dout.ndim - 1)) * dout
        _, cache = self._reference(self.forward)(**copy_inputs(inputs))
        return np.stack([self._reference(self.backward)(one, cache)[position] for one in alone])

    def derive(self, inputs: Inputs, dout: np.ndarray) -> Sequence[np.ndarray]:
        """Return the reference's gradients, in their order, by its forward and its backward function."""
        _, cache = self._reference(self.forward)(**copy_inputs(inputs))
        return self.as_sequence(self._reference(self.backward)(dout, cache))

    def _reference(self, name: str) -> Callable[..., Any]:
        return getattr(importlib.import_module(self.module), name)

    def run_forward(self, trial: Trial, inputs: Inputs) -> tuple[Any, Any]:
        """Call the student's forward function and return (out, cache handle)."""
        return trial.call(f"{self.module}:{self.forward}", *inputs.values(), returns=["value", "handle"])

    def run_backward(self, trial: Trial, dout: np.ndarray, cache: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """Call the student's backward function; return its gradients, and its arguments after the call."""
        try:
            result, after = trial.call(f"{self.module}:{self.backward}", dout, cache, returns=self.returns, echo=True)
        except CallError as error:
            if error.verdict != "error":
                raise
            text = f"{str(error).rstrip('.')}. Its cache was the one that your {self.forward} returned."
            raise CallError("error", text, error.file, error.function, error.raised) from None
        return self.as_sequence(result), after

    @property
    def returns(self) -> str | list[str]:
        """The form in which the worker returns the gradients; see WorkerClient.call."""
        return ["value"] * len(self.gradients) if len(self.gradients) > 1 else "value"

    def as_sequence(self, result: Any) -> Sequence[Any]:
        """Return the result of the backward function as a sequence: a single gradient comes without a tuple."""
        return result if len(self.gradients) > 1 else (result,)

    def describe(self, inputs: Inputs) -> str:
        """Return the arguments of a call for messages: the shape of every array, and the other settings."""
        return "with " + ", ".join(f"{name} {_describe(value)}" for name, value in inputs.items())


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.shape)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_describe(item)}" for key, item in value.items()) + "}"
    return repr(value)
