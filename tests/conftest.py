"""What all tests share.

Modules that load nbgrader are imported in fixtures: the process that only deals out tests needs none of them.
"""

import dataclasses
import functools
import gc
import importlib
import os
import shutil
import sys

import hypothesis
import pytest
from coverage import Coverage

# One thread of BLAS for each test process: more only wait for each other. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if "PYTEST_XDIST_WORKER" in os.environ:
    # pytest-cov counts for the process that deals out tests here too, and would go on where nothing is to be counted.
    # It starts to count for this process after this module; from then on, imports take twice as long.
    while Coverage.current():
        Coverage.current().stop()
    for name in ("matplotlib.pyplot", "nbgrader.apps"):
        importlib.import_module(name)

from tests.forked_worker import FORKS_TENSORFLOW, forked_workers, import_tensorflow
from tests.kit import ALL_CASES, MANIFEST, ROOT

# A busy machine is slow now and then; that is no failure.
hypothesis.settings.register_profile(
    "kit",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=100 if ALL_CASES else 25,  # others in every run
)
hypothesis.settings.load_profile("kit")

SMALL = ("relu_forward", "adam")  # questions of the small kit
TOOLS = ("chromium", "bubblewrap", "bwrap", "tensorflow", "postgresql", "compiler", "mount")


@pytest.fixture(scope="session")
def manifest():
    return MANIFEST


@pytest.fixture(scope="session")
def isolation():
    """The best isolation of this machine; in CI it has to be bubblewrap."""
    from autograder.sandbox.isolation import choose_isolation

    return choose_isolation("bubblewrap" if os.environ.get("CI") else None)


@pytest.fixture(scope="session")
def bubblewrap():
    return _isolation("bubblewrap")


@pytest.fixture(scope="session")
def landlock():
    return _isolation("landlock")


def _isolation(name):
    from autograder.sandbox.isolation import ISOLATIONS, why_not

    reason = why_not(ISOLATIONS[name])
    if reason:
        pytest.skip(f"{name}: {reason}")
    return ISOLATIONS[name]


@pytest.fixture
def forked(request):
    """The isolation of workers that are forked from this process: no sandbox, but a judge is twice as fast."""
    if FORKS_TENSORFLOW.mark in request.node.iter_markers():
        import_tensorflow()
    with forked_workers() as isolation:
        yield isolation


@pytest.fixture(scope="session")
def make_course(tmp_path_factory):
    """A function that makes a course directory whose gradebook knows the cells: one notebook with two questions."""
    from autograder.release.publish import publish
    from tests import courses

    kit = tmp_path_factory.mktemp("kit")
    course = courses.make_small_course(kit, "FullyConnectedNets", SMALL)
    publish(course, course.manifest)
    return functools.partial(_make_course, kit, (kit / "gradebook.db").read_bytes())


def _make_course(kit, gradebook, folder):
    from autograder.course.course import Course
    from tests import courses

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(courses.configuration(kit))
    (folder / "gradebook.db").write_bytes(gradebook)
    return Course(folder)


@pytest.fixture
def course(tmp_path):
    """A course directory without a gradebook: enough for whatever comes before grading."""
    from autograder.course.course import Course
    from tests import courses

    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(courses.configuration(ROOT))
    return Course(folder)


@pytest.fixture
def run_cli(monkeypatch, capsys):
    """Run the command line in this process; return (exit code, standard output, standard error)."""
    from autograder import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code or 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture(scope="session")
def hand_in():
    """A function that writes a sample submission into a course: without trained models and TensorFlow answers.

    Those take most of a minute to grade; tests/test_samples.py grades them.
    """
    from autograder.samples.load import load_samples
    from autograder.samples.sample import write_sample

    samples = load_samples()

    def hand_in(course, student, sample):
        folder, released = course.submitted(student), course.release / course.manifest.name
        code = dataclasses.replace(samples[sample], questions=("affine_forward",))  # with questions it has no models
        write_sample(code, course.manifest, folder, released)
        for path in released.glob("TensorFlow.ipynb"):
            shutil.copy(path, folder)
        return folder

    return hand_in


def pytest_sessionstart(session):
    """Count no coverage in the process that only deals out tests."""
    coverage = Coverage.current()
    if coverage and session.config.getoption("numprocesses", None):
        coverage.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Count no coverage in a test that is marked uncounted."""
    coverage = Coverage.current() if item.get_closest_marker("uncounted") else None
    if not coverage:
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


def pytest_xdist_auto_num_workers(config):
    """Two processes more than there are cores: some tests wait, for a limit or a server, and use no core."""
    return len(os.sched_getaffinity(0)) + 2


def pytest_collection_modifyitems(items):
    """Slow tests come first, so that no process has to wait for another one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish():
    """Leave all modules and tests out of garbage collection: there are a million objects, and they stay."""
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a test that is skipped for a missing tool fails: green must mean that it ran."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[-1])
        if any(tool in reason.lower() for tool in TOOLS):
            report.outcome = "failed"
            report.longrepr = f"in CI nothing may be skipped for a missing tool: {reason}"
