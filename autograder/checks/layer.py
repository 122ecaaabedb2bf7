"""A layer as the checks see it: what its two functions compute, on which inputs they are tried, how they are called."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.checking.numeric_gradient import copy_inputs
from autograder.sandbox.worker_client import CallError


@dataclass(frozen=True)
class Edge:
    """An edge case that is a criterion of its own, of the forward function and of the backward function."""

    name: str
    cases: tuple[dict, ...]
    says: str
    weight: float = 0.5


def one_example(*cases):
    """Return the edge case of a single example."""
    return Edge("one example", cases, "with a single example, N = 1")


@dataclass(frozen=True)
class Layer:
    """What the criteria of a layer are made from.

    - function: the right function, inputs by keyword -> out
    - draw: (rng, **case) -> inputs by name, in the order of the arguments: float arrays, and dictionaries of settings
    - cases: ordinary sizes
    - gradients: {"x": "dx", ...} in the order the backward function returns them
    - says: the formula, for the text of the criterion
    - terms: (dout, inputs by keyword) -> {"x": {name: array}, ...}, the named parts that a gradient is the sum of
    - may_change: settings that the forward function is free to change, such as running averages
    - lenient: whether, in an edge case, a gradient may be that of a named wrong forward pass; where the backward pass
      reads the same settings as the forward pass (a stride, a size), misreading them is a mistake in both
    - keeps_type: whether float32 has to come back as float32
    - large: sizes of the call that tells a derived gradient: about 100,000 entries in x and in any weights, so that
      none is cheap to measure; some 1,000,000 products, so that plain loops take seconds; few entries that depend on
      each other, so that a Jacobian stays small
    """

    module: str
    forward: str
    backward: str
    function: Callable
    draw: Callable
    cases: tuple[dict, ...]
    gradients: dict[str, str]
    says: str
    edges: tuple[Edge, ...] = ()
    terms: Callable | None = None
    may_change: tuple[str, ...] = ()
    lenient: bool = True
    keeps_type: bool = False
    large: dict | None = None

    def inputs(self, trial, case, *more):
        """Return the inputs of a case; `more` are names that draw others of the same sizes."""
        return self.draw(trial.rng(self.forward, sorted(case.items()), *more), **case)

    def value(self, inputs):
        """Return what is right for these inputs, which stay as they are."""
        return self.function(**copy_inputs(inputs))

    def parts(self, inputs, dout, position):
        """Return the share of every example in one gradient, (N, *its shape): a backward pass is linear in dout."""
        module = importlib.import_module(self.module)
        _, cache = getattr(module, self.forward)(**copy_inputs(inputs))
        alone = np.eye(len(dout)).reshape(len(dout), len(dout), *(1,) * (dout.ndim - 1)) * dout
        return np.stack([getattr(module, self.backward)(one, cache)[position] for one in alone])

    def derive(self, inputs, dout):
        """Return the reference's gradients, in their order, by its forward and its backward function."""
        module = importlib.import_module(self.module)
        _, cache = getattr(module, self.forward)(**copy_inputs(inputs))
        grads = getattr(module, self.backward)(dout, cache)
        return grads if len(self.gradients) > 1 else (grads,)

    def run_forward(self, trial, inputs):
        """Call the student's forward function and return (out, cache handle)."""
        return trial.call(f"{self.module}:{self.forward}", *inputs.values(), returns=["value", "handle"])

    @property
    def returns(self):
        """What is asked of the backward function; see Student.call."""
        return ["value"] * len(self.gradients) if len(self.gradients) > 1 else "value"

    def run_backward(self, trial, dout, cache):
        """Call the student's backward function; return its gradients, and its arguments as they are afterwards."""
        try:
            result, after = trial.call(f"{self.module}:{self.backward}", dout, cache, returns=self.returns, echo=True)
        except CallError as error:
            if error.verdict != "error":
                raise
            text = f"{str(error).rstrip('.')}. Its cache was the one that your {self.forward} returned."
            raise CallError("error", text, error.file, error.function, error.raised) from None
        return (result if len(self.gradients) > 1 else (result,)), after

    def describe(self, inputs):
        """The call, with the shape of every array and the other settings, for messages."""
        return "with " + ", ".join(f"{name} {_shown(value)}" for name, value in inputs.items())


def _shown(value):
    if isinstance(value, np.ndarray):
        return str(value.shape)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_shown(item)}" for key, item in value.items()) + "}"
    return repr(value)
