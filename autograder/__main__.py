"""`python -m autograder` and the installed command."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line. It is loaded here, so that the processes that judge do not load it."""
    # `python -m` imports from the current folder first. That may be a submission, whose code must not run here.
    kit = str(Path(__file__).resolve().parents[1])
    here = {"", os.getcwd(), kit}
    sys.path[:] = [*(folder for folder in sys.path if folder not in here), kit]
    from autograder.cli import main

    main()


if __name__ == "__main__":
    main()
