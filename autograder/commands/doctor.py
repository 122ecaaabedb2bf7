"""The doctor: what this machine has, what it lacks, and the command that mends it."""

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata

from autograder.assignment.manifest import find_assignment
from autograder.runtime.paths import KIT
from autograder.sandbox import cgroup
from autograder.sandbox.isolation import ISOLATIONS, choose_isolation, why_not

_STRENGTH = {
    "bubblewrap": "bubblewrap works, the stronger of the two: no network, no other file or process to be seen",
    "landlock": "Landlock works, the weaker of the two: nothing of others is reached, names of files are not hidden",
    "plain": "NONE: student code could read and change the files of this account",
}
_ON_LINUX = ("landlockpy",) if sys.platform.startswith("linux") else ()
_BETTER = "apt install bubblewrap   (Debian, Ubuntu; docs/security.md says what each sandbox holds)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; without what is `necessary` the kit does not work."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    necessary: bool = True


def examine():
    """Look at Python, the packages, the sandbox, the compiler and the data; return Findings."""
    return [_python(), *_packages(), _tensorflow(), _sandbox(), _memory(), _compiler(), _data()]


def _python():
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or later")


def _packages():
    for name in ("numpy", "nbgrader", "jupyterlab", "matplotlib", "pillow", "safetensors", *_ON_LINUX):
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(
                name, False, "not installed", f"{sys.executable} -m pip install -r {KIT / 'requirements.txt'}"
            )


def _tensorflow():
    found = importlib.util.find_spec("tensorflow") is not None
    mend = f"{sys.executable} -m pip install -r {find_assignment(KIT) / 'requirements-tensorflow.txt'}"
    said = "installed" if found else "not installed: its questions read skipped, all others are graded"
    return Finding("tensorflow", found, said, mend, necessary=False)


def _sandbox():
    """Say which sandbox student code gets here, and why it is none of the stronger ones."""
    chosen = choose_isolation()
    reasons = [why_not(better) for better in ISOLATIONS.values()]
    found = "; ".join([_STRENGTH[chosen.name], *filter(None, reasons[: list(ISOLATIONS.values()).index(chosen)])])
    return Finding("sandbox", chosen.strong, found, _BETTER, necessary=False)


def _memory():
    reason = cgroup.why_not()
    counted = "a control group counts what a worker really uses"
    said = f"address space is limited, because {reason}" if reason else counted
    return Finding("memory limit", not reason, said, "systemd-run --user --scope make grade", necessary=False)


def _compiler():
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    none = "none: the fast layers use NumPy"
    return Finding("C compiler", bool(found), found or none, "apt install build-essential", necessary=False)


def _data():
    genuine = (KIT / "datasets" / "cifar-10-batches-py").is_dir()
    found = "genuine CIFAR-10" if genuine else "the built-in sample stands in for CIFAR-10"
    return Finding("data", genuine, found, "bash get_datasets.sh", necessary=False)
