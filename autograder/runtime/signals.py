"""Ctrl-C, SIGTERM and a closed terminal end a command like any other problem: cleaned up, with one message."""

import contextlib
import signal

from autograder.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible(kept):
    """Turn the signals that stop a command into Interrupted; inside they are KeyboardInterrupt, which nobody eats.

    - kept: a sentence on what is left of the work and how it goes on
    """
    came = []

    def stop(number, _):
        came.append(number)
        raise KeyboardInterrupt

    # One that is ignored stays so: under nohup, or in the background of a script.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    except KeyboardInterrupt:
        number = came[0] if came else signal.SIGINT
        error = Interrupted(f"stopped by {signal.Signals(number).name}. {kept}")
        error.exit_code = 128 + number
        raise error from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def shielded():
    """Start processes that a Ctrl-C at the terminal does not reach: who started them ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
