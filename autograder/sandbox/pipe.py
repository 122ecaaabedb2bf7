"""Bytes over a pipe, within a time: the other side may be as slow as it likes, or never answer."""

import os
import select
import time


def send(descriptor, data, deadline):
    """Write all bytes; TimeoutError where that takes longer than to `deadline`, a time of time.monotonic()."""
    view = memoryview(data)
    while view:
        if not select.select([], [descriptor], [], max(0, deadline - time.monotonic()))[1]:
            raise TimeoutError
        view = view[os.write(descriptor, view[: 1 << 16]) :]


def receive(descriptor, size, deadline):
    """Return exactly `size` bytes; TimeoutError as above, EOFError where the other side hangs up before."""
    parts = []
    while size:
        if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
