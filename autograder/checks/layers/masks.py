"""One call of dropout, and the mask it drew: masks are random, so they are read off what the layer returned."""

from dataclasses import dataclass
from math import prod, sqrt

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, expect_array, told_apart
from autograder.checking.criteria import Wrong

FORWARD = "dropout_forward"
SHAPE = (200, 110)
SIGMAS = 8  # a right mask strays further than this about once in 10^15 times


@dataclass(frozen=True)
class Drawn:
    """What one training pass did: kept units are True in `kept`, and were multiplied by `scale`."""

    kept: np.ndarray
    scale: float

    @property
    def share(self):
        return float(self.kept.mean())

    @property
    def independent(self):
        """How many entries of the mask are not just repeated from one row (or column, ...) to the next."""
        shape, kept = self.kept.shape, self.kept
        repeated = [bool(np.all(kept == kept.take([0], axis))) for axis in range(kept.ndim)]
        return prod(size for size, again in zip(shape, repeated) if not again)

    def is_share(self, probability):
        """Say whether about this part of the units was kept."""
        strays = SIGMAS * sqrt(probability * (1 - probability) / max(1, self.independent))
        return abs(self.share - probability) <= strays

    def is_scale(self, scale):
        """Say whether kept units were multiplied by this; the mask may be one in float32."""
        return abs(self.scale - scale) <= RTOL_FLOAT32 * scale


class Call:
    """One call of the student's forward function, described for messages.

    - keep: probability of keeping a unit, whatever the convention for `p` is
    - more: further entries of dropout_param; seed=None leaves the seed out
    """

    def __init__(self, trial, keep, shape=SHAPE, mode="train", dtype="float64", **more):
        self.trial, self.keep = trial, keep
        rng = trial.rng(FORWARD, keep, shape, mode)
        # No entry near 0: what was multiplied by 0 has to be told from what was 0 before.
        self.x = (rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 2.0, size=shape)).astype(dtype)
        self.p = round(1 - keep, 6) if trial.options.get("dropout", "keep") == "drop" else keep
        self.param = {"p": self.p, "mode": mode, "seed": int(rng.integers(1, 2**31))} | more
        if self.param["seed"] is None:
            del self.param["seed"]
        self.name = f"{FORWARD} with x {tuple(shape)}, dropout_param {self.param}"

    def run(self, param=None):
        """Return (out, cache handle) as they come; `param` may be a handle to a dropout_param of several calls."""
        param = self.param if param is None else param
        return self.trial.call(f"cs231n.layers:{FORWARD}", self.x, param, returns=["value", "handle"])

    def draw(self):
        """Return (Drawn, cache handle); Wrong where out is no mask times x."""
        out, cache = self.run()
        return drawn_from(out, self.x, self.name), cache


def drawn_from(product, factor, call, name="out"):
    """Return the Drawn mask whose product with `factor` this is; Wrong where some entry is no such product."""
    product = expect_array(product, factor.shape, f"{call}: {name}")
    rtol = 1e-9 if product.dtype.itemsize == 8 and factor.dtype.itemsize == 8 else 1e-4
    with np.errstate(all="ignore"):
        multiplier = product.astype(np.float64) / factor
        kept = multiplier != 0
        scale = float(np.median(multiplier[kept])) if kept.any() else 0.0
        odd = kept & ~(np.abs(multiplier - scale) <= rtol * abs(scale))
    if odd.any() or scale < 0:
        at = tuple(int(i) for i in np.argwhere(odd if odd.any() else kept)[0])
        came, most = told_apart(multiplier[at], scale)
        raise Wrong(
            f"{call}: {name}[{', '.join(map(str, at))}] is {came} times the entry that went in. Expected "
            f"each entry either 0 or multiplied by one and the same number, and most are multiplied by {most}."
        )
    return Drawn(kept, scale)


def expect_some_dropped(drawn, call):
    """Raise Wrong where all units were kept, or none: there is no mask to judge then."""
    if drawn.share in (0, 1):
        every = "kept: nothing was dropped" if drawn.share else "set to 0"
        raise Wrong(f"{call.name}: every unit was {every}; expected about {call.keep:.0%} of them kept")
