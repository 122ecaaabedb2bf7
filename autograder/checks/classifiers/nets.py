"""A student's net beside the reference's, with the same parameters."""

import numpy as np

from autograder.checks.classifiers.regularization import (
    GRADIENT_MISTAKES,
    RELU_ON_SCORES,
    uneven_regularization,
)
from autograder.checks.gradients import Variant, expect_gradient
from autograder.compare import agrees, expect_array, expect_close, expect_number
from autograder.criteria import Outcome, Wrong
from autograder.student import StudentError
from autograder.worker.values import Handle
from cs231n.layers import affine_forward, softmax_loss

NOT_NORMALIZED = Variant(
    "no batch norm",
    lambda net, X, y: loss_of(net, forward(net, X), y),
    "Batch normalization is asked for but not wired in: every hidden layer needs gamma and beta, and the use of them.",
)

# What later editions of the course call an argument of a net, and what its value becomes.
RENAMED = {
    "use_batchnorm": ("normalization", lambda used: "batchnorm" if used else None),
    "dropout": ("dropout_keep_ratio", lambda p: p or 1),
}


def forward(net, X, normalize=None, masks=()):
    """The scores of a fully connected net, with what is normalized and dropped in the caller's hands.

    - net: the reference FullyConnectedNet, for its parameters
    - normalize: (a, gamma, beta, layer from 0) -> a, or None
    - masks: what each hidden layer's output is multiplied with
    """
    params, hidden = net.params, X
    for layer in range(1, net.num_layers):
        a, _ = affine_forward(hidden, params[f"W{layer}"], params[f"b{layer}"])
        if normalize:
            a = normalize(a, params[f"gamma{layer}"], params[f"beta{layer}"], layer - 1)
        hidden = np.maximum(0, a) * (masks[layer - 1] if len(masks) else 1)
    return affine_forward(hidden, params[f"W{net.num_layers}"], params[f"b{net.num_layers}"])[0]


def loss_of(net, scores, y):
    """The loss that belongs to a net's scores, with its regularization."""
    weights = [value for name, value in net.params.items() if name.startswith("W")]
    return softmax_loss(scores, y)[0] + 0.5 * net.reg * sum(np.sum(W**2) for W in weights)


class NetTrial:
    """One configuration of a net: the student's (a handle) and the reference's, given the same random parameters.

    - trial: criteria.Trial
    - target: the student's class, as in "cs231n.classifiers.fc_net:TwoLayerNet"
    - reference: the right class; its loss may be replaced in `right_loss`, a function of net, X and y
    - options: keyword arguments of both constructors
    """

    def __init__(self, trial, target, reference, **options):
        self.trial, self.name, self.options = trial, target.rpartition(":")[2], options
        self.reference = reference(**options)
        # From the scores, because measuring a slope has no use for the gradients that loss(X, y) computes besides.
        self.right_loss = lambda net, X, y: loss_of(net, net.loss(X), y)
        self._target = target
        self.net = self.make()

    def make(self, **more):
        """Make the student's net with these options besides, in the edition of the course that its code belongs to."""
        options = self.options | more
        shown = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items())
        self.call = f"{self.name}({shown})"
        if self.trial.options.get("dropout") == "drop" and options.get("dropout"):
            options["dropout"] = 1 - options["dropout"]
        while True:
            try:
                return self.trial.call(self._target, returns="handle", **options)
            except StudentError as error:
                refused = [name for name in RENAMED if f"unexpected keyword argument '{name}'" in str(error)]
                if not refused or refused[0] not in options:
                    raise
                name, value = RENAMED[refused[0]]
                options[name] = value(options.pop(refused[0]))

    def parameters(self):
        """The student's parameters by name; Wrong where a name is missing."""
        params = self.trial.student.get(self.net, "params")
        if not isinstance(params, dict):
            raise Wrong(f"{self.call}: params is no dictionary")
        missing = [name for name in self.reference.params if name not in params]
        if missing:
            held = ", ".join(map(str, params)) or "nothing"
            outcome = Outcome(f"{self.call}: params has no {', '.join(missing)}; it holds {held}")
            if all(name.startswith(("gamma", "beta")) for name in missing):
                outcome.diagnosis.append(NOT_NORMALIZED.diagnosis)
            raise Wrong(outcome)
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
        params = {
            name: rng.normal(size=value.shape) * _scale_of(value) for name, value in self.reference.params.items()
        }
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
            return expect_close(loss, self.right_loss(self.reference, X, y), call, name="loss")
        except Wrong as wrong:
            variant = self._variant(loss, X, y, variants)
            named = [variant.diagnosis] if variant else uneven_regularization(self.reference, loss, X, y)
            wrong.outcome.diagnosis += named
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
                return variant.function(self.reference, X, y) if variant else self.right_loss(self.reference, X, y)
            finally:
                self.reference.params = before

        return loss

    def _regularization_mistake(self, name, gradient, X, y):
        """The Diagnosis, in a list, of a gradient that is right but for its regularization; else an empty list."""
        reg, value = self.reference.reg, self.reference.params[name]
        if not reg:
            return []
        right = self.reference.loss(X, y)[1][name]
        data = right - reg * value if name.startswith("W") else right
        named = [diagnosis for diagnosis, term in GRADIENT_MISTAKES if agrees(gradient, data + reg * term(value), 1e-6)]
        return named[:1]

    def _variant(self, loss, X, y, variants):
        if agrees(loss, self.right_loss(self.reference, X, y), 1e-6):
            return None
        return next((v for v in variants if agrees(loss, v.function(self.reference, X, y), 1e-6)), None)


def _long_axes(value):
    return [length for length in getattr(value, "shape", ()) if length != 1]


def _scale_of(parameter):
    """A spread that keeps the numbers of every layer around 1, so that no part of the net drowns another."""
    if parameter.ndim == 1:
        return 0.7
    fan_in = parameter[0].size if parameter.ndim == 4 else parameter.shape[0]
    return 1.8 / np.sqrt(fan_in)


def expect_initial_parameters(trial, make):
    """Names, shapes, spread of the weights, biases and beta of 0, gamma of 1.

    - make: keyword arguments of a constructor -> NetTrial
    """
    trial.call("numpy.random:seed", trial.seed % 2**32)
    scale = 0.3
    net = make(weight_scale=scale)
    for name, value in net.expect_parameters().items():
        start = {"b": 0, "g": 1}.get(name[0])
        if start is not None and np.any(value != start):
            raise Wrong(f"{net.call}: {name} does not start at {start}")
        if name.startswith("W"):
            spread, mean = float(value.std()), float(value.mean())
            # Ten standard errors: a right draw does not come here in a lifetime.
            slack = 10 / np.sqrt(value.size)
            if abs(spread / scale - 1) > slack or abs(mean) > slack * scale:
                raise Wrong(
                    f"{net.call}: the initial {name} has mean {mean:.3g} and standard deviation {spread:.3g}; "
                    f"expected about 0 and weight_scale, {scale:g}"
                )
