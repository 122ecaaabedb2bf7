"""The inputs of both TensorFlow questions: images and variables, in the judge as arrays and in the worker as tensors.

TensorFlow runs only in the worker. The judge makes tensors and variables there with their public constructors, keeps
handles of them, and gets NumPy arrays.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, expect_close
from autograder.checking.criteria import Outcome, Trial, Wrong
from autograder.checks.catalogue import find_misconception
from autograder.checks.saved_models.accuracy import get_question
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.slopes import expect_slopes
from autograder.checks.variants import Variant, find_matching_variants
from autograder.sandbox.worker_client import CallError

N = 6
SIGNS = ("multiple of 5408", "8192", "21632")  # in TensorFlow's messages about SAME padding, or about no pooling
SHAPES = find_misconception("complex_model", "tf_same_padding")


class Setting:
    """Images and variables, in the judge as arrays and in the worker as tensors."""

    def __init__(self, trial: Trial, size: int = N) -> None:
        rng = trial.rng("complex_model", size)
        self.trial, self.module = trial, get_question(trial).module
        self.values = _draw_values(trial.seed)
        self.x = rng.normal(size=(size, 32, 32, 3)).astype(np.float32)
        self.y = rng.permutation(np.arange(size) % reference.C)
        self.images = trial.call("tensorflow:constant", self.x, returns="handle")
        self.variables = {name: self._variable(name, value) for name, value in self.values.items()}

    def _variable(self, name: str, value: np.ndarray) -> Any:
        trainable = name not in reference.RUNNING
        return self.trial.call("tensorflow:Variable", value, trainable=trainable, returns="handle")

    @property
    def trainable(self) -> list[str]:
        """The names of the trainable variables."""
        return [name for name in self.values if name not in reference.RUNNING]

    def call(self, training: bool) -> str:
        """Return the call of complex_model, for messages."""
        return f"complex_model(x, variables, training={training}) with x of shape {self.x.shape}"

    def logits(self, training: bool) -> Any:
        """Call the student's model and return a handle of its logits."""
        try:
            return self.trial.call(
                f"{self.module}:complex_model", self.images, self.variables, training, returns="handle"
            )
        except CallError as error:
            message = re.sub(r"\{\{function_node [^}]*\}\} ?", "", str(error))  # a name that TensorFlow generates
            if error.verdict == "error" and any(sign in message for sign in SIGNS):
                raise Wrong(Outcome(message, diagnosis=[SHAPES]), "error") from None
            raise CallError(error.verdict, message, error.file, error.function) from None

    def array(self, tensor: Any, what: str) -> Any:
        """Return the array of a tensor in the worker."""
        if tensor is None or getattr(tensor, "kind", "") in ("NoneType", "tuple", "list", "dict", "function"):
            raise Wrong(f"{what} is a {getattr(tensor, 'kind', 'NoneType')}; expected a tensor. Does it return one?")
        return self.trial.call("numpy:asarray", tensor)

    def expect_logits(self, training: bool) -> Outcome:
        """Return an Outcome if the student's logits are right; else raise Wrong, with a Diagnosis if it is known."""
        logits = self.array(self.logits(training), self.call(training))
        try:
            expected = reference.model(self.x, self.values, training)
            return expect_close(logits, expected, self.call(training), RTOL_FLOAT32, "logits")
        except Wrong as wrong:
            variant = self.find_variant(logits, training)
            if variant:
                wrong.outcome.diagnosis.append(variant.diagnosis)
            raise

    def find_variant(self, logits: Any, training: bool) -> Variant | None:
        """Return the wrong model with these logits, or None."""
        inputs = {"x": self.x, "variables": self.values, "training": training}
        found = find_matching_variants(reference.MODELS, inputs, logits, reference.model(**inputs))
        return found[0] if found else None

    def current_values(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the present values of variables in the worker."""
        return {name: self.trial.call((self.variables[name], "numpy")) for name in names}


Function = Callable[[Mapping[str, np.ndarray]], Any]  # {name: variable} -> value


def expect_gradients(setting: Setting, claimed: Any, f: Function, what: str, each: bool = True) -> Outcome:
    """Compare the gradients, handles by name, of all trainable variables with slopes of f.

    - each: find the wrong gradients among them, which takes time
    """
    arrays = {}
    for name in setting.trainable:
        tensor = claimed.get(name) if isinstance(claimed, dict) else None
        if tensor is None:
            raise Wrong(f"there is no gradient of {what} with respect to {name}. Is it used, and only by TensorFlow?")
        arrays[name] = setting.array(tensor, f"the gradient of {name}")
    return expect_slopes(f, {name: value.astype(np.float64) for name, value in setting.values.items()}, arrays, each)


def are_gradients_of(setting: Setting, claimed: Any, f: Function) -> bool:
    """Return whether the gradients, handles by name, of all trainable variables are those of f."""
    try:
        return bool(expect_gradients(setting, claimed, f, "", each=False))
    except (Wrong, RuntimeError):  # f may be too rough to measure if these are not its gradients
        return False


@functools.lru_cache(maxsize=1)
def _draw_values(seed: int) -> dict[str, np.ndarray]:
    """Return the values of the variables, the same for every question and student."""
    return reference.draw_variables(np.random.default_rng(seed))
