"""Frames: the messages that judge and worker exchange over a pipe.

    magic "A2" | header length (u32) | body length (u32) | header: JSON | body: safetensors

The header is the call or the answer; the body contains the arrays. Nothing in a frame is ever unpickled or evaluated. A
reader checks both lengths before it allocates memory, so a forged frame has no effect except that the
reader refuses it. All numbers are little-endian.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load, save

MAX_HEADER, MAX_BODY = 1 << 20, 64 << 20
_PREFIX = struct.Struct("<2sII")
_MAGIC = b"A2"


class FrameError(Exception):
    """The bytes are not a frame of this protocol."""


def pack(header: dict[str, Any], tensors: dict[str, Any]) -> bytes:
    """Return the bytes of a frame; raise FrameError if it is larger than a reader accepts."""
    text = json.dumps(header).encode()
    # Checked before `save` copies the tensors, because the copy may not fit in memory.
    size = sum(tensor.nbytes for tensor in tensors.values())
    body = save(tensors) if tensors and size <= MAX_BODY else b""
    if len(text) > MAX_HEADER or max(size, len(body)) > MAX_BODY:
        raise FrameError(f"the answer is too large: {len(text)} bytes of header, {size} bytes of arrays")
    return _PREFIX.pack(_MAGIC, len(text), len(body)) + text + body


def read(receive: Callable[[int], bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read one frame and return (header, tensors); raise FrameError for other bytes.

    - receive: n -> exactly n bytes; raises EOFError if the stream ends first
    """
    magic, header_size, body_size = _PREFIX.unpack(receive(_PREFIX.size))
    if magic != _MAGIC or header_size > MAX_HEADER or body_size > MAX_BODY:
        raise FrameError("the bytes are not a frame")
    text, body = receive(header_size), receive(body_size)
    # safetensors accepts a list of a million empty tensors, which takes half a minute.
    if int.from_bytes(body[:8], "little") > MAX_HEADER:
        raise FrameError("unreadable frame: the list of arrays is too long")
    try:
        header = json.loads(text)
        tensors = load(body) if body else {}
    except (ValueError, OverflowError, RecursionError, SafetensorError, KeyError, TypeError) as error:
        raise FrameError(f"unreadable frame: {type(error).__name__}") from None
    if not isinstance(header, dict):
        raise FrameError("the header of the frame is not a JSON object")
    return header, tensors
