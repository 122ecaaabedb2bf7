"""The large call of a net, which detects measured gradients."""

from collections.abc import Sequence
from typing import Any

from autograder.checking.criteria import Checks, Trial
from autograder.checking.large_call import LargeCall, expect_nearly
from autograder.checks.classifiers.net_trial import NetClass, NetTrial


def add_large_loss(
    checks: Checks, kind: NetClass, N: int, shape: Sequence[int], without_gradient: tuple[str, ...], **options: Any
) -> None:
    """Add the large call of a class of nets: one loss of a net with about 400,000 parameters.

    - N, shape: the number of examples of its batch, and the shape of one example
    - without_gradient: names of the criteria that need no gradient
    - options: keyword arguments of the constructor
    """

    @checks.large_call(kind.name)
    def large(trial: Trial) -> LargeCall:
        net, rng = kind.reference(**options), trial.rng("large", shape)
        X, y = rng.normal(size=(N, *shape)), rng.integers(options["num_classes"], size=N)
        call = f"{kind.describe(options)}.loss(X, y) with X {X.shape}"

        def run_student(trial: Trial, proved: set[str]) -> None:
            net = NetTrial(trial, kind, **options)
            net.share_parameters()
            _, grads = net.run_loss(X, y)
            for name, right in net.reference.loss(X, y)[1].items():
                family = "weight gradients" if name.startswith("W") else "bias gradients"
                if proved & {f"d{name}", family, "regularized gradients"}:  # the criteria of this gradient
                    expect_nearly(grads.get(name), right, f"{net.call}.loss(X, y): d{name}")

        entries = sum(value.size for value in net.params.values())
        return LargeCall(call, entries, lambda: net.loss(X), lambda: net.loss(X, y), run_student, without_gradient)
