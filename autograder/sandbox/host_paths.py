"""Host paths exposed to student code in every sandbox, and paths that must stay hidden."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.runtime.paths import KIT, PACKAGE

WORKER = Path(__file__).resolve().parent / "worker"
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache")


def list_exposed_paths() -> list[Path]:
    """Return the paths of the system's libraries and of the interpreter, links included."""
    system = [Path(path) for path in _SYSTEM if os.path.lexists(path)]
    prefixes = [Path(prefix) for prefix in (sys.base_prefix, sys.prefix)]
    prefixes += [prefix.resolve() for prefix in prefixes]
    return system + [path for path in dict.fromkeys(prefixes) if not path.is_relative_to("/usr")]


def list_hidden_paths(secrets: Sequence[Path] = ()) -> list[Path]:
    """Return the folders that stay hidden even inside an exposed path: the kit, the grader and `secrets`."""
    return [KIT, PACKAGE, *(Path(path).resolve() for path in secrets)]
