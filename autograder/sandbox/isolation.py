"""The sandboxes that exist, and which of them this machine has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import KitError, SandboxUnavailable
from autograder.sandbox.bubblewrap import why_not_bubblewrap
from autograder.sandbox.landlock import why_not_landlock


@dataclass(frozen=True)
class Isolation:
    """A sandbox: its name, whether it is strong, and the sentence for reports."""

    name: str
    strong: bool
    text: str


BUBBLEWRAP = Isolation(
    "bubblewrap", True, "Student code ran in bubblewrap: no network, no other files, no other processes."
)
LANDLOCK = Isolation(
    "landlock",
    False,
    "WEAKER ISOLATION than bubblewrap: student code ran under Landlock and a system call filter. It reached no network "
    "and no other process, and could read or change no file but its own; names, sizes and times of files were not "
    "hidden from it. Install bubblewrap (apt install bubblewrap) where namespaces are available.",
)
PLAIN = Isolation(
    "plain",
    False,
    "WEAKER ISOLATION: student code ran as a plain process with resource limits and could read and change "
    "the files of this account. Install bubblewrap (apt install bubblewrap) for real isolation.",
)
ISOLATIONS = {isolation.name: isolation for isolation in (BUBBLEWRAP, LANDLOCK, PLAIN)}


def choose_isolation(required: str | None = None, secrets: Sequence[Path] = ()) -> Isolation:
    """Return the strongest isolation that this machine has, or the one that is `required` by its name.

    - secrets: folders that must not be readable from inside, in addition to the kit's own

    Raises SandboxUnavailable if the required isolation is not available.
    """
    if required is None:
        return next(isolation for isolation in ISOLATIONS.values() if not why_not(isolation, secrets))
    if required not in ISOLATIONS:
        raise KitError(f"--sandbox {required}: there is no such sandbox. There are: {', '.join(ISOLATIONS)}.")
    reason = why_not(ISOLATIONS[required], secrets)
    if reason:
        raise SandboxUnavailable(
            f"The sandbox {required} is required and not available: {reason}. `autograder doctor` lists what this "
            "machine has."
        )
    return ISOLATIONS[required]


def why_not(isolation: Isolation, secrets: Sequence[Path] = ()) -> str:
    """Return why an isolation is not available on this machine, or ''."""
    if isolation == BUBBLEWRAP:
        reason = why_not_bubblewrap(tuple(secrets))
        return f"{reason}. Install it with: apt install bubblewrap" if "not installed" in reason else reason
    return why_not_landlock() if isolation == LANDLOCK else ""
