"""The consoles for the output and the errors of commands."""

import os
from collections.abc import Callable

from rich.console import Console


class _Console(Console):
    """A console that stops printing when the reader of its output closes the pipe; the command continues."""

    is_broken = False

    def on_broken_pipe(self) -> None:
        self.quiet = self.is_broken = True
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.file.fileno())  # so that the last flush at exit does not fail
        os.close(null)


console = _Console(highlight=False, markup=False)
errors = _Console(stderr=True, highlight=False, markup=False)


def make_wait_printer(wait: bool) -> Callable[[str], None] | None:
    """Return the argument of runtime.locks.lock_folder for a folder that another command uses.

    - wait: whether to wait for the other command; then the result prints a sentence about that, else it is None
    """
    return (lambda sentence: errors.print(f"autograder: {sentence}", soft_wrap=True)) if wait else None
