"""The terminal that commands print to."""

import os
from collections.abc import Callable

from rich.console import Console


class _Console(Console):
    """A console that becomes quiet after its reader has gone: the command continues and writes its files."""

    is_broken = False

    def on_broken_pipe(self) -> None:
        self.quiet = self.is_broken = True
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.file.fileno())  # the remaining buffer is flushed at the end
        os.close(null)


console = _Console(highlight=False, markup=False)
errors = _Console(stderr=True, highlight=False, markup=False)


def make_wait_printer(wait: bool) -> Callable[[str], None] | None:
    """Return the argument of runtime.locks.lock_folder: None to refuse at once, or a function that prints a wait."""
    return (lambda sentence: errors.print(f"autograder: {sentence}", soft_wrap=True)) if wait else None
