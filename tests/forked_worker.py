"""A worker that is forked from this process: the worker's own code, protocol and filter, but no sandbox.

Starting Python and importing NumPy takes most of the time in which a question is judged; importing TensorFlow takes
twenty times as long. Tests of the results of checks use this worker. Tests of the sandbox, of limits, crashes and
printed output use a real one, and so do all attacks and the golden report of the reference.
"""

import contextlib
import functools
import importlib.util
import json
import multiprocessing
import os
import random
import resource
import site
import sys
import threading
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from autograder.sandbox import worker_client
from autograder.sandbox.host_paths import WORKER
from autograder.sandbox.isolation import Isolation
from autograder.sandbox.worker_process import ENVIRONMENT, NO_OPTIONS, WorkerProcess

INSTALLED = tuple(f"{folder}/" for folder in (sys.base_prefix, *site.getsitepackages()))
# For tests that judge with the kit's own seed: one process runs all tests with this mark, and measures a slope once.
SHARES_SLOPES = pytest.mark.xdist_group("slopes")
# For tests whose forked workers need TensorFlow: one process runs them, and imports TensorFlow once.
FORKS_TENSORFLOW = pytest.mark.xdist_group("tensorflow")
_REMOVED = []  # modules of the tests, in a forked process
FORKED = Isolation("forked", False, "Student code ran in a copy of the process of the tests.")


@contextlib.contextmanager
def forked_workers():
    """Let workers whose isolation is FORKED start in this process."""
    real = worker_client.start_worker

    def start_worker(folder, limits, isolation, options=NO_OPTIONS, group=None):
        if isolation is FORKED:
            return _fork_worker(folder, limits, options)
        return real(folder, limits, isolation, options, group)

    with mock.patch.object(worker_client, "start_worker", start_worker):
        yield FORKED


@functools.cache
def import_tensorflow():
    """Import TensorFlow into this process as a worker would, so that forked workers have it.

    Skips the test if TensorFlow is not installed. Nothing may compute with it in this process, since a forked worker
    would lack its threads: see `run_in_fork`.
    """
    if not importlib.util.find_spec("tensorflow"):
        pytest.skip("tensorflow is not installed")
    with warnings.catch_warnings(), mock.patch.dict(os.environ, ENVIRONMENT):
        warnings.simplefilter("ignore")
        importlib.import_module("tensorflow")


def run_in_fork(function, *args):
    """Call a function of a module in a copy of this process and return its result, or raise its exception."""
    with warnings.catch_warnings(), ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        warnings.simplefilter("ignore", DeprecationWarning)  # see `_fork_worker`
        return pool.submit(function, *args).result()


def _fork_worker(folder, limits, options):
    used = resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[0])
    bounds = {"cpu_seconds": limits.cpu_seconds, "memory_mb": limits.address_mb + (used >> 20)}
    settings = {"submission": str(folder), "limits": bounds, "withheld": list(options.withheld)}
    main, pipes = _import_worker(), [os.pipe() for _ in range(3)]
    inner = [pipes[0][0], pipes[1][1], pipes[2][1]]
    outer = [pipes[0][1], pipes[1][0], pipes[2][0]]
    modules = [name for name in sys.modules if not _is_kept(name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads, which wait for input
        pid = os.fork()
    if pid == 0:
        try:
            _leave_this_process(inner, folder, modules)
            sys.argv[:] = ["-c", json.dumps(settings)]
            main()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # never back into the tests
    for descriptor in inner:
        os.close(descriptor)
    return WorkerProcess(_Child(pid, *outer), FORKED, None)


class _Child:
    """The part of the interface of `subprocess.Popen` that WorkerProcess uses."""

    def __init__(self, pid, stdin, stdout, stderr):
        self.pid, self.returncode = pid, None
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(descriptor, mode, 0) for descriptor, mode in ((stdin, "wb"), (stdout, "rb"), (stderr, "rb"))
        )

    def wait(self):
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


@functools.cache
def _import_worker():
    """Return the function `main` of the worker, imported from `worker.main` as in a real worker."""
    sys.path.insert(0, str(WORKER.parent))
    from worker.main import main

    sys.path.pop(0)
    return main


def _leave_this_process(descriptors, folder, modules):
    """Remove everything that belongs to the tests from this process, except installed modules.

    A fork copies each page of memory that it writes to, and to look at an object is to write its reference count. So
    the process that forks finds the names of the modules, and here nothing is deleted and no garbage collected.
    """
    os.setsid()  # first, because the grader may kill the group at any time
    sys.settrace(None)
    threading.settrace(None)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(ENVIRONMENT | {"HOME": str(folder)})
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
    warnings.resetwarnings()
    _REMOVED.extend(sys.modules.pop(name) for name in modules)
    sys.path[:] = [path for path in sys.path if f"{path}/".startswith(INSTALLED)]
    # Without the finder of the kit itself, and without pytest's, which rewrites asserts.
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder.__module__.startswith("_frozen_importlib")]
    sys.path_importer_cache.clear()
    np.random.seed()
    random.seed()


@functools.cache
def _is_kept(name):
    """Return whether a module belongs to the worker, is built in, or is installed."""
    module = sys.modules[name]
    place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)
    return place is None or place.startswith(INSTALLED) or name.partition(".")[0] in ("worker", "__main__")
