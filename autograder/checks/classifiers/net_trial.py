"""A student's net and the reference's net, with the same parameters."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_array, expect_close, expect_number
from autograder.checking.criteria import Outcome, Trial, Wrong
from autograder.checking.numeric_gradient import PureFunction
from autograder.checks.catalogue import find_misconception
from autograder.checks.classifiers.net_losses import Loss, plain_loss
from autograder.checks.classifiers.regularization import diagnose_uneven_regularization
from autograder.checks.gradients import Explain, attribute_terms, expect_gradient
from autograder.checks.outcomes import combine_outcomes
from autograder.checks.variants import Variant
from autograder.report.model import Diagnosis
from autograder.runtime.memo import make_key
from autograder.sandbox.worker.values import Handle
from autograder.sandbox.worker_client import CallError

RTOL_OF_NETS = 2e-5  # a layer of the net may compute in float32, which the type of the result does not show

# The names that later editions of the course have for arguments of a net, and the values that they take there.
RENAMED = {
    "use_batchnorm": ("normalization", lambda used: "batchnorm" if used else None),
    "dropout": ("dropout_keep_ratio", lambda p: p or 1),
}


@dataclass(frozen=True)
class NetClass:
    """A class of nets: the student's, as in "cs231n.classifiers.fc_net:TwoLayerNet", and the reference's."""

    target: str
    reference: type

    @property
    def name(self) -> str:
        """The name of the class, which is the id of its question."""
        return self.reference.__name__

    def describe(self, options: dict[str, Any]) -> str:
        """Return the call of the constructor, for messages."""
        shown = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items())
        return f"{self.name}({shown})"


class NetTrial:
    """One configuration of a net: the student's (a handle) and the reference's, given the same random parameters.

    - options: keyword arguments of both constructors
    - right_loss: the right loss of the reference, in tests of a net that it cannot compute itself. It is not a closure,
      because its slopes are kept under its identity (see memo.make_key)
    """

    def __init__(self, trial: Trial, kind: NetClass, **options: Any) -> None:
        self.trial, self.kind, self.options = trial, kind, options
        self.reference = kind.reference(**options)
        self.right_loss: Loss = plain_loss
        self.call = kind.describe(options)
        self.net = self.make()

    def make(self, **more: Any) -> Any:
        """Make the student's net, with more options if given, by the argument names of the code's own edition."""
        options = self.options | more
        self.call = self.kind.describe(options)
        if self.trial.options.get("dropout") == "drop" and options.get("dropout"):
            options["dropout"] = 1 - options["dropout"]
        while True:
            try:
                return self.trial.call(self.kind.target, returns="handle", **options)
            except CallError as error:
                refused = [name for name in RENAMED if f"unexpected keyword argument '{name}'" in str(error)]
                if not refused or refused[0] not in options:
                    raise
                name, value = RENAMED[refused[0]]
                options[name] = value(options.pop(refused[0]))

    def find_misconception(self, name: str) -> Diagnosis:
        """Return the Diagnosis of the catalogue's entry of this name for this net."""
        return find_misconception(self.kind.name, name)

    def parameters(self) -> dict[str, Any]:
        """Return the student's parameters by name; raise Wrong if a name is missing."""
        params = self.trial.worker.get(self.net, "params")
        if not isinstance(params, dict):
            raise Wrong(f"{self.call}: params is not a dictionary; expected one with an entry for each parameter")
        if not params:
            raise Wrong(f"{self.call}: params is empty. Is the constructor written yet?", "missing")
        missing = [name for name in self.reference.params if name not in params]
        if missing:
            held = ", ".join(map(str, params))
            outcome = Outcome(f"{self.call}: params has no {', '.join(missing)}; it contains {held}")
            if all(name.startswith(("gamma", "beta")) for name in missing):
                outcome.diagnosis.append(self.find_misconception("net_no_batchnorm"))
            raise Wrong(outcome)
        return params

    def expect_parameters(self) -> dict[str, np.ndarray]:
        """Return the student's initial parameters by name; raise Wrong if a name is missing or a shape is wrong."""
        params = self.parameters()
        found = {}
        for name, right in self.reference.params.items():
            try:
                array = expect_array(params[name], right.shape, f"{self.call}: params['{name}']")
            except Wrong as wrong:
                mistake = name_shape_mistake(name, params[name], right)
                wrong.outcome.diagnosis += [self.find_misconception(mistake)] if mistake else []
                raise
            found[name] = array.astype(np.float64)
        return found

    def share_parameters(self) -> dict[str, np.ndarray]:
        """Give both nets the same random parameters, large enough for every path to matter; return them."""
        rng = self.trial.rng("parameters", sorted(self.reference.params))
        params = {
            name: rng.normal(size=value.shape) * _scale_of(value) for name, value in self.reference.params.items()
        }
        self.reference.params = params
        # A wrong shape fails the criterion on shapes; with the right array in its place the rest can be judged.
        self.parameters()
        self.trial.call((self.net, "params", "update"), params)
        return params

    def batch(self, N: int, shape: Sequence[int], classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a random batch: X (N, *shape) and the right classes y (N,)."""
        rng = self.trial.rng("batch", N, shape)
        return rng.normal(size=(N, *shape)), rng.integers(classes, size=N)

    def expect_scores(self, X: np.ndarray) -> Outcome:
        """Return an Outcome if loss(X) returns the right scores; else raise Wrong."""
        scores = self.trial.call((self.net, "loss"), X)
        call = f"{self.call}.loss(X) with X {X.shape}"
        return expect_close(scores, self.reference.loss(X), call, RTOL_OF_NETS, "scores")

    def run_loss(self, X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Return the student's loss, as a number, and gradients, as a dictionary."""
        loss, grads = self.trial.call((self.net, "loss"), X, y, returns=["value", "value"])
        if isinstance(grads, Handle) or not isinstance(grads, dict):
            raise Wrong(f"{self.call}.loss(X, y): the second value is not a dictionary; expected gradients by name")
        return expect_number(loss, f"the loss of {self.call}"), grads

    def expect_loss(self, X: np.ndarray, y: np.ndarray, variants: Iterable[Variant] = ()) -> Outcome:
        """Return an Outcome if the student's loss is right; else raise Wrong."""
        loss, _ = self.run_loss(X, y)
        try:
            return expect_close(loss, self.right_loss(self.reference, X, y), self._loss_call(X), RTOL_OF_NETS, "loss")
        except Wrong as wrong:
            variant = self._find_variant(loss, X, y, variants)
            uneven = [] if variant else diagnose_uneven_regularization(self.reference, loss, X, y)
            wrong.outcome.diagnosis += [variant.diagnosis] if variant else uneven
            raise

    def expect_gradients(
        self, X: np.ndarray, y: np.ndarray, names: Iterable[str], variants: Iterable[Variant] = ()
    ) -> Outcome:
        """Return the worst Outcome if every gradient in `names` is that of the loss; else raise Wrong."""
        loss, grads = self.run_loss(X, y)
        variant = self._find_variant(loss, X, y, variants)
        found = []
        for name in names:
            if name not in grads:
                held = ", ".join(map(str, grads)) or "nothing"
                raise Wrong(f"{self.call}.loss(X, y): grads has no {name}; it contains {held}")
            found.append(self._expect_gradient(name, grads[name], X, y, variant))
        return combine_outcomes(found)

    def _loss_call(self, X: np.ndarray) -> str:
        return f"{self.call}.loss(X, y) with X {X.shape}"

    def _expect_gradient(
        self, name: str, gradient: Any, X: np.ndarray, y: np.ndarray, variant: Variant | None
    ) -> Outcome:
        right, explain = self._as_function(self.right_loss, X, y), self._explain(name, X, y)
        other = Variant(self._as_function(variant.function, X, y), variant.diagnosis) if variant else None
        params, call = self.reference.params, self._loss_call(X)

        def expect(claimed: Any) -> Outcome:
            return expect_gradient(right, params, name, claimed, f"d{name}", call, None, other, explain)

        try:
            return expect(gradient)
        except Wrong as wrong:
            # A layer of the net may compute in float32, which the type of the gradient does not show.
            if (wrong.outcome.max_rel_error or 1) > RTOL_FLOAT32:
                raise
            return expect(np.float32(gradient))

    def expect_repeatable(
        self, X: np.ndarray, y: np.ndarray, names: Collection[str], variants: Iterable[Variant] = ()
    ) -> None:
        """Raise Wrong unless a later call equals the first, something is right, and every parameter has a gradient."""
        loss, grads = self.run_loss(X, y)
        self._expect_some_gradient(X, y, names, variants)  # the second call
        self.call = f"called a third time, {self.call}"
        held = self.parameters()
        again, later = self.run_loss(X, y)
        call = f"{self.call}.loss(X, y) on the same batch"
        lacking = sorted(set(held) - set(later))
        if lacking:
            names_missing = ", ".join(lacking)
            raise Wrong(f"{call}: params has {names_missing}, but grads has no such entry; training needs both")
        expect_close(again, loss, call, RTOL_OF_NETS, "loss")
        for name in names:
            if isinstance(grads.get(name), np.ndarray):
                expect_close(later[name], grads[name], call, RTOL_FLOAT32, f"d{name}")

    def _expect_some_gradient(
        self, X: np.ndarray, y: np.ndarray, names: Iterable[str], variants: Iterable[Variant]
    ) -> None:
        """Raise Wrong unless at least one gradient is right: code that does nothing is repeatable too."""
        failures = []
        for name in names:
            try:
                self.expect_gradients(X, y, [name], variants)
                return
            except Wrong as wrong:
                failures.append(wrong)
        raise Wrong(f"{self.call}: no gradient is right, so this criterion cannot be judged") from failures[-1]

    def _as_function(self, computed: Loss, X: np.ndarray, y: np.ndarray) -> PureFunction:
        """Return a loss of the net as a function of the parameters by name."""

        def loss(**params: np.ndarray) -> float:
            self.reference.params, before = params, self.reference.params
            try:
                return computed(self.reference, X, y)
            finally:
                self.reference.params = before

        state = {name: value for name, value in vars(self.reference).items() if name != "params"}
        return PureFunction(loss, make_key((type(self.reference), state, computed, X, y)))

    def _explain(self, parameter: str, X: np.ndarray, y: np.ndarray) -> Explain:
        """Return a function that attributes a gradient to its parts: that of the data and that of regularization."""

        def explain(gradient: Any, name: str) -> list[Diagnosis]:
            loss, grads = self.reference.loss(X, y)
            if not agrees(loss, self.right_loss(self.reference, X, y), 1e-6):
                return []  # the reference's loss does not use the dropout masks of this net
            regularized = self.reference.reg if parameter.startswith("W") else 0
            pull = regularized * self.reference.params[parameter]
            terms = {"the data's part": grads[parameter] - pull, "the regularization, reg · W": pull}
            return attribute_terms(gradient, name, terms, {"N": len(X)})

        return explain

    def _find_variant(self, loss: Any, X: np.ndarray, y: np.ndarray, variants: Iterable[Variant]) -> Variant | None:
        if agrees(loss, self.right_loss(self.reference, X, y), 1e-6):
            return None
        return next((v for v in variants if agrees(loss, v.function(self.reference, X, y), 1e-6)), None)


def name_shape_mistake(name: str, value: Any, right: np.ndarray) -> str | None:
    """Return the catalogue's name for the wrong shape of a parameter, or None."""
    shape = getattr(value, "shape", ())
    if right.ndim == 2 and shape == right.shape[::-1]:
        return "net_parameters_transposed"
    mistake = "net_bias_rows" if name.startswith("b") and not name.startswith("beta") else "net_norm_rows"
    return mistake if shape == (1, right.size) else None


def _scale_of(parameter: np.ndarray) -> float:
    """Return a standard deviation that keeps the values of every layer around 1, so that every layer matters."""
    if parameter.ndim == 1:
        return 0.7
    fan_in = parameter[0].size if parameter.ndim == 4 else parameter.shape[0]
    return 1.8 / np.sqrt(fan_in)
