"""The command that compiles the fast layers: it leaves no litter and no warning, and says what it misses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools

pytestmark = pytest.mark.xdist_group("compiled")  # one process compiles, once

COMMAND = ["setup.py", "build_ext", "--inplace"]
TO_INSTALL = ("build-essential python3-dev", "xcode-select --install", "Microsoft C++ Build Tools", "cython>=3")


def build(folder, *options, **variables):
    command = [sys.executable, *options, *COMMAND]
    return subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True)


def assert_says(done, reason):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert reason in done.stderr
    assert all(part in done.stderr for part in TO_INSTALL)
    assert done.stderr.rstrip().endswith("Then type again: python setup.py build_ext --inplace")


def test_compiles_without_a_warning(compiled):
    assert "warning" not in compiled[1].lower()


def test_only_the_module_itself_lands_beside_the_sources(compiled, copy_kit):
    def files(folder):
        paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return {path.as_posix() for path in paths if "__pycache__" not in path.parts and path.parts[0] != "build"}

    (added,) = files(compiled[0]) - files(copy_kit())
    assert added.startswith("cs231n/_fast/cython_backend.")


def test_without_a_compiler_says_what_to_install(compiled, tmp_path):
    """The C code that Cython has written is there; what the compiler made of it is not."""
    folder = shutil.copytree(compiled[0], tmp_path / "kit", ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.o"))
    assert_says(build(folder, CC="/nonexistent"), "the C compiler is missing or failed")


@pytest.mark.parametrize("missing", ["setuptools", "Cython"])
def test_without_a_python_package_names_it(tmp_path, copy_kit, missing):
    packages = Path(setuptools.__file__).parents[1]
    if missing == "Cython":
        for name in ("setuptools", "_distutils_hack", "pkg_resources"):  # old versions need all three
            if (packages / name).exists():
                (tmp_path / name).symlink_to(packages / name)
    # -S: Python without its site-packages
    assert_says(build(copy_kit(), "-S", PYTHONPATH=str(tmp_path)), f"No module named '{missing}'")


def test_other_commands_keep_the_usage_message_of_setuptools(compiled):
    done = subprocess.run([sys.executable, "setup.py", "nonsense"], cwd=compiled[0], capture_output=True, text=True)
    assert done.returncode != 0 and "invalid command" in done.stderr
