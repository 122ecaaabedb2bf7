"""Criteria for a layer: a forward function that returns (out, cache), and the backward function that takes them."""

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, agrees, expect_array, expect_close
from autograder.checking.criteria import Checks, Outcome, Wrong, needing
from autograder.checking.large_call import LargeCall, expect_about
from autograder.checks.gradients import attribution, expect_gradient, fitting, shares, variants_of
from autograder.report.model import Diagnosis

FLOAT32 = "comes back in float32."


def state_layer(checks: Checks, layer, forward_weights=(4, 0.5), gradient_weight=2, edge_weight=0.5):
    """Register the criteria of both functions of a layer."""
    state_forward(checks, layer, *forward_weights)
    state_backward(checks, layer, gradient_weight, edge_weight)


def state_forward(checks: Checks, layer, values_weight=4, unchanged_weight=0.5):
    """Register the criteria of the forward function: its values, its edge cases, its arguments left alone."""

    @checks.criterion(layer.forward, "values", values_weight, text=f"{layer.says}, for inputs of several shapes.")
    def forward_values(trial):
        return worst([expect_forward(trial, layer, case) for case in layer.cases])

    for edge in layer.edges:

        @checks.criterion(layer.forward, edge.name, edge.weight, edge=True, text=f"The same {edge.says}.")
        def forward_edge(trial, edge=edge):
            return worst([expect_forward(trial, layer, case) for case in edge.cases])

    if layer.keeps_type:

        @checks.criterion(layer.forward, "float32", 0.25, edge=True, text=f"What comes in float32 {FLOAT32}")
        def forward_float32(trial):
            inputs = _in_float32(layer.inputs(trial, layer.cases[0]))
            out, _ = layer.run_forward(trial, inputs)
            call = f"{layer.forward} {layer.describe(inputs)}, all in float32"
            expect_close(out, layer.value(inputs), call, RTOL_FLOAT32)
            _expect_float32(call, "out", out)

    text = "The arguments are left as they were."

    @checks.criterion(layer.forward, "arguments unchanged", unchanged_weight, edge=True, text=text)
    def forward_unchanged(trial):
        inputs = layer.inputs(trial, layer.cases[0])
        (out, _), after = trial.call(
            f"{layer.module}:{layer.forward}", *inputs.values(), returns=["value", "handle"], echo=True
        )
        right = layer.value(inputs)
        if not agrees(out, right) and not fitting(variants_of(layer.forward, 0), inputs, out, right):
            # Doing nothing at all changes nothing either.
            raise Wrong(f"{layer.forward}: out is not right, so there is nothing to judge here")
        expect_unchanged(inputs, dict(zip(inputs, after)), layer.forward, layer.may_change)


def state_backward(checks: Checks, layer, gradient_weight=2, edge_weight=0.5):
    """Register the criteria of the backward function: each gradient, their shapes, edge cases, what is left alone."""
    for position, (wrt, name) in enumerate(layer.gradients.items()):
        text = f"{name} is the gradient with respect to {wrt}, for inputs of several shapes."

        @checks.criterion(layer.backward, name, gradient_weight, text=text)
        def gradient(trial, wrt=wrt, position=position):
            return worst([_gradients(trial, layer, case, [position]) for case in layer.cases])

    if len(layer.gradients) > 1:
        names = " and ".join(list(layer.gradients.values())[1:])
        text = f"{names} have the shape of the parameter they belong to: a row (1, M) is no vector (M,)."

        @checks.criterion(layer.backward, "shapes", edge_weight, text=text)
        def shapes(trial):
            inputs, dout, out, cache = _before_backward(trial, layer, layer.cases[0])
            grads, _ = layer.run_backward(trial, dout, cache)
            _expect_some_gradient(trial, layer, layer.cases[0], inputs, grads, dout, out)
            for (wrt, name), gradient in zip(layer.gradients.items(), grads):
                expect_array(gradient, inputs[wrt].shape, f"{layer.backward} {layer.describe(inputs)}: {name}")

    for edge in layer.edges:

        @checks.criterion(layer.backward, edge.name, edge.weight, edge=True, text=f"All gradients hold {edge.says}.")
        def backward_edge(trial, edge=edge):
            return worst([_gradients(trial, layer, case, range(len(layer.gradients))) for case in edge.cases])

    @checks.criterion(layer.backward, "own cache", edge_weight, edge=True)
    def own_cache(trial):
        """Every forward pass has a cache of its own: in a net many of them run before the first backward pass."""
        case = layer.cases[0]
        inputs, dout, out, cache = _before_backward(trial, layer, case)
        right_away, _ = layer.run_backward(trial, dout, cache)
        _expect_some_gradient(trial, layer, case, inputs, right_away, dout, out)
        _, _, _, cache = _before_backward(trial, layer, case)
        layer.run_forward(trial, layer.inputs(trial, case, "another"))
        later, _ = layer.run_backward(trial, dout, cache)
        _expect_same(layer, inputs, right_away, later)

    if layer.keeps_type:
        # Of dx alone, which is as large as the batch: what a sum over the batch is added up in is nobody's loss.
        @checks.criterion(
            layer.backward, "float32", 0.25, edge=True, text=f"The gradient of what comes in float32 {FLOAT32}"
        )
        def backward_float32(trial):
            inputs = _in_float32(layer.inputs(trial, layer.cases[0]))
            inputs, dout, out, cache = _before_backward(trial, layer, layer.cases[0], inputs)
            grads, _ = layer.run_backward(trial, dout.astype(np.float32), cache)
            _expect_some_gradient(trial, layer, layer.cases[0], inputs, grads, dout, out)
            call = f"{layer.backward} {layer.describe(inputs)}, all in float32"
            _expect_float32(call, "dx", grads[0])

    @checks.large_call(layer.backward)
    def large(trial):
        return _large_call(trial, layer)

    parameters = list(layer.gradients)[1:]
    others = f", and so {'are' if len(parameters) > 1 else 'is'} {' and '.join(parameters)}" if parameters else ""
    text = f"dout is left as it was{others}: others may still need it."

    @checks.criterion(layer.backward, "dout unchanged", edge_weight, edge=True, text=text)
    def backward_unchanged(trial):
        # The parameters stay in the worker, where a cache may hold the very arrays that the forward pass was given.
        inputs = layer.inputs(trial, layer.cases[0])
        there = {name: trial.call("numpy:array", inputs[name], returns="handle") for name in parameters}
        inputs, dout, out, cache = _before_backward(trial, layer, layer.cases[0], there)
        before = {name: trial.call("numpy:array", handle) for name, handle in there.items()}
        grads, after = layer.run_backward(trial, dout, cache)
        _expect_some_gradient(trial, layer, layer.cases[0], inputs, grads, dout, out)
        expect_unchanged({"dout": dout}, {"dout": after[0]}, layer.backward)
        for name, handle in there.items():
            if not np.array_equal(trial.call("numpy:array", handle), before[name]):
                raise Wrong(
                    f"{layer.backward} changed {name} in place: the cache holds the very array of the net. "
                    "Work on a copy, or write the result into a new array."
                )


def expect_forward(trial, layer, case):
    """Return an Outcome where the student's forward function is right in this case; else raise Wrong."""
    inputs = layer.inputs(trial, case)
    call = f"{layer.forward} {layer.describe(inputs)}"
    out, _ = layer.run_forward(trial, inputs)
    return expect_close(out, layer.value(inputs), call)


def _variant_of(trial, layer, case, inputs, out):
    """Return the wrong Variant that the student's forward function computes, or None.

    Beside inputs of an edge case, such as a single example, several mistakes may look alike, so a name has to fit an
    ordinary case too, where that is wrong at all.
    """
    right = layer.value(inputs)
    if agrees(out, right):
        return None
    found = fitting(variants_of(layer.forward, 0), inputs, out, right)
    if found and case not in layer.cases:
        usual = layer.inputs(trial, layer.cases[0])
        out, _ = layer.run_forward(trial, usual)
        if agrees(out, layer.value(usual)):
            return found[0] if layer.lenient else None
        found = fitting(found, usual, out, layer.value(usual))
    return found[0] if found else None


def _before_backward(trial, layer, case, there=None):
    """Run the forward function on inputs of this case, of which those in `there` are handles of the worker's."""
    inputs = layer.inputs(trial, case)
    with needing(layer.backward, layer.forward):
        out, cache = layer.run_forward(trial, inputs | (there or {}))
    dout = trial.rng(layer.backward, sorted(case.items())).normal(size=layer.value(inputs).shape)
    return inputs, dout, out, cache


def _large_call(trial, layer):
    """Return the LargeCall of a layer's backward function."""
    inputs = layer.inputs(trial, layer.large)
    dout = trial.rng(layer.backward, "large").normal(size=layer.value(inputs).shape)
    says = f"{layer.backward} {layer.describe(inputs)}"

    def derive():
        return layer.derive(inputs, dout)

    def ask(trial, proved):
        _, cache = layer.run_forward(trial, inputs)
        grads = trial.call(f"{layer.module}:{layer.backward}", dout, cache, returns=layer.returns)
        grads = grads if len(layer.gradients) > 1 else (grads,)
        for name, gradient, right in zip(layer.gradients.values(), grads, derive()):
            if name in proved:
                expect_about(gradient, right, f"{says}: {name}")

    entries = sum(inputs[wrt].size for wrt in layer.gradients)
    return LargeCall(says, entries, lambda: layer.value(inputs), derive, ask)


def _gradients(trial, layer, case, wanted):
    """Return the Outcome of the gradients at these positions; raise Wrong at the first that is not right."""
    inputs, dout, out, cache = _before_backward(trial, layer, case)
    grads, _ = layer.run_backward(trial, dout, cache)
    return worst([_expect_gradient(trial, layer, case, inputs, position, grads, dout, out) for position in wanted])


def _expect_gradient(trial, layer, case, inputs, position, grads, dout, out):
    # No gradient fits an out of another shape than that of dout.
    fits = getattr(out, "shape", ()) == dout.shape
    variant = _variant_of(trial, layer, case, inputs, out) if fits else None
    call = f"{layer.backward} {layer.describe(inputs)}"
    wrt, name = list(layer.gradients.items())[position]

    def explain(gradient, name):
        if layer.terms:
            yield from attribution(gradient, name, layer.terms(dout, **inputs).get(wrt, {}), {"N": len(inputs["x"])})
        if position and len(dout) > 1:
            yield from shares(gradient, name, layer.parts(inputs, dout, position))

    def expect(gradient, variant):
        if position:
            gradient = laid(gradient, inputs[wrt].shape)  # that of a parameter; its shape is a criterion of its own
        return expect_gradient(layer.function, inputs, wrt, gradient, name, call, dout, variant, explain)

    try:
        return expect(grads[position], variant)
    except Wrong as wrong:
        if any(_holds(expect, other) for place, other in enumerate(grads) if place != position):
            text = f"The gradients come back in another order: return {', '.join(layer.gradients.values())}."
            wrong.outcome.diagnosis.append(Diagnosis("gradient", "returned in another order", text))
        raise


def _holds(expect, gradient):
    try:
        expect(gradient, None)
    except Wrong:
        return False
    return True


def _expect_some_gradient(trial, layer, case, inputs, grads, dout, out):
    """Raise Wrong unless at least one gradient is right: doing nothing at all changes nothing either."""
    failures = []
    for position in range(len(layer.gradients)):
        try:
            return _expect_gradient(trial, layer, case, inputs, position, grads, dout, out)
        except Wrong as wrong:
            failures.append(wrong)
    nothing = all(wrong.verdict == "missing" for wrong in failures)
    text = f"{layer.backward}: no gradient is right, so there is nothing to judge here"
    raise Wrong(text, "missing" if nothing else "failed") from failures[-1]


def _in_float32(inputs):
    arrays = {name: value.astype(np.float32) for name, value in inputs.items() if isinstance(value, np.ndarray)}
    return inputs | arrays


def _expect_float32(call, name, array):
    if array.dtype == np.float64:
        raise Wrong(
            f"{call}: {name} is in float64, which takes twice the memory and time. Something that it is made from is, "
            "such as np.zeros(shape) or a mask turned into int: give it the type of what comes in (dtype=x.dtype)."
        )


def _expect_same(layer, inputs, right_away, later):
    """Raise Wrong where a gradient is another one once a second forward pass has run."""
    for name, one, other in zip(layer.gradients.values(), right_away, later):
        if agrees(one, one) and not agrees(other, one):  # what is nan does not even agree with itself
            raise Wrong(
                f"{layer.backward} {layer.describe(inputs)}: {name} is another one where {layer.forward} has run on "
                "other inputs in between. Keep what the backward pass needs in the cache that you return, not in a "
                "global variable: a net runs all its forward passes first."
            )


def expect_unchanged(before, after, function, may_change=()):
    """Raise Wrong where an array of `before`, or an entry of a dictionary, is another one in `after`, both by name."""
    for name, value in before.items():
        if isinstance(value, dict):
            left = after[name] if isinstance(after[name], dict) else value  # keys that are no names cannot travel
            for key, item in value.items():
                if key not in may_change and not (key in left and np.array_equal(item, left[key])):
                    raise Wrong(
                        f"{function} changed {name}[{key!r}], a setting of whoever called it, who may use the same "
                        f"dictionary for other layers: read {name}, and keep what you compute in variables."
                    )
        elif isinstance(value, np.ndarray) and not np.array_equal(value, after[name]):
            raise Wrong(
                f"{function} changed its argument {name} in place. Whoever called it still needs {name}: "
                "work on a copy, or write the result into a new array."
            )


def laid(value, shape):
    """Return an array in this shape where only axes of length 1 differ; anything else as it is."""
    if isinstance(value, np.ndarray) and [n for n in value.shape if n != 1] == [n for n in shape if n != 1]:
        return value.reshape(shape)
    return value


def worst(outcomes):
    """Return the outcome with the largest error, with the diagnoses of all."""
    result = max(outcomes, key=lambda outcome: outcome.max_rel_error or 0.0, default=Outcome())
    for outcome in outcomes:
        result.diagnosis += [found for found in outcome.diagnosis if found not in result.diagnosis]
    return result
