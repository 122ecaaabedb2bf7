"""The names of the engine that planted attacks use: each exists today.

An attack that replaces `worker.frames.pack` becomes harmless if that function gets another name, and its case still
gets the expected verdict. So these tests read the code of all sample submissions and resolve every such name.
"""

import importlib
import inspect
import re
from importlib.util import find_spec

import pytest

from autograder.samples.load import load_samples
from tests.test_attacks import FORGE

# Inside the sandbox, the folder autograder/sandbox/worker is the package `worker`.
PACKAGES = {"worker": "autograder.sandbox.worker", "autograder": "autograder"}
# Names that an attack uses although they do not exist: {(sample, name): reason}.
ABSENT_ON_PURPOSE = {}

_NAME = r"[A-Za-z_]\w*"
_DOTTED = re.compile(rf"(?<![\w./])(?:{'|'.join(PACKAGES)})(?:\.{_NAME})+")
_FROM = re.compile(rf"\bfrom ((?:{'|'.join(PACKAGES)})[\w.]*) import ({_NAME})")
_LOADED = rf"""(?:sys\.)?modules(?:\[|\.get\()["']((?:{"|".join(PACKAGES)})[\w.]*)["'][\])]"""
_ATTRIBUTE = re.compile(rf"{_LOADED}((?:\.{_NAME})+)")
_VARIABLE = re.compile(rf"\b({_NAME}) = {_LOADED}(?![.\w(\[])")


def find_names(text):
    """Return the dotted names of the engine in a text of Python code, also inside strings.

    `sys.modules["worker.main"].main` and, after `m = sys.modules["worker.main"]`, `m.main` are both `worker.main.main`.
    """
    names = set(_DOTTED.findall(text))
    names |= {f"{module}.{name}" for module, name in _FROM.findall(text)}
    names |= {module + attributes for module, attributes in _ATTRIBUTE.findall(text)}
    for variable, module in _VARIABLE.findall(text):
        names |= {module + attributes for attributes in re.findall(rf"(?<![\w.]){variable}((?:\.{_NAME})+)", text)}
    return names


def exists(name):
    """Return whether a dotted name is a module of the engine or an attribute of one; instances have any attribute."""
    package, _, rest = name.partition(".")
    module, steps = PACKAGES[package], rest.split(".") if rest else []
    while steps and _is_module(f"{module}.{steps[0]}"):
        module = f"{module}.{steps.pop(0)}"
    value = importlib.import_module(module)
    for step in steps:
        if not (inspect.ismodule(value) or inspect.isclass(value)):
            return True
        if not hasattr(value, step):
            return False
        value = getattr(value, step)
    return True


def _is_module(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the part before the last dot is a module and no package
        return False


def read_code():
    """Return {name: code} of all sample submissions, and of the attack in tests/test_attacks.py."""
    code = {"tests/test_attacks.py": FORGE}
    for name, sample in load_samples().items():
        texts = [change["new"] for change in (*sample.change, *sample.cell)]
        texts += [entry["text"] for entry in (*sample.write, *sample.place) if "text" in entry]
        code[name] = "\n".join(texts)
    return code


def test_every_name_of_the_engine_in_an_attack_exists():
    absent = {(sample, name) for sample, text in read_code().items() for name in find_names(text) if not exists(name)}
    assert absent == set(ABSENT_ON_PURPOSE), "Write the new name into the attack, or list it with the reason."


def test_the_attacks_use_the_parts_of_the_worker_that_a_takeover_needs():
    """If the search finds nothing, the test above proves nothing."""
    found = set().union(*map(find_names, read_code().values()))
    needed = {"worker.frames.pack", "worker.main.Worker._wrap", "worker.proxies._proxy", "worker.values._store"}
    assert needed | {"autograder.checking.compare", "autograder.checks.axes", "worker.values.encode"} <= found


@pytest.mark.parametrize(
    "text, names",
    [
        ("import autograder.compare", {"autograder.compare"}),
        ("from worker.frames import pack", {"worker.frames", "worker.frames.pack"}),
        ("from worker import frames", {"worker.frames"}),
        ('sys.modules["worker.values"]._store = f', {"worker.values", "worker.values._store"}),
        ("sys.modules.get('worker.main').main()", {"worker.main", "worker.main.main"}),
        ('m = sys.modules["worker.main"]\nm.Worker._wrap = f', {"worker.main", "worker.main.Worker._wrap"}),
        ('m = sys.modules["worker"]\nx = m.frames', {"worker.frames"}),
        ("exec('import autograder.checks')", {"autograder.checks"}),
        ("for name in ('worker.frames', 'json'): pass", {"worker.frames"}),
        ("open('/kit/worker/main.py'), my.worker.frames, coworker.frames", set()),
    ],
)
def test_the_search_finds(text, names):
    assert find_names(text) == names


@pytest.mark.parametrize("name", ["worker", "worker.frames", "worker.frames.pack", "worker.main.Worker._wrap"])
def test_a_name_that_exists(name):
    assert exists(name)


@pytest.mark.parametrize(
    "name", ["worker.frame", "worker.frames.write", "worker.main.Worker._wrapped", "autograder.compare", "worker.a.b"]
)
def test_a_name_that_does_not_exist(name):
    assert not exists(name)
