"""Functions that the judge answers in the place of the student's own, so that one mistake is not paid for twice.

They hold no answer: what they are called with travels to the judge over the pipe, and what is right comes back. The
cache that a forward function returns is only a number here; the judge keeps what belongs to it.
"""

import importlib
import sys
import types

from .values import Handle, decode, encode

_ask = None  # set by `connect`: (header, tensors) -> (header, tensors), one question to the judge


class NotAnswered(Exception):
    """The judge cannot answer: the code looked into a cache that is the judge's, or passes what does not fit."""


class Cache(Handle):
    """Stands for a cache that the judge keeps."""

    def _refuse(self, *_):
        raise NotAnswered("the cache of a function that was answered by the grader cannot be looked into")

    __iter__ = __getitem__ = __len__ = __getattr__ = _refuse


def connect(ask):
    """Say how the judge is asked."""
    global _ask
    _ask = ask


def install(names):
    """Put a proxy in the place of every function named, as in "package.module:function"."""
    for name in names:
        module, _, function = name.partition(":")
        setattr(_module(module), function, _proxy(name))


class StandIn(types.ModuleType):
    """Stands for a module that cannot be imported: everything can be imported from it, and what is called raises."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def fail(*_, **__):
            raise RuntimeError(f"{self.__name__}.{name} was called, and {self.__name__} cannot be imported")

        return fail


def _module(name):
    """Import a module of the student's, or a stand-in where that fails."""
    try:
        return importlib.import_module(name)
    except BaseException:  # whatever it raises is its own question's affair
        package, _, child = name.rpartition(".")
        stand_in = sys.modules[name] = StandIn(name)
        setattr(importlib.import_module(package), child, stand_in)
        return stand_in


def _proxy(name):
    def answered(*args, **kwargs):
        tensors = {}
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
                given.update(after)  # a dictionary of settings also carries what the next call needs
        return _opened(decode(reply["value"], arrays))

    answered.__name__ = answered.__qualname__ = name.rpartition(":")[2]
    return answered


def _opened(value):
    """Return what the judge answered, caches sealed and numbers as plain numbers."""
    if isinstance(value, tuple):
        return tuple(map(_opened, value))
    if isinstance(value, Handle):
        return Cache(value.number, "cache")
    return value.item() if getattr(value, "shape", None) == () else value
