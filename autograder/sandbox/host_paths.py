"""What of this machine a student's code may see, whatever shuts it in: the system's libraries and the interpreter."""

import os
import sys
from pathlib import Path

from autograder.runtime.paths import KIT, PACKAGE

WORKER = Path(__file__).resolve().parent / "worker"
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache")


def exposed_paths():
    """Return the paths that are shown, links among them; where the interpreter lies in /usr there is no more to it."""
    system = [Path(path) for path in _SYSTEM if os.path.lexists(path)]
    prefixes = [Path(prefix) for prefix in (sys.base_prefix, sys.prefix)]
    prefixes += [prefix.resolve() for prefix in prefixes]
    return system + [path for path in dict.fromkeys(prefixes) if not path.is_relative_to("/usr")]


def hidden_paths(secrets=()):
    """Return the folders that are not, even where they lie inside what is: the kit, the grader and `secrets`."""
    return [KIT, PACKAGE, *(Path(path).resolve() for path in secrets)]
