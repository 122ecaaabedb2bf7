"""Bytes over a pipe with a deadline: the other side may be slow, or never answer."""

import os
import select
import time


def send(descriptor: int, data: bytes, deadline: float) -> None:
    """Write all bytes; raise TimeoutError after `deadline`, a time of time.monotonic()."""
    view = memoryview(data)
    while view:
        if not select.select([], [descriptor], [], max(0, deadline - time.monotonic()))[1]:
            raise TimeoutError
        view = view[os.write(descriptor, view[: 1 << 16]) :]


def receive(descriptor: int, size: int, deadline: float) -> bytes:
    """Return exactly `size` bytes; TimeoutError as above, EOFError if the other side closes the pipe before."""
    parts: list[bytes] = []
    while size:
        if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
