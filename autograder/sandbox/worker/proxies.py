"""Proxies: functions that the judge answers in place of the student's own, so that one mistake costs points once.

They contain no answer: they send their arguments to the judge over the pipe, and the judge sends the right values back.
The cache that a forward function returns is only a number here; the judge keeps its content.
"""

import importlib
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from .values import Handle, decode, encode

Ask = Callable[[dict[str, Any], dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]

_ask: Ask | None = None  # set by `connect`: sends a call to the judge and returns its answer


class NotAnswered(Exception):
    """The judge cannot answer: the code reads a cache of the judge, or passes arguments that do not fit."""


class Cache(Handle):
    """A cache that the judge keeps."""

    def _refuse(self, *_: object) -> NoReturn:
        raise NotAnswered("the cache of a function that was answered by the grader cannot be looked into")

    __iter__ = __getitem__ = __len__ = __getattr__ = _refuse


def connect(ask: Ask) -> None:
    """Set the function that sends a call to the judge."""
    global _ask
    _ask = ask


def install(names: Sequence[str]) -> None:
    """Replace every function of these names, as in "package.module:function", by a proxy."""
    for name in names:
        module, _, function = name.partition(":")
        setattr(_module(module), function, _proxy(name))


class BrokenModule(types.ModuleType):
    """Replaces a module that cannot be imported: every name can be imported from it, and every call raises."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("__"):
            raise AttributeError(name)

        def fail(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"{self.__name__}.{name} was called, and {self.__name__} cannot be imported")

        return fail


def _module(name: str) -> types.ModuleType:
    """Import a module of the student's; if that fails, return a BrokenModule in its place."""
    try:
        return importlib.import_module(name)
    except BaseException:  # the module's own questions report the exception
        package, _, child = name.rpartition(".")
        broken = sys.modules[name] = BrokenModule(name)
        setattr(importlib.import_module(package), child, broken)
        return broken


def _proxy(name: str) -> Callable[..., Any]:
    def proxy(*args: Any, **kwargs: Any) -> Any:
        assert _ask
        tensors: dict[str, Any] = {}
        header = {
            "ask": name,
            "args": [encode(value, tensors) for value in args],
            "kwargs": {key: encode(value, tensors) for key, value in kwargs.items()},
        }
        reply, arrays = _ask(header, tensors)
        if "raised" in reply:
            raise NotAnswered(reply["raised"])
        for given, after in zip((*args, *kwargs.values()), decode(reply["after"], arrays)):
            if isinstance(given, dict):
                given.update(after)  # a dictionary of settings also carries state for the next call
        return _open(decode(reply["value"], arrays))

    proxy.__name__ = proxy.__qualname__ = name.rpartition(":")[2]
    return proxy


def _open(value: Any) -> Any:
    """Return an answer of the judge with caches as Cache and numbers as plain numbers."""
    if isinstance(value, tuple):
        return tuple(map(_open, value))
    if isinstance(value, Handle):
        return Cache(value.number, "cache")
    return value.item() if getattr(value, "shape", None) == () else value
