"""Copies of modules of the reference, with other code for one function or class."""

import functools
import importlib
import types
from typing import Any


def get_module_name(file: str) -> str:
    """Return the module name of a file of the assignment, such as "package.module"."""
    return file.removesuffix(".py").replace("/", ".")


def import_reference(file: str) -> types.ModuleType:
    """Import the reference's module for a file; raise ImportError if there is none."""
    return importlib.import_module(get_module_name(file))


def make_variant(file: str, code: str) -> types.ModuleType:
    """Return a copy of the reference's module for a file, with another definition of a function or class.

    Only the definition `code` is compiled. The other functions of the module have the reference's code and the
    variant's global names, so that they call the new definition. Raises any exception of compiling or
    running `code`.
    """
    original, name = import_reference(file), get_module_name(file)
    module = types.ModuleType(name)
    module.__dict__.update(original.__dict__)
    for key, value in vars(original).items():
        if isinstance(value, types.FunctionType) and value.__module__ == name:
            module.__dict__[key] = _bind(value, module.__dict__)
    exec(compile(code, f"<{file}, changed>", "exec"), module.__dict__)
    return module


def _bind(function: types.FunctionType, namespace: dict[str, Any]) -> types.FunctionType:
    copy = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)
    copy.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(copy, function, assigned=("__doc__", "__qualname__"), updated=())
    return copy
