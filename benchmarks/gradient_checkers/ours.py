"""What this kit does with a pair of functions: measured slopes, and the rules of conduct of its criteria."""

import numpy as np

from autograder.checking.compare import agrees, expect_array
from autograder.checking.criteria import Wrong
from autograder.checks.gradients import expect_gradient
from autograder.checks.layers.arguments import expect_unchanged


def accepts(case):
    """Return whether the kit finds nothing wrong with a case."""
    try:
        _judge(case)
    except Wrong:
        return False
    return True


def _judge(case):
    arrays = case.fresh()
    out, cache = case.forward(*arrays)
    expect_unchanged(case.inputs, dict(zip(case.inputs, arrays)), "forward")
    dout = np.asarray(np.random.default_rng(231).normal(size=np.shape(out)))
    passed_on = dout.copy()
    gradients = case.backward(passed_on, cache)
    expect_unchanged({"dout": dout}, {"dout": passed_on}, "backward")
    for (name, value), gradient in zip(case.inputs.items(), gradients, strict=True):
        expect_array(gradient, value.shape, f"d{name}")
        expect_gradient(_by_name(case), case.inputs, name, gradient, f"d{name}", "backward", dout)
    _expect_own_cache(case, dout, gradients)


def _by_name(case):
    return lambda **inputs: case.value(*(inputs[name] for name in case.inputs))


def _expect_own_cache(case, dout, gradients):
    """Raise Wrong where another forward pass in between changes the gradients."""
    _, cache = case.forward(*case.fresh())
    case.forward(*(-value for value in case.inputs.values()))
    later = case.backward(dout.copy(), cache)
    if not all(agrees(one, other) for one, other in zip(gradients, later, strict=True)):
        raise Wrong("a gradient is another one once the forward pass has run on other inputs")
