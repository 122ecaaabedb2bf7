"""The fast layers in both of their versions: compiled for the tests, and on NumPy."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

KIT = Path(__file__).resolve().parents[2] / "assignment2"
BUILD = [sys.executable, "setup.py", "build_ext", "--inplace"]


@pytest.fixture(scope="session")
def copy_kit(tmp_path_factory):
    """A function that copies what a student has of the fast layers to a new folder, nothing compiled."""
    left_out = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")

    def copy():
        folder = tmp_path_factory.mktemp("kit")
        shutil.copy(KIT / "setup.py", folder)
        shutil.copytree(KIT / "cs231n", folder / "cs231n", ignore=left_out)
        return folder

    return copy


@pytest.fixture(scope="session")
def compiled(copy_kit):
    """A copy of the kit in which the command for students has been run, and what that printed."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if not shutil.which(compiler):
        pytest.skip(f"no C compiler ({compiler}) here")
    folder = copy_kit()
    # A little optimization: all of it takes a while, and none of it makes slow layers.
    options = os.environ | {"CFLAGS": "-O1 -g0 -Wall -Wextra"}
    done = subprocess.run(BUILD, cwd=folder, env=options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return folder, done.stdout


@pytest.fixture(scope="session", params=["numpy", "cython"])
def fast(request):
    """The module cs231n.fast_layers, imported again with one of its backends."""
    compiled_module = None  # makes Python refuse the import
    if request.param == "cython":
        folder, _ = request.getfixturevalue("compiled")
        binary = next(folder.glob("cs231n/_fast/cython_backend*" + suffix()))
        compiled_module = load("cs231n._fast.cython_backend", binary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cs231n._fast.cython_backend", compiled_module)
        patch.delattr("cs231n._fast.cython_backend", raising=False)  # if it is compiled in this checkout
        module = load(f"fast_layers_{request.param}", KIT / "cs231n" / "fast_layers.py")
    assert request.param == module.BACKEND
    return module


def suffix():
    return sysconfig.get_config_var("EXT_SUFFIX")


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
