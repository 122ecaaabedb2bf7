"""What both TensorFlow questions are asked with: images and variables, here as arrays and in the worker as tensors.

TensorFlow runs in the worker only. The judge makes tensors and variables there by their public constructors, keeps
handles to them, and gets NumPy arrays back.
"""

import functools
import re

import numpy as np

from autograder.checks.gradients import fitting
from autograder.checks.pack import misconception
from autograder.checks.tensorflow_notebook import reference
from autograder.checks.tensorflow_notebook.slopes import expect_slopes
from autograder.compare import RTOL_FLOAT32, expect_close
from autograder.criteria import Outcome, Wrong
from autograder.student import StudentError

N = 6
SIGNS = ("multiple of 5408", "8192", "21632")  # in what TensorFlow says of SAME padding, or of no pooling
SHAPES = misconception("complex_model", "tf_same_padding")


class Setting:
    """Images and variables, in the judge as arrays and in the worker as tensors."""

    def __init__(self, trial, size=N):
        rng = trial.rng("complex_model", size)
        self.trial, self.module = trial, trial.question.module
        self.values = _drawn(trial.seed)
        self.x = rng.normal(size=(size, 32, 32, 3)).astype(np.float32)
        self.y = rng.permutation(np.arange(size) % reference.C)
        self.images = trial.call("tensorflow:constant", self.x, returns="handle")
        self.variables = {name: self._variable(name, value) for name, value in self.values.items()}

    def _variable(self, name, value):
        trainable = name not in reference.RUNNING
        return self.trial.call("tensorflow:Variable", value, trainable=trainable, returns="handle")

    @property
    def trainable(self):
        return [name for name in self.values if name not in reference.RUNNING]

    def call(self, training):
        """The call of complex_model, for messages."""
        return f"complex_model(x, variables, training={training}) with x of shape {self.x.shape}"

    def logits(self, training):
        """Call the student's model and return a handle to its logits."""
        try:
            return self.trial.call(
                f"{self.module}:complex_model", self.images, self.variables, training, returns="handle"
            )
        except StudentError as error:
            message = re.sub(r"\{\{function_node [^}]*\}\} ?", "", str(error))  # a name that TensorFlow made up
            if error.verdict == "error" and any(sign in message for sign in SIGNS):
                raise Wrong(Outcome(message, diagnosis=[SHAPES]), "error") from None
            raise StudentError(error.verdict, message, error.file, error.function) from None

    def array(self, tensor, what):
        """Return what a tensor in the worker holds."""
        if tensor is None or getattr(tensor, "kind", "") in ("NoneType", "tuple", "list", "dict", "function"):
            raise Wrong(f"{what} is a {getattr(tensor, 'kind', 'NoneType')}; expected a tensor. Does it return one?")
        return self.trial.call("numpy:asarray", tensor)

    def expect_logits(self, training):
        """Return an Outcome where the student's logits are right; else raise Wrong with the mistake's name."""
        logits = self.array(self.logits(training), self.call(training))
        try:
            expected = reference.model(self.x, self.values, training)
            return expect_close(logits, expected, self.call(training), RTOL_FLOAT32, "logits")
        except Wrong as wrong:
            variant = self.variant_of(logits, training)
            if variant:
                wrong.outcome.diagnosis.append(variant.diagnosis)
            raise

    def variant_of(self, logits, training):
        """Return the named mistake whose logits these are, or None."""
        inputs = {"x": self.x, "variables": self.values, "training": training}
        found = fitting(reference.MODELS, inputs, logits, reference.model(**inputs))
        return found[0] if found else None

    def moved(self, names):
        """Return the values that variables in the worker have now."""
        return {name: self.trial.call((self.variables[name], "numpy")) for name in names}


def expect_gradients(setting, claimed, f, what, each=True):
    """Compare the gradients, handles by name, of all trainable variables with slopes of f: variables -> number.

    - each: tell which of them are wrong, which takes time
    """
    arrays = {}
    for name in setting.trainable:
        tensor = claimed.get(name) if isinstance(claimed, dict) else None
        if tensor is None:
            raise Wrong(f"no gradient of {what} reaches {name}: is it used, and by TensorFlow's own operations?")
        arrays[name] = setting.array(tensor, f"the gradient of {name}")
    return expect_slopes(f, {name: value.astype(np.float64) for name, value in setting.values.items()}, arrays, each)


def fits(setting, claimed, f):
    """Say whether the gradients, handles by name, are those of f, for all trainable variables."""
    try:
        return bool(expect_gradients(setting, claimed, f, "", each=False))
    except (Wrong, RuntimeError):  # f may be too rough to be measured where the gradients are not its own
        return False


@functools.lru_cache(maxsize=1)
def _drawn(seed):
    """Return the values of the variables, the same for every question and student."""
    return reference.draw_variables(np.random.default_rng(seed))
