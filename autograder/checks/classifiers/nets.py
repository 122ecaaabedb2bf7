"""A student's net beside the reference's, with the same parameters."""

import numpy as np

from autograder.checks.gradients import Variant, expect_gradient
from autograder.compare import agrees, expect_array, expect_close, expect_number
from autograder.criteria import Wrong
from autograder.report import Diagnosis
from autograder.worker.values import Handle
from cs231n.layers import softmax_loss


class NetTrial:
    """One configuration of a net: the student's (a handle) and the reference's, given the same random parameters.

    - trial: criteria.Trial
    - target: the student's class, as in "cs231n.classifiers.fc_net:TwoLayerNet"
    - reference: the right class
    - options: keyword arguments of both constructors
    """

    def __init__(self, trial, target, reference, **options):
        self.trial, self.name, self.options = trial, target.rpartition(":")[2], options
        self.reference = reference(**options)
        self.net = trial.call(target, returns="handle", **options)
        shown = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items())
        self.call = f"{self.name}({shown})"

    def parameters(self):
        """The student's parameters by name; Wrong where a name is missing."""
        params = self.trial.student.get(self.net, "params")
        if not isinstance(params, dict):
            raise Wrong(f"{self.call}: params is no dictionary")
        missing = [name for name in self.reference.params if name not in params]
        if missing:
            raise Wrong(
                f"{self.call}: params has no {', '.join(missing)}; it holds {', '.join(map(str, params)) or 'nothing'}"
            )
        return params

    def expect_parameters(self):
        """The student's initial parameters by name; Wrong where a name is missing or a shape is another."""
        params = self.parameters()
        return {
            name: expect_array(params[name], right.shape, f"{self.call}: params['{name}']").astype(np.float64)
            for name, right in self.reference.params.items()
        }

    def share_parameters(self):
        """Give both nets the same random parameters, large enough for every path to matter."""
        rng = self.trial.rng("parameters", sorted(self.reference.params))
        params = {name: rng.normal(size=value.shape) * 0.7 for name, value in self.reference.params.items()}
        self.reference.params = params
        for name, value in self.parameters().items():
            # A bias made with shape (1, M) costs the criterion on shapes; with a right one in its place the rest can
            # still be judged.
            if name in params and _long_axes(value) != _long_axes(params[name]):
                expect_array(value, params[name].shape, f"{self.call}: params['{name}']")
        self.trial.call((self.net, "params", "update"), params)
        return params

    def batch(self, N, shape, classes):
        """A random batch: X (N, *shape) and the right classes y."""
        rng = self.trial.rng("batch", N, shape)
        return rng.normal(size=(N, *shape)), rng.integers(classes, size=N)

    def expect_scores(self, X):
        scores, right = self.trial.call((self.net, "loss"), X), self.reference.loss(X)
        try:
            return expect_close(scores, right, f"{self.call}.loss(X) with X {X.shape}", name="scores")
        except Wrong as wrong:
            if agrees(scores, np.maximum(0, right)):
                wrong.outcome.diagnosis.append(RELU_ON_SCORES.diagnosis)
            raise

    def run_loss(self, X, y):
        """The student's loss, as a number, and gradients, as a dictionary."""
        loss, grads = self.trial.call((self.net, "loss"), X, y, returns=["value", "value"])
        if isinstance(grads, Handle) or not isinstance(grads, dict):
            raise Wrong(f"{self.call}.loss(X, y) returned no dictionary of gradients")
        return expect_number(loss, f"the loss of {self.call}"), grads

    def expect_loss(self, X, y, variants=()):
        loss, _ = self.run_loss(X, y)
        call = f"{self.call}.loss(X, y) with X {X.shape}"
        try:
            return expect_close(loss, self.reference.loss(X, y)[0], call, name="loss")
        except Wrong as wrong:
            variant = self._variant(loss, X, y, variants)
            if variant:
                wrong.outcome.diagnosis.append(variant.diagnosis)
            raise

    def expect_gradients(self, X, y, names, variants=()):
        """Every gradient in `names` is that of the loss; return the worst Outcome."""
        loss, grads = self.run_loss(X, y)
        variant = self._variant(loss, X, y, variants)
        params = self.reference.params
        found = []
        for name in names:
            if name not in grads:
                raise Wrong(
                    f"{self.call}.loss(X, y): grads has no {name}; it holds {', '.join(map(str, grads)) or 'nothing'}"
                )
            call = f"{self.call}.loss(X, y) with X {X.shape}"
            bound_variant = variant and Variant(variant.name, self._loss_as(variant, X, y), variant.text)
            right = self._loss_as(None, X, y)
            try:
                found.append(expect_gradient(right, params, name, grads[name], f"d{name}", call, None, bound_variant))
            except Wrong as wrong:
                wrong.outcome.diagnosis += self._regularization_mistake(name, grads[name], X, y)
                raise
        return max(found, key=lambda outcome: outcome.max_rel_error)

    def expect_repeatable(self, X, y, names, variants=()):
        """The gradients hold in a second call, as they must in a training run, and the loss is what it was at first."""
        loss, _ = self.run_loss(X, y)
        self.call = f"called a second time, {self.call}"
        again, _ = self.run_loss(X, y)
        expect_close(again, loss, f"{self.call}.loss(X, y) on the same batch", name="loss")
        return self.expect_gradients(X, y, names, variants)

    def _loss_as(self, variant, X, y):
        """Return the loss as a function of the parameters by name: the right one, or a variant's."""

        def loss(**params):
            self.reference.params, before = params, self.reference.params
            try:
                return variant.function(self.reference, X, y) if variant else self.reference.loss(X, y)[0]
            finally:
                self.reference.params = before

        return loss

    def _regularization_mistake(self, name, gradient, X, y):
        """The Diagnosis, in a list, of a gradient that is right but for its regularization; else an empty list."""
        reg, value = self.reference.reg, self.reference.params[name]
        right = self.reference.loss(X, y)[1][name]
        data = right - reg * value if name.startswith("W") else right
        named = [diagnosis for diagnosis, term in GRADIENT_MISTAKES if agrees(gradient, data + reg * term(value), 1e-6)]
        return named[:1] if reg else []

    def _variant(self, loss, X, y, variants):
        if agrees(loss, self.reference.loss(X, y)[0], 1e-6):
            return None
        return next((v for v in variants if agrees(loss, v.function(self.reference, X, y), 1e-6)), None)


def _long_axes(value):
    return [length for length in getattr(value, "shape", ()) if length != 1]


def with_reg(net, X, y, factor):
    """The loss of the reference with its regularization term multiplied by `factor`."""
    reg = net.reg
    net.reg = factor * reg
    try:
        return net.loss(X, y)[0]
    finally:
        net.reg = reg


# What people add to a gradient where reg · W is due.
GRADIENT_MISTAKES = [
    (Diagnosis("gradient", name, text), term)
    for name, text, term in (
        ("no regularization", "The regularization term is missing from the gradient: add reg · W.", lambda v: 0 * v),
        ("sum of W", "The gradient of ½·reg·ΣW² is reg · W, entry by entry; no sum is left in it.", lambda v: v.sum()),
        ("half", "The gradient of ½·reg·ΣW² is reg · W: the ½ and the 2 of the square cancel.", lambda v: v / 2),
        ("twice", "The regularization term of the gradient is twice what is asked: add reg · W.", lambda v: 2 * v),
        ("bias regularized", "The bias is regularized too; only the weights should be.", lambda v: v),
    )
]

# A loss without the ½ has a gradient of its own, which may be right for it. A loss without any regularization has
# none to get right, so it is named but is no ground for credit. Scores that went through a ReLU have one.
NO_HALF = Variant(
    "no half",
    lambda net, X, y: with_reg(net, X, y, 2.0),
    "The regularization term is twice what is asked: the factor ½ is missing.",
)
RELU_ON_SCORES = Variant(
    "ReLU on the scores",
    lambda net, X, y: softmax_loss(np.maximum(0, net.loss(X)), y)[0] + net.loss(X, y)[0] - with_reg(net, X, y, 0.0),
    "The scores went through a ReLU; after the last affine layer there is none.",
)
NO_REG = Variant(
    "no regularization",
    lambda net, X, y: with_reg(net, X, y, 0.0),
    "The loss does not change with reg: the regularization term is missing from it.",
)
