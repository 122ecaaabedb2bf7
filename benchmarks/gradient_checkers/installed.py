"""Checkers of installed libraries, each given a NumPy pair of functions through that library's own door.

An adapter returns whether the checker accepts a case. What a checker raises counts as a rejection.
"""

import numpy as np


def torch_slow(case):
    """torch.autograd.gradcheck, with all of its defaults."""
    return _torch(case, fast_mode=False)


def torch_fast(case):
    """torch.autograd.gradcheck(fast_mode=True)."""
    return _torch(case, fast_mode=True)


def _torch(case, fast_mode):
    import torch

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            out, ctx.kept = case.forward(*(value.detach().numpy() for value in inputs))
            return torch.as_tensor(np.asarray(out)).to(torch.float64)

        @staticmethod
        def backward(ctx, dout):
            gradients = case.backward(dout.numpy(), ctx.kept)
            return tuple(torch.as_tensor(np.asarray(gradient)) for gradient in gradients)

    inputs = [torch.tensor(value, requires_grad=True) for value in case.inputs.values()]
    return torch.autograd.gradcheck(Pair.apply, inputs, fast_mode=fast_mode, raise_exception=True)


def jax_check(case):
    """jax.test_util.check_grads in reverse mode, order 1, in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads

    shapes = tuple(jax.ShapeDtypeStruct(value.shape, np.float64) for value in case.inputs.values())
    shape = jax.ShapeDtypeStruct(np.shape(case.value(*case.fresh())), np.float64)

    def forward(*inputs):
        return np.asarray(case.value(*(np.array(value) for value in inputs)), dtype=np.float64)

    def backward(dout, *inputs):
        gradients = case.gradients(np.array(dout), [np.array(value) for value in inputs])
        return tuple(np.asarray(gradient, dtype=np.float64) for gradient in gradients)

    @jax.custom_vjp
    def pair(*inputs):
        return jax.pure_callback(forward, shape, *inputs)

    pair.defvjp(
        lambda *inputs: (pair(*inputs), inputs),
        lambda inputs, dout: jax.pure_callback(backward, shapes, dout, *inputs),
    )
    check_grads(pair, case.fresh(), order=1, modes=["rev"])
    return True


def autograd_check(case):
    """autograd.test_util.check_grads in reverse mode, order 1."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    kept = {}

    @primitive
    def pair(*inputs):
        out, kept["cache"] = case.forward(*inputs)
        return np.asarray(out, dtype=np.float64) if np.ndim(out) else float(out)

    def vjp(position):
        def build(out, *inputs):
            cache = kept["cache"]
            return lambda dout: case.backward(dout, cache)[position]

        return build

    defvjp(pair, *map(vjp, range(len(case.inputs))))
    np.random.seed(231)
    everything = tuple(range(len(case.inputs)))
    check_grads(pair, everything, modes=["rev"], order=1)(*case.fresh())
    return True


def scipy_check(case):
    """scipy.optimize.check_grad of sum(out * dout), dout at random; its number has to be below 1e-5."""
    from scipy.optimize import check_grad

    shapes = [value.shape for value in case.inputs.values()]
    ends = np.cumsum([value.size for value in case.inputs.values()])[:-1]
    shape = np.shape(case.value(*case.fresh()))
    dout = np.asarray(np.random.default_rng(231).normal(size=shape))

    def arrays(flat):
        return [part.reshape(shape).copy() for part, shape in zip(np.split(flat, ends), shapes, strict=True)]

    def value(flat):
        return float(np.sum(case.value(*arrays(flat)) * dout))

    def gradient(flat):
        return np.concatenate([np.ravel(gradient) for gradient in case.gradients(dout.copy(), arrays(flat))])

    return check_grad(value, gradient, np.concatenate([np.ravel(value) for value in case.inputs.values()])) < 1e-5


INSTALLED = {
    "PyTorch gradcheck": ("torch", torch_slow),
    "PyTorch gradcheck, fast": ("torch", torch_fast),
    "JAX check_grads": ("jax", jax_check),
    "autograd check_grads": ("autograd", autograd_check),
    "SciPy check_grad": ("scipy", scipy_check),
}
