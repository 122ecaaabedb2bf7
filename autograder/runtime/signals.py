"""End a command after Ctrl-C, SIGTERM or a closed terminal with clean-up and one message."""

import contextlib
import signal
from collections.abc import Generator

from autograder.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def handle_stop_signals(advice: str) -> Generator[None, None, None]:
    """Turn the signals that stop a command into Interrupted.

    Inside the block they are raised as KeyboardInterrupt, so that `except Exception` does not swallow them.

    - advice: a sentence for the message: which work is kept, and how to continue
    """
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    # A signal that is ignored stays ignored: under nohup, or in the background of a script.
    handled = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in handled}
    try:
        yield
    except KeyboardInterrupt:
        number = received[0] if received else signal.SIGINT
        error = Interrupted(f"stopped by {signal.Signals(number).name}. {advice}")
        error.exit_code = 128 + number
        raise error from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def block_terminal_signals() -> Generator[None, None, None]:
    """Start processes that ignore Ctrl-C and a closed terminal; the process that starts them must end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
