"""`autograder doctor`: the requirements that this machine meets or lacks, and the command that installs each."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata

from autograder.assignment.manifest import find_assignment
from autograder.report.terminal import Finding
from autograder.runtime.paths import KIT
from autograder.sandbox import cgroup
from autograder.sandbox.isolation import ISOLATIONS, choose_isolation, why_not

_STRENGTH = {
    "bubblewrap": "bubblewrap works, the stronger of the two: student code sees no network, file or process of others",
    "landlock": "Landlock works, the weaker of the two: student code reads no other files, but may see their names",
    "plain": "NONE: student code can read and change the files of this account",
}
_ON_LINUX = ("landlockpy",) if sys.platform.startswith("linux") else ()
_BETTER = "apt install bubblewrap   (Debian, Ubuntu; docs/security.md compares the sandboxes)"


def examine() -> list[Finding]:
    """Examine Python, the packages, the sandbox, the compiler and the data."""
    return [
        _examine_python(),
        *_examine_packages(),
        _examine_tensorflow(),
        _examine_sandbox(),
        _examine_memory(),
        _examine_compiler(),
        _examine_data(),
    ]


def _examine_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or later")


def _examine_packages() -> Iterator[Finding]:
    for name in ("numpy", "nbgrader", "jupyterlab", "matplotlib", "pillow", "safetensors", *_ON_LINUX):
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(
                name, False, "not installed", f"{sys.executable} -m pip install -r {KIT / 'requirements.txt'}"
            )


def _examine_tensorflow() -> Finding:
    found = importlib.util.find_spec("tensorflow") is not None
    repair = f"{sys.executable} -m pip install -r {find_assignment(KIT) / 'requirements-tensorflow.txt'}"
    text = "installed" if found else "not installed: its questions get the verdict skipped; all others are graded"
    return Finding("tensorflow", found, text, repair, necessary=False)


def _examine_sandbox() -> Finding:
    """Find the sandbox for student code on this machine, and the reasons against the stronger ones."""
    chosen = choose_isolation()
    reasons = [why_not(better) for better in ISOLATIONS.values()]
    found = "; ".join([_STRENGTH[chosen.name], *filter(None, reasons[: list(ISOLATIONS.values()).index(chosen)])])
    return Finding("sandbox", chosen.strong, found, _BETTER, necessary=False)


def _examine_memory() -> Finding:
    reason = cgroup.why_not()
    counted = "a control group counts the memory that a worker uses"
    text = f"the address space is limited instead, because {reason}" if reason else counted
    return Finding("memory limit", not reason, text, "systemd-run --user --scope make grade", necessary=False)


def _examine_compiler() -> Finding:
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    none = "none; the fast layers use NumPy"
    return Finding("C compiler", bool(found), found or none, "apt install build-essential", necessary=False)


def _examine_data() -> Finding:
    genuine = (KIT / "datasets" / "cifar-10-batches-py").is_dir()
    found = "genuine CIFAR-10" if genuine else "the built-in sample replaces CIFAR-10"
    return Finding("data", genuine, found, "bash get_datasets.sh", necessary=False)
