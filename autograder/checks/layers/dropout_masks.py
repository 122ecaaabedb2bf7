"""One call of dropout, and its mask: masks are random, so the judge computes them from the output of the layer."""

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL_FLOAT32, expect_array, format_distinct
from autograder.checking.criteria import Trial, Wrong

FORWARD = "dropout_forward"
SHAPE = (200, 110)
SIGMAS = 8  # the share of a right mask differs by more standard deviations about once in 10^15 times


@dataclass(frozen=True)
class DropoutMask:
    """The mask of one training pass: `kept` is True for kept units, which the layer multiplied by `scale`."""

    kept: np.ndarray
    scale: float

    @property
    def share(self) -> float:
        """The share of kept units."""
        return float(self.kept.mean())

    @property
    def independent(self) -> int:
        """The number of entries of the mask that do not repeat from one row (or column, ...) to the next."""
        shape, kept = self.kept.shape, self.kept
        repeated = [bool(np.all(kept == kept.take([0], axis))) for axis in range(kept.ndim)]
        return prod(size for size, again in zip(shape, repeated) if not again)

    def is_share(self, probability: float) -> bool:
        """Return whether the layer kept about this share of the units."""
        slack = SIGMAS * sqrt(probability * (1 - probability) / max(1, self.independent))
        return abs(self.share - probability) <= slack

    def is_scale(self, scale: float) -> bool:
        """Return whether the layer multiplied kept units by this number; the mask may be in float32."""
        return abs(self.scale - scale) <= RTOL_FLOAT32 * scale


class Call:
    """One call of the student's forward function, described for messages.

    - keep: probability of keeping a unit, for both conventions of `p`
    - more: further entries of dropout_param; seed=None leaves the seed out
    """

    def __init__(
        self,
        trial: Trial,
        keep: float,
        shape: tuple[int, ...] = SHAPE,
        mode: str = "train",
        dtype: str = "float64",
        **more: Any,
    ) -> None:
        self.trial, self.keep = trial, keep
        rng = trial.rng(FORWARD, keep, shape, mode)
        # No entry is near 0: a dropped unit must differ from an input of 0.
        self.x = (rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 2.0, size=shape)).astype(dtype)
        self.p = round(1 - keep, 6) if trial.options.get("dropout", "keep") == "drop" else keep
        self.param: dict[str, Any] = {"p": self.p, "mode": mode, "seed": int(rng.integers(1, 2**31))} | more
        if self.param["seed"] is None:
            del self.param["seed"]
        self.name = f"{FORWARD} with x {tuple(shape)}, dropout_param {self.param}"

    def run(self, param: Any = None) -> tuple[Any, Any]:
        """Return (out, cache handle); `param` may be a handle of a dropout_param that several calls share."""
        param = self.param if param is None else param
        return self.trial.call(f"cs231n.layers:{FORWARD}", self.x, param, returns=["value", "handle"])

    def draw(self) -> tuple[DropoutMask, Any]:
        """Return (DropoutMask, cache handle); raise Wrong if out is not a mask times x."""
        out, cache = self.run()
        return recover_mask(out, self.x, self.name), cache


def recover_mask(product: Any, factor: np.ndarray, call: str, name: str = "out") -> DropoutMask:
    """Return the mask from its product with `factor`; raise Wrong if an entry is not such a product."""
    product = expect_array(product, factor.shape, f"{call}: {name}")
    rtol = 1e-9 if product.dtype.itemsize == 8 and factor.dtype.itemsize == 8 else 1e-4
    with np.errstate(all="ignore"):
        multiplier = product.astype(np.float64) / factor
        kept = multiplier != 0
        scale = float(np.median(multiplier[kept])) if kept.any() else 0.0
        odd = kept & ~(np.abs(multiplier - scale) <= rtol * abs(scale))
    if odd.any() or scale < 0:
        at = tuple(int(i) for i in np.argwhere(odd if odd.any() else kept)[0])
        came, most = format_distinct(multiplier[at], scale)
        raise Wrong(
            f"{call}: {name}[{', '.join(map(str, at))}] is {came} times its input. Expected each "
            f"entry to be 0 or multiplied by the same number; most entries are multiplied by {most}."
        )
    return DropoutMask(kept, scale)


def expect_some_dropped(drawn: DropoutMask, call: Call) -> None:
    """Raise Wrong if all units were kept, or none: such a mask cannot be judged."""
    if drawn.share in (0, 1):
        every = "kept: nothing was dropped" if drawn.share else "set to 0"
        raise Wrong(f"{call.name}: every unit was {every}; expected about {call.keep:.0%} of them kept")
