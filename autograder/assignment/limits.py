"""The limits of a question: a multiple of the reference's cost, with a floor.

A worker in the sandbox runs every check with the reference, as for a submission (autograder/grading/calibrate.py). The
file costs.toml next to the manifest contains the costs on the authors' machine, which give the first limits. A slower
machine measures again (autograder/grading/retry.py).
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from autograder.errors import KitError

COSTS_FILE = "costs.toml"


@dataclass(frozen=True)
class Cost:
    """The cost of one question: processor and wall-clock time of its worker in seconds, peak memory in MB.

    - memory_mb: memory in use, as a control group counts it
    - address_mb: address space, reserved or used
    """

    cpu_seconds: float
    wall_seconds: float
    memory_mb: float
    address_mb: float


@dataclass(frozen=True)
class Limits:
    """The limits of one question, in seconds and MB, and the factors that turn the reference's Cost into limits.

    - memory_mb: limit of the memory in use, if a control group counts it
    - address_mb: limit of the address space, if there is no control group; never less than memory_mb

    Raises TypeError if a value is not a finite number of at least 0.
    """

    cpu_seconds: int
    wall_seconds: int
    memory_mb: int
    cpu_factor: float = 0
    wall_factor: float = 0
    memory_factor: float = 0
    address_mb: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise TypeError(f"{field.name} is {value!r}; expected a number of at least 0")
        object.__setattr__(self, "address_mb", max(self.address_mb, self.memory_mb))

    def raise_to_cost(self, cost: Cost) -> "Limits":
        """Return these Limits, each at least the factor times the reference's Cost."""
        return replace(
            self,
            cpu_seconds=max(self.cpu_seconds, math.ceil(self.cpu_factor * cost.cpu_seconds)),
            wall_seconds=max(self.wall_seconds, math.ceil(self.wall_factor * cost.wall_seconds)),
            memory_mb=max(self.memory_mb, math.ceil(self.memory_factor * cost.memory_mb)),
            address_mb=max(self.address_mb, math.ceil(self.memory_factor * cost.address_mb)),
        )

    def describe_reference_cost(self, amount: float, factor: float, unit: str) -> str:
        """Return a clause with an upper bound of the reference's cost, or '' if the cost was not measured.

        - amount: a limit, in `unit`
        - factor: the multiple of the reference's cost that the limit is, or 0
        """
        return f"; the reference takes less than {math.ceil(10 * amount / factor) / 10:g} {unit} here" if factor else ""


def read_costs(root: Path | str) -> dict[str, Cost]:
    """Return {question id: Cost} of costs.toml in a folder, {} without that file; raise KitError if it is damaged."""
    path = Path(root) / COSTS_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Cost(**entry) for name, entry in data.items()}
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise KitError(f"{path}: {error}. Write the file again: autograder measure") from None


def format_costs(costs: Mapping[str, Cost]) -> str:
    """Return the text of costs.toml for {question id: Cost}."""
    lines = ["# Costs of the reference, measured by `autograder measure`. The manifest has the factors for the limits."]
    for name, cost in costs.items():
        lines.append(f"{name} = {{ " + ", ".join(f"{key} = {value}" for key, value in asdict(cost).items()) + " }")
    return "\n".join(lines) + "\n"
