"""Compile the fast layers: python setup.py build_ext --inplace

This is optional: without the compiled module, `cs231n/fast_layers.py` computes the same with NumPy.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

HELP = """The fast layers were not compiled: {reason}
Everything works without them, only slower. To compile them, install what is missing:
  Python packages  {python} -m pip install "cython>=3" setuptools
  Linux            sudo apt install build-essential python3-dev (Fedora: sudo dnf install gcc python3-devel)
  macOS            xcode-select --install
  Windows          Microsoft C++ Build Tools, https://visualstudio.microsoft.com/visual-cpp-build-tools/
Then type again: python setup.py build_ext --inplace"""


def stop(reason: object) -> NoReturn:
    """Leave with a nonzero code and the one message that says how to go on."""
    sys.exit(HELP.format(reason=reason, python=Path(sys.executable).name))


def build() -> None:
    """Translate cython_backend.pyx to C and compile it; all files except the module itself go into build/."""
    try:
        import setuptools  # before Cython, which looks for it
        from Cython import __version__
        from Cython.Build import cythonize
        from Cython.Compiler.Errors import CompileError
    except ImportError as error:
        stop(error)
    if int(__version__.split(".")[0]) < 3:
        stop(f"Cython {__version__} is too old, 3 is needed")

    os.chdir(Path(__file__).resolve().parent)
    try:
        layers = setuptools.Extension(
            "cs231n._fast.cython_backend",
            ["cs231n/_fast/cython_backend.pyx"],
            depends=[str(path) for pattern in ("*.h", "*.pxi") for path in Path("cs231n/_fast").glob(pattern)],
            include_dirs=["cs231n/_fast"],
            # These arguments come last, so an -O here would override one in CFLAGS.
            extra_compile_args=[] if os.name == "nt" or "-O" in os.environ.get("CFLAGS", "") else ["-O3"],
        )
        modules = cythonize(layers, build_dir="build")
        setuptools.setup(name="cs231n", packages=["cs231n", "cs231n._fast"], ext_modules=modules)
    except CompileError:
        stop("Cython does not accept cs231n/_fast/cython_backend.pyx; the reason is printed above")
    except SystemExit as error:  # how setuptools reports a compiler that is missing or fails
        if not error.code or str(error.code).startswith("usage:"):
            raise
        stop(f"the C compiler is missing or failed ({error.code})")


if __name__ == "__main__":
    build()
