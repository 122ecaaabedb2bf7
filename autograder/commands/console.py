"""The terminal that commands print to."""

import os
from collections.abc import Callable

from rich.console import Console


class _Console(Console):
    """A console that becomes quiet when nobody reads any more: the command goes on and writes its files."""

    is_broken = False

    def on_broken_pipe(self) -> None:
        self.quiet = self.is_broken = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # what is still buffered is flushed at the end
        os.close(nowhere)


console = _Console(highlight=False, markup=False)
errors = _Console(stderr=True, highlight=False, markup=False)


def waiting(wait: bool) -> Callable[[str], None] | None:
    """Return what runtime.locks.lock_folder needs: None to refuse at once, or how to say that the command waits."""
    return (lambda sentence: errors.print(f"autograder: {sentence}", soft_wrap=True)) if wait else None
