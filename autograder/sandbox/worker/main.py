"""The worker's loop: read a call, run the student's function, send back what it returned.

It decides nothing. It holds no expected value, so a submission that takes this process over can only send other
wrong answers. Standard input and output belong to the judge; the student's code gets /dev/null and a pipe that is
kept for the report.
"""

import contextlib
import importlib
import json
import os
import sys
import traceback
import types

from . import answered, frames
from .confine import confine
from .values import Handle, ValueTypeError, decode, encode


def main():
    """Serve the judge until it hangs up."""
    settings = json.loads(sys.argv[1])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.path.append(settings["submission"])
    confine(**settings["limits"])
    sys.modules.update({name: Withheld(name) for name in settings["withheld"]})
    worker = Worker(settings["submission"])

    def receive():
        return frames.read(lambda size: _exactly(requests, size))

    def send(frame):
        replies.write(frame)
        replies.flush()

    def ask(header, tensors):
        send(frames.pack(header, tensors))
        return receive()

    answered.connect(ask)
    with contextlib.suppress(EOFError):
        while True:
            send(worker.answer(*receive()))


class Withheld(types.ModuleType):
    """Stands for a module that an answer must not call: importing it and naming what is in it does no harm."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_, **__):
            raise RuntimeError(f"{self.__name__}.{name} is not to be called in this answer: write it yourself")

        return refuse


class Worker:
    """Answers one request after another; keeps what the judge holds handles to."""

    def __init__(self, folder):
        self.folder = folder
        self.kept = []

    def answer(self, header, tensors):
        """Return the bytes of the reply to one request."""
        reply, out = {"token": header["token"]}, {}
        try:
            args = [self._open(decode(tree, tensors)) for tree in header["args"]]
            kwargs = {key: self._open(decode(tree, tensors)) for key, tree in header["kwargs"].items()}
            target = self._target(header["target"])
            value = target(*args, **kwargs) if header["call"] else target
            reply["value"] = self._wrap(value, header["returns"], out)
            if header["echo"]:
                reply["echo"] = encode(args, out, self._keep)
            with contextlib.suppress(BaseException):  # a stream that was closed or replaced takes no answer down
                sys.stdout.flush()
            return frames.pack(reply, out)
        except BaseException as error:  # SystemExit and KeyboardInterrupt included: a student's exit is an answer too
            return frames.pack({"token": header["token"], "raised": self._describe(error)}, {})

    def _target(self, path):
        """Resolve ["module", "cs231n.layers", "affine_forward"] or ["handle", 3, "loss"]."""
        kind, where, *names = path
        value = importlib.import_module(where) if kind == "module" else self.kept[where]
        for name in names:
            value = getattr(value, name)
        return value

    def _wrap(self, value, returns, out):
        """Encode what came back in the shape the judge asked for: each part as a value or as a handle."""
        if isinstance(returns, str):
            return encode(self._keep(value) if returns == "handle" else value, out, self._keep)
        if not isinstance(value, (tuple, list)):
            raise WrongReturn(f"one {type(value).__name__}", len(returns))
        if len(value) != len(returns):
            raise WrongReturn(f"{len(value)} values", len(returns))
        return {"tuple": [self._wrap(part, kind, out) for part, kind in zip(value, returns)]}

    def _keep(self, value):
        self.kept.append(value)
        return Handle(len(self.kept) - 1, type(value).__name__)

    def _open(self, value):
        """Replace handles by what they point at, however deep they lie."""
        if isinstance(value, Handle):
            return self.kept[value.number]
        if isinstance(value, (list, tuple)):
            return type(value)(self._open(item) for item in value)
        if isinstance(value, dict):
            return {key: self._open(item) for key, item in value.items()}
        return value

    def _describe(self, error):
        """Say what was raised and where in the student's own files."""
        trail = [
            {"file": os.path.relpath(frame.filename, self.folder), "line": frame.lineno, "function": frame.name}
            for frame in traceback.extract_tb(error.__traceback__)[-50:]
            if frame.filename.startswith(self.folder)
        ]
        if isinstance(error, SyntaxError) and str(error.filename).startswith(self.folder):
            where = os.path.relpath(error.filename, self.folder)
            trail.append({"file": where, "line": error.lineno, "function": "<module>"})
        message, number = "", None
        try:
            number = error.errno if isinstance(error, OSError) else None
            message = str(error)
        except BaseException:  # a hostile __str__ must not take the reply down
            pass
        kind = "returned" if isinstance(error, (WrongReturn, ValueTypeError)) else type(error).__name__
        said = {"type": kind[:80], "message": message[:1000], "trail": trail}
        return said | {"errno": number} if type(number) is int else said


class WrongReturn(Exception):
    """The function returned another number of values than it should."""

    def __init__(self, came, expected):
        super().__init__(f"{came}, where {expected} were expected")


def _exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
