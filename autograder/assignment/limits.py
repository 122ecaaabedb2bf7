"""What a question may use: a multiple of what the reference uses, and never less than a floor.

The reference's costs are measured as a student's are: a worker in the sandbox goes through every check
(autograder/grading/calibrate.py). The costs on the authors' machine are in costs.toml beside the manifest and give the
first limits. A slower machine measures again (autograder/grading/retry.py).
"""

import math
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from autograder.errors import KitError

COSTS = "costs.toml"


@dataclass(frozen=True)
class Cost:
    """What one question used: seconds of its worker's processor and of waiting for it, MB at the peak.

    - memory_mb: really in use, as a control group counts; address_mb: address space, reserved or used
    """

    cpu_seconds: float
    wall_seconds: float
    memory_mb: float
    address_mb: float


@dataclass(frozen=True)
class Limits:
    """What one question may use, in seconds and MB, and the multiples of the reference's Cost that it may always use.

    - memory_mb: where a control group counts what is really used
    - address_mb: of address space, where there is none; never less than memory_mb
    """

    cpu_seconds: int
    wall_seconds: int
    memory_mb: int
    cpu_factor: float = 0
    wall_factor: float = 0
    memory_factor: float = 0
    address_mb: int = 0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise TypeError(f"{field.name} is {value!r}; expected a number")
        object.__setattr__(self, "address_mb", max(self.address_mb, self.memory_mb))

    def fitting(self, cost):
        """Return these Limits, raised to what the factors make of a Cost of the reference."""
        return replace(
            self,
            cpu_seconds=max(self.cpu_seconds, math.ceil(self.cpu_factor * cost.cpu_seconds)),
            wall_seconds=max(self.wall_seconds, math.ceil(self.wall_factor * cost.wall_seconds)),
            memory_mb=max(self.memory_mb, math.ceil(self.memory_factor * cost.memory_mb)),
            address_mb=max(self.address_mb, math.ceil(self.memory_factor * cost.address_mb)),
        )

    def compared(self, amount, factor, unit):
        """Return what the reference takes at most of what is limited, as a clause, or '' where it was not measured."""
        return f"; the reference takes less than {math.ceil(10 * amount / factor) / 10:g} {unit} here" if factor else ""


def recorded_costs(root):
    """Return {question id: Cost} of costs.toml in a folder, or {} where there is none; KitError where it is broken."""
    path = Path(root) / COSTS
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Cost(**entry) for name, entry in data.items()}
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise KitError(f"{path}: {error}. Write it anew: autograder measure") from None


def costs_text(costs):
    """Return the text of costs.toml for {question id: Cost}."""
    lines = ["# What the reference takes, measured by `autograder measure`. The manifest's factors make limits of it."]
    for name, cost in costs.items():
        lines.append(f"{name} = {{ " + ", ".join(f"{key} = {value}" for key, value in asdict(cost).items()) + " }")
    return "\n".join(lines) + "\n"
