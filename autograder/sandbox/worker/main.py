"""The worker's loop: read a call, run the student's function, send back its result.

It decides nothing. It holds no expected value, so a submission that takes this process over can only send other wrong
answers. Standard input and output belong to the judge; the student's code gets /dev/null and a pipe that is
kept for the report.
"""

import contextlib
import importlib
import json
import os
import site
import sys
import traceback
import types
from collections.abc import Callable
from typing import IO, Any, NoReturn

from . import frames, proxies
from .confine import confine
from .values import Handle, ValueTypeError, decode, encode


def main() -> None:
    """Serve the judge until it closes the pipe."""
    settings = json.loads(sys.argv[1])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.path.append(settings["submission"])
    site.setquit()  # -S leaves out `exit`, `quit` and `help`
    site.sethelper()
    confine(**settings["limits"])
    sys.modules.update({name: Withheld(name) for name in settings["withheld"]})
    worker = Worker(settings["submission"])

    def receive() -> tuple[dict[str, Any], dict[str, Any]]:
        return frames.read(lambda size: _read_exactly(requests, size))

    def send(frame: bytes) -> None:
        replies.write(frame)
        replies.flush()

    def ask(header: dict[str, Any], tensors: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        send(frames.pack(header, tensors))
        return receive()

    proxies.connect(ask)
    with contextlib.suppress(EOFError):
        while True:
            send(worker.answer(*receive()))


class Withheld(types.ModuleType):
    """Replaces a module that an answer must not call: it can be imported, and its names can be read."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"{self.__name__}.{name} is not to be called in this answer: write it yourself")

        return refuse


class Worker:
    """Answers one call after another; keeps the values to which the judge holds handles."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.kept: list[Any] = []

    def answer(self, header: dict[str, Any], tensors: dict[str, Any]) -> bytes:
        """Return the bytes of the reply to one call."""
        reply: dict[str, Any] = {"token": header["token"]}
        out: dict[str, Any] = {}
        try:
            args = [self._open(decode(tree, tensors)) for tree in header["args"]]
            kwargs = {key: self._open(decode(tree, tensors)) for key, tree in header["kwargs"].items()}
            target = self._target(header["target"])
            value = target(*args, **kwargs) if header["call"] else target
            reply["value"] = self._wrap(value, header["returns"], out)
            if header["echo"]:
                reply["echo"] = encode(args, out, self._keep)
            with contextlib.suppress(BaseException):  # a closed or replaced stream must not lose the answer
                sys.stdout.flush()
            return frames.pack(reply, out)
        except BaseException as error:  # SystemExit and KeyboardInterrupt included: a student's exit is an answer too
            return frames.pack({"token": header["token"], "raised": self._describe(error)}, {})

    def _target(self, path: list[Any]) -> Any:
        """Return the object of ["module", "package.module", "function"] or ["handle", 3, "method"]."""
        kind, where, *names = path
        value: Any = importlib.import_module(where) if kind == "module" else self.kept[where]
        for name in names:
            value = getattr(value, name)
        return value

    def _wrap(self, value: Any, returns: str | list[str], out: dict[str, Any]) -> Any:
        """Encode a result in the form that the judge expects: each part as a value or as a handle."""
        if isinstance(returns, str):
            return encode(self._keep(value) if returns == "handle" else value, out, self._keep)
        if not isinstance(value, (tuple, list)):
            raise WrongReturn(f"one {type(value).__name__}", len(returns))
        if len(value) != len(returns):
            raise WrongReturn(f"{len(value)} values", len(returns))
        return {"tuple": [self._wrap(part, kind, out) for part, kind in zip(value, returns)]}

    def _keep(self, value: Any) -> Handle:
        self.kept.append(value)
        return Handle(len(self.kept) - 1, type(value).__name__)

    def _open(self, value: Any) -> Any:
        """Replace handles by their values, at any depth."""
        if isinstance(value, Handle):
            return self.kept[value.number]
        if isinstance(value, (list, tuple)):
            return type(value)(self._open(item) for item in value)
        if isinstance(value, dict):
            return {key: self._open(item) for key, item in value.items()}
        return value

    def _describe(self, error: BaseException) -> dict[str, Any]:
        """Return the exception as plain data, and where in the student's own files it was raised."""
        trail: list[dict[str, Any]] = [
            {"file": os.path.relpath(frame.filename, self.folder), "line": frame.lineno, "function": frame.name}
            for frame in traceback.extract_tb(error.__traceback__)[-50:]
            if frame.filename.startswith(self.folder)
        ]
        if isinstance(error, SyntaxError) and error.filename and str(error.filename).startswith(self.folder):
            where = os.path.relpath(error.filename, self.folder)
            trail.append({"file": where, "line": error.lineno, "function": "<module>"})
        message, number = "", None
        try:
            number = error.errno if isinstance(error, OSError) else None
            message = str(error)
        except BaseException:  # a hostile __str__ must not lose the reply
            pass
        kind = "returned" if isinstance(error, (WrongReturn, ValueTypeError)) else type(error).__name__
        report = {"type": kind[:80], "message": message[:1000], "trail": trail}
        return report | {"errno": number} if type(number) is int else report


class WrongReturn(Exception):
    """The function returned another number of values than it should."""

    def __init__(self, came: str, expected: int) -> None:
        super().__init__(f"{came}, where {expected} were expected")


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
