"""Frames: how judge and worker talk over a pipe.

    magic "A2" | header length (u32) | body length (u32) | header: JSON | body: safetensors

The header says what is asked or answered; arrays travel in the body. Nothing in a frame is ever unpickled or
evaluated. A reader bounds both lengths before it allocates, so a frame forged by a student's code can at worst be
refused. All numbers are little-endian.
"""

import json
import struct

from safetensors import SafetensorError
from safetensors.numpy import load, save

MAX_HEADER, MAX_BODY = 1 << 20, 64 << 20
_PREFIX = struct.Struct("<2sII")
_MAGIC = b"A2"


class FrameError(Exception):
    """What came is not a frame of this protocol."""


def pack(header, tensors):
    """Return the bytes of a frame; FrameError where it is larger than a reader would take."""
    text = json.dumps(header).encode()
    size = sum(tensor.nbytes for tensor in tensors.values())  # before any of it is copied, for which memory may lack
    body = save(tensors) if tensors and size <= MAX_BODY else b""
    if len(text) > MAX_HEADER or max(size, len(body)) > MAX_BODY:
        raise FrameError(f"the answer is too large: {len(text)} bytes of header, {size} bytes of arrays")
    return _PREFIX.pack(_MAGIC, len(text), len(body)) + text + body


def read(receive):
    """Read one frame and return (header, tensors).

    - receive: n -> exactly n bytes; raises EOFError where the stream ends first
    """
    magic, header_size, body_size = _PREFIX.unpack(receive(_PREFIX.size))
    if magic != _MAGIC or header_size > MAX_HEADER or body_size > MAX_BODY:
        raise FrameError("what came is no frame")
    text, body = receive(header_size), receive(body_size)
    # safetensors would take a list of a million empty tensors, and half a minute over it.
    if int.from_bytes(body[:8], "little") > MAX_HEADER:
        raise FrameError("unreadable frame: too long a list of arrays")
    try:
        header = json.loads(text)
        tensors = load(body) if body else {}
    except (ValueError, OverflowError, RecursionError, SafetensorError, KeyError, TypeError) as error:
        raise FrameError(f"unreadable frame: {type(error).__name__}") from None
    if not isinstance(header, dict):
        raise FrameError("a header that is no object")
    return header, tensors
