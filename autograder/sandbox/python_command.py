"""The command that starts Python in a sandbox, for workers and for the trial of a sandbox."""

import json
import os
import site
import sys

# -P: the working directory is not importable. -S: neither is a user's site-packages, and no .pth file of an installed
# package runs, which saves a quarter of the start. So the folders of the packages come as an argument.
_OPTIONS = ("-P", "-S", "-B", "-c")
_FIND_PACKAGES = "import json, sys; sys.path += json.loads(sys.argv.pop(1)); "


def make_python_command(code: str, *arguments: str) -> list[str]:
    """Return a command that runs code of one line with the installed packages.

    - code: statements; `json` and `sys` are imported already
    - arguments: sys.argv[1:] of the code
    """
    packages = [folder for folder in site.getsitepackages() if os.path.isdir(folder)]
    return [sys.executable, *_OPTIONS, _FIND_PACKAGES + code, json.dumps(packages), *arguments]
