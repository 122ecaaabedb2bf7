"""The rules of thumb that course kits check gradients with: a fixed step, a guessed bound."""

import numpy as np


def _dout(case, ones):
    shape = np.shape(case.value(*case.fresh()))
    return np.ones(shape) if ones else np.asarray(np.random.default_rng(231).normal(size=shape))


def _central(case, position, index, dout, h):
    """Return the central difference at one entry of one input."""
    values = []
    for step in (h, -h):
        arrays = case.fresh()
        arrays[position][index] += step
        values.append(float(np.sum(case.value(*arrays) * dout)))
    return (values[0] - values[1]) / (2 * h)


def _compared(case, h, ones=False, entries=None):
    """Yield (claimed, numeric) for each input: at every entry, or at a number of random ones."""
    dout = _dout(case, ones)
    rng = np.random.default_rng(7)
    for position, claimed in enumerate(case.gradients(dout.copy())):
        shape = case.fresh()[position].shape
        indices = list(np.ndindex(*shape))
        if entries:
            indices = [indices[i] for i in rng.integers(len(indices), size=entries)]
            claimed = np.reshape(claimed, shape)
            yield (
                np.array([claimed[index] for index in indices]),
                np.array([_central(case, position, index, dout, h) for index in indices]),
            )
        else:
            yield claimed, np.reshape([_central(case, position, index, dout, h) for index in indices], shape)


def relative_error(case):
    """The largest |a - n| / max(1e-8, |a| + |n|) over all entries is below 1e-6; h = 1e-5, dout at random."""
    return all(np.max(np.abs(a - n) / np.maximum(1e-8, np.abs(a) + np.abs(n))) < 1e-6 for a, n in _compared(case, 1e-5))


def ten_entries(case):
    """The same error at ten random entries."""
    return all(
        np.max(np.abs(a - n) / np.maximum(1e-8, np.abs(a) + np.abs(n))) < 1e-6
        for a, n in _compared(case, 1e-5, entries=10)
    )


def ratio_of_norms(case):
    """||a - n|| / (||a|| + ||n||) is below 1e-7; h = 1e-5, dout of ones."""
    norm = np.linalg.norm
    return all(
        norm(np.ravel(a - n)) < 1e-7 * (norm(np.ravel(a)) + norm(np.ravel(n))) for a, n in _compared(case, 1e-5, True)
    )


def allclose(case):
    """np.allclose(a, n, rtol=1e-5, atol=1e-8); h = 1e-4, dout at random."""
    return all(np.allclose(a, n, rtol=1e-5, atol=1e-8) for a, n in _compared(case, 1e-4))


def minitorch(case):
    """A central difference of epsilon 1e-6 at one random index, within 1e-2; dout of ones."""
    return all(np.allclose(a, n, rtol=1e-2, atol=1e-2) for a, n in _compared(case, 1e-6, True, entries=1))


RULES = {
    "relative error, all entries": relative_error,
    "relative error, 10 entries": ten_entries,
    "ratio of norms": ratio_of_norms,
    "allclose": allclose,
    "minitorch's rule": minitorch,
}
