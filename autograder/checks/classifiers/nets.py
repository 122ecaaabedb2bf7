"""A student's net beside the reference's, with the same parameters."""

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_array, expect_close, expect_number
from autograder.checking.criteria import Checks, Outcome, Wrong
from autograder.checking.large_call import LargeCall, expect_about
from autograder.checking.numeric_gradient import PureFunction
from autograder.checks.catalogue import misconception
from autograder.checks.classifiers.net_losses import plain_loss
from autograder.checks.classifiers.regularization import uneven_regularization
from autograder.checks.gradients import Variant, attribution, expect_gradient
from autograder.runtime.memo import make_key
from autograder.sandbox.worker.values import Handle
from autograder.sandbox.worker_client import CallError

RTOL_OF_NETS = 2e-5  # a layer inside may compute in float32, which the type of what comes out does not show

# What later editions of the course call an argument of a net, and what its value becomes.
RENAMED = {
    "use_batchnorm": ("normalization", lambda used: "batchnorm" if used else None),
    "dropout": ("dropout_keep_ratio", lambda p: p or 1),
}


class NetTrial:
    """One configuration of a net: the student's (a handle) and the reference's, given the same random parameters.

    - trial: criteria.Trial
    - target: the student's class, as in "cs231n.classifiers.fc_net:TwoLayerNet"
    - reference: the right class; its loss may be replaced in `right_loss`, a function of net, X and y, which
      is no closure: its slopes are kept under its identity (see memo.make_key)
    - options: keyword arguments of both constructors
    """

    def __init__(self, trial, target, reference, **options):
        self.trial, self.name, self.options = trial, target.rpartition(":")[2], options
        self.reference = reference(**options)
        self.right_loss = plain_loss
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
            except CallError as error:
                refused = [name for name in RENAMED if f"unexpected keyword argument '{name}'" in str(error)]
                if not refused or refused[0] not in options:
                    raise
                name, value = RENAMED[refused[0]]
                options[name] = value(options.pop(refused[0]))

    def known(self, mistake):
        """The Diagnosis of the catalogue's entry of this name on this net."""
        return misconception(self.name, mistake)

    def parameters(self):
        """The student's parameters by name; Wrong where a name is missing."""
        params = self.trial.worker.get(self.net, "params")
        if not isinstance(params, dict):
            raise Wrong(f"{self.call}: params is no dictionary")
        if not params:
            raise Wrong(f"{self.call}: params is empty. Is the constructor written yet?", "missing")
        missing = [name for name in self.reference.params if name not in params]
        if missing:
            held = ", ".join(map(str, params)) or "nothing"
            outcome = Outcome(f"{self.call}: params has no {', '.join(missing)}; it holds {held}")
            if all(name.startswith(("gamma", "beta")) for name in missing):
                outcome.diagnosis.append(self.known("net_no_batchnorm"))
            raise Wrong(outcome)
        return params

    def expect_parameters(self):
        """The student's initial parameters by name; Wrong where a name is missing or a shape is another."""
        params = self.parameters()
        found = {}
        for name, right in self.reference.params.items():
            try:
                array = expect_array(params[name], right.shape, f"{self.call}: params['{name}']")
            except Wrong as wrong:
                mistake = _about_shape(name, params[name], right)
                wrong.outcome.diagnosis += [self.known(mistake)] if mistake else []
                raise
            found[name] = array.astype(np.float64)
        return found

    def share_parameters(self):
        """Give both nets the same random parameters, large enough for every path to matter."""
        rng = self.trial.rng("parameters", sorted(self.reference.params))
        params = {
            name: rng.normal(size=value.shape) * _scale_of(value) for name, value in self.reference.params.items()
        }
        self.reference.params = params
        # One of another shape costs the criterion on shapes; with a right one in its place the rest can be judged.
        self.parameters()
        self.trial.call((self.net, "params", "update"), params)
        return params

    def batch(self, N, shape, classes):
        """A random batch: X (N, *shape) and the right classes y."""
        rng = self.trial.rng("batch", N, shape)
        return rng.normal(size=(N, *shape)), rng.integers(classes, size=N)

    def expect_scores(self, X):
        scores = self.trial.call((self.net, "loss"), X)
        call = f"{self.call}.loss(X) with X {X.shape}"
        return expect_close(scores, self.reference.loss(X), call, RTOL_OF_NETS, "scores")

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
            return expect_close(loss, self.right_loss(self.reference, X, y), call, RTOL_OF_NETS, "loss")
        except Wrong as wrong:
            variant = self._variant(loss, X, y, variants)
            named = [variant.diagnosis] if variant else uneven_regularization(self.reference, loss, X, y)
            wrong.outcome.diagnosis += named
            raise

    def expect_gradients(self, X, y, names, variants=()):
        """Every gradient in `names` is that of the loss; return the worst Outcome."""
        loss, grads = self.run_loss(X, y)
        variant = self._variant(loss, X, y, variants)
        found = []
        for name in names:
            if name not in grads:
                raise Wrong(
                    f"{self.call}.loss(X, y): grads has no {name}; it holds {', '.join(map(str, grads)) or 'nothing'}"
                )
            found.append(self._expect_gradient(name, grads[name], X, y, variant))
        return max(found, key=lambda outcome: outcome.max_rel_error)

    def _expect_gradient(self, name, gradient, X, y, variant):
        right, explain = self._loss_as(None, X, y), self._explain(name, X, y)
        other = variant and Variant(self._loss_as(variant, X, y), variant.diagnosis)
        call = f"{self.call}.loss(X, y) with X {X.shape}"

        def expect(claimed):
            return expect_gradient(right, self.reference.params, name, claimed, f"d{name}", call, None, other, explain)

        try:
            return expect(gradient)
        except Wrong as wrong:
            # A layer inside may compute in float32, which the type of the gradient does not show.
            if (wrong.outcome.max_rel_error or 1) > RTOL_FLOAT32:
                raise
            return expect(np.float32(gradient))

    def expect_repeatable(self, X, y, names, variants=()):
        """A later call gives what the first one gave, some of which is right, and every parameter has a gradient."""
        loss, grads = self.run_loss(X, y)
        self._expect_some_gradient(X, y, names, variants)  # the second call
        self.call = f"called a third time, {self.call}"
        held = self.parameters()
        again, later = self.run_loss(X, y)
        call = f"{self.call}.loss(X, y) on the same batch"
        lacking = sorted(set(held) - set(later))
        if lacking:
            raise Wrong(f"{call}: params has {', '.join(lacking)} and grads has not; training looks for both")
        expect_close(again, loss, call, RTOL_OF_NETS, "loss")
        for name in names:
            if isinstance(grads.get(name), np.ndarray):
                expect_close(later[name], grads[name], call, RTOL_FLOAT32, f"d{name}")

    def _expect_some_gradient(self, X, y, names, variants):
        """Raise Wrong unless at least one gradient is right: nothing at all is the same every time."""
        failures = []
        for name in names:
            try:
                return self.expect_gradients(X, y, [name], variants)
            except Wrong as wrong:
                failures.append(wrong)
        raise Wrong(f"{self.call}: no gradient is right, so there is nothing to judge here") from failures[-1]

    def _loss_as(self, variant, X, y):
        """Return the loss as a function of the parameters by name: the right one, or a variant's."""

        def loss(**params):
            self.reference.params, before = params, self.reference.params
            try:
                return variant.function(self.reference, X, y) if variant else self.right_loss(self.reference, X, y)
            finally:
                self.reference.params = before

        computed = variant.function if variant else self.right_loss
        state = {name: value for name, value in vars(self.reference).items() if name != "params"}
        return PureFunction(loss, make_key((type(self.reference), state, computed, X, y)))

    def _explain(self, parameter, X, y):
        """Return what says of which parts, the data's and the regularization's, a gradient is the sum."""

        def explain(gradient, name):
            loss, grads = self.reference.loss(X, y)
            if not agrees(loss, self.right_loss(self.reference, X, y), 1e-6):
                return []  # masks are dropped that the reference does not know
            regularized = self.reference.reg if parameter.startswith("W") else 0
            pull = regularized * self.reference.params[parameter]
            terms = {"the data's part": grads[parameter] - pull, "the regularization, reg · W": pull}
            return attribution(gradient, name, terms, {"N": len(X)})

        return explain

    def _variant(self, loss, X, y, variants):
        if agrees(loss, self.right_loss(self.reference, X, y), 1e-6):
            return None
        return next((v for v in variants if agrees(loss, v.function(self.reference, X, y), 1e-6)), None)


def state_large_loss(checks: Checks, target, reference, N, shape, spared, **options):
    """Register the call that tells derived gradients: one loss of a net with some 400,000 parameters.

    - N, shape: of its batch
    - spared: names of the criteria that no gradient is needed for

    The other arguments are NetTrial's.
    """

    @checks.large_call(reference.__name__)
    def large(trial):
        net, rng = reference(**options), trial.rng("large", shape)
        X, y = rng.normal(size=(N, *shape)), rng.integers(options["num_classes"], size=N)

        def ask(trial, proved):
            net = NetTrial(trial, target, reference, **options)
            net.share_parameters()
            _, grads = net.run_loss(X, y)
            for name, right in net.reference.loss(X, y)[1].items():
                kind = "weight gradients" if name.startswith("W") else "bias gradients"
                if proved & {f"d{name}", kind, "regularized gradients"}:  # the criteria that this one belongs to
                    expect_about(grads.get(name), right, f"{net.call}.loss(X, y): d{name}")

        shown = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items())
        says = f"{reference.__name__}({shown}).loss(X, y) with X {X.shape}"
        entries = sum(value.size for value in net.params.values())
        return LargeCall(says, entries, lambda: net.loss(X), lambda: net.loss(X, y), ask, spared)


def _about_shape(name, value, right):
    """The catalogue's name of what is wrong with a parameter's shape, or None."""
    shape = getattr(value, "shape", ())
    if right.ndim == 2 and shape == right.shape[::-1]:
        return "net_parameters_transposed"
    mistake = "net_bias_rows" if name.startswith("b") and not name.startswith("beta") else "net_norm_rows"
    return mistake if shape == (1, right.size) else None


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
            normalizes = name.startswith(("gamma", "beta"))
            mistake = "net_init_gamma_beta" if normalizes else "net_init_biases"
            raise Wrong(Outcome(f"{net.call}: {name} does not start at {start}", diagnosis=[net.known(mistake)]))
        if name.startswith("W"):
            spread, mean = float(value.std()), float(value.mean())
            # Ten standard errors: a right draw does not come here in a lifetime.
            slack = 10 / np.sqrt(value.size)
            if abs(spread / scale - 1) > slack or abs(mean) > slack * scale:
                message = (
                    f"{net.call}: the initial {name} has mean {mean:.3g} and standard deviation {spread:.3g}; "
                    f"expected about 0 and weight_scale, {scale:g}"
                )
                wider = make(weight_scale=2 * scale).expect_parameters()[name]
                mistake = _about_draw(value, wider, scale)
                raise Wrong(Outcome(message, diagnosis=[net.known(mistake)] if mistake else []))


def _about_draw(value, wider, scale):
    """The catalogue's name of how weights are drawn otherwise than asked, or None.

    - value, wider: the weights for weight_scale `scale`, and for twice that
    """
    if np.ptp(value) == 0:
        return "net_init_alike"
    growth = wider.std() / value.std()
    if np.isclose(growth, 2, rtol=0.1):
        return "net_init_uniform" if np.max(np.abs(value)) <= scale else None
    mistakes = {1: "net_init_scale_ignored", 4: "net_init_scale_squared", 2**0.5: "net_init_variance"}
    return next((mistake for power, mistake in mistakes.items() if np.isclose(growth, power, rtol=0.1)), None)
