"""Versions of the reference with other code in one place, as modules that can be run beside it."""

import functools
import importlib
import types


def module_name(file):
    """Return the module that a file of the assignment is, as in "package.module"."""
    return file.removesuffix(".py").replace("/", ".")


def right(file):
    """Return the reference's own module of a file."""
    return importlib.import_module(module_name(file))


def with_code(file, code):
    """Return the reference's module of a file as it would be with this definition of a function or class in it.

    Only the definition is compiled: the module's other functions are the reference's, bound to the new module, so that
    they call what is new in it.
    """
    original, name = right(file), module_name(file)
    module = types.ModuleType(name)
    module.__dict__.update(original.__dict__)
    for key, value in vars(original).items():
        if isinstance(value, types.FunctionType) and value.__module__ == name:
            module.__dict__[key] = _bound(value, module.__dict__)
    exec(compile(code, f"<{file}, changed>", "exec"), module.__dict__)
    return module


def _bound(function, namespace):
    bound = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)
    bound.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(bound, function, assigned=("__doc__", "__qualname__"), updated=())
