"""For any code of a student, the judge gets an answer or a verdict within the limits, and can continue."""

import re
import site
import time
import types

import numpy as np
import pytest

from autograder.assignment.manifest import Limits
from autograder.sandbox.exit_reason import make_time_reason
from autograder.sandbox.isolation import PLAIN
from autograder.sandbox.worker.values import Handle
from autograder.sandbox.worker_client import CallError, WorkerClient, WorkerStartError
from autograder.sandbox.worker_process import start_worker

CODE = """
import os, signal, sys, time
import numpy as np

RAISED = []

def double(x): return 2 * x
def pair(x): return x, {"x": x}
def open_pair(cache): return float(cache["x"].sum())
def spoil(x, y): x += 1; return y
def nothing(): pass
def an_object(): return object()
def many(): return 1, 2, 3
def complex_numbers(): return np.ones(2) * 1j
def too_much(): return np.zeros(10**8, dtype=np.uint8)
class Net:
    def __init__(self, size=1): self.params = {"W1": np.zeros(size)}
    def loss(self, x, y=None): return float(x.sum()) if y is None else (1.0, {"W1": x})

def stub(): raise NotImplementedError()
def calls_stub(): return stub()
def raises(): return {}["W1"]
def old(): return np.float(3)
def leaves(): sys.exit("bye")
def quits(): quit()
def asks_for_help(): help(len)
def leaves_hard(): os._exit(3)
def crashes():
    import ctypes
    ctypes.string_at(0)
def aborts(): os.abort()
def recurses(): return recurses()
def loops():
    while True: pass
def sleeps(): time.sleep(1000)
def too_large(): return np.ones(10**11)
def forbidden(): os.fork()
def interrupts(): raise KeyboardInterrupt
class Hostile(Exception):
    def __str__(self): os.write(2, b""); raise RuntimeError
def hostile(): raise Hostile
class Exiting(Exception):
    def __str__(self): sys.exit()
def exiting(): raise Exiting
def surrogate(): raise ValueError("\\ud800")
def long_message(): raise ValueError("x" * 100_000)

def write_everywhere(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
def garbage(): write_everywhere(b"garbage" * 10); return 1
def own_frame(text):
    import struct
    text = text.encode()
    write_everywhere(struct.pack("<2sII", b"A2", len(text), 0) + text)
    return 1
def closes(): os.closerange(3, 64)
def closes_and_loops():
    closes()
    loops()

def prints(text): print(text); print(text, file=sys.stderr); return 1
def floods():
    for _ in range(2000): print("x" * 1000)
    return 1
def reads(): return sys.stdin.read()
"""
# A limit that no slow or busy machine reaches; tests that must reach a limit set their own.
LIMITS = Limits(cpu_seconds=30, wall_seconds=120, memory_mb=1024)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    (folder / "probe.py").write_text(CODE)
    (folder / "broken.py").write_text("def f(:\n")
    (folder / "eager.py").write_text("raise NotImplementedError('at import')")
    return folder


@pytest.fixture
def student(folder, isolation):
    with WorkerClient(folder, LIMITS, isolation) as student:
        yield student


def failure(student, name, *args, **options):
    with pytest.raises(CallError) as error:
        student.call(f"probe:{name}", *args, **options)
    return error.value


class TestAnAnswer:
    def test_is_what_the_function_returned(self, student):
        np.testing.assert_array_equal(student.call("probe:double", np.arange(3)), [0, 2, 4])
        assert student.call("probe:double", x="ab") == "abab"
        assert student.call("probe:nothing") is None

    def test_may_stay_in_the_worker_and_be_handed_back(self, student):
        out, cache = student.call("probe:pair", np.ones(3), returns=["value", "handle"])
        assert out.tolist() == [1, 1, 1] and isinstance(cache, Handle) and cache.kind == "dict"
        assert student.call("probe:open_pair", cache) == 3.0

    def test_that_cannot_travel_stays_in_the_worker(self, student):
        assert student.call("probe:an_object").kind == "object"

    def test_of_a_method_and_an_attribute(self, student):
        net = student.call("probe:Net", size=2, returns="handle")
        assert student.call((net, "loss"), np.ones(3)) == 3.0
        loss, grads = student.call((net, "loss"), np.ones(2), y=1, returns=["value", "value"])
        assert loss == 1.0 and list(grads) == ["W1"]
        assert student.get(net, "params")["W1"].shape == (2,)

    def test_comes_with_the_arguments_as_they_are_after_the_call(self, student):
        x = np.zeros(2)
        result, after = student.call("probe:spoil", x, 5, echo=True)
        assert result == 5 and after[0].tolist() == [1, 1] and after[1] == 5 and not x.any()


class TestAFailureIsAVerdict:
    @pytest.mark.parametrize(
        "name, verdict, says",
        [
            ("stub", "missing", r"not done yet: the stub is still there in stub \(probe.py, line 20\)"),
            ("absent", "missing", "there is no absent in the submission"),
            ("raises", "error", r"raises raised KeyError: 'W1' in raises \(probe.py, line 22\)"),
            ("old", "error", r"np.float was removed from NumPy; write plain float"),
            ("leaves", "error", r"the code calls exit\(\)"),
            ("quits", "error", r"the code calls exit\(\)"),
            ("leaves_hard", "error", r"the process ended while leaves_hard ran \(exit status 3\). Take out exit\(\)"),
            ("crashes", "error", r"crashed while crashes ran \(signal 11\)"),
            ("aborts", "error", r"crashed while aborts ran \(signal (6|11)\)"),
            ("recurses", "error", "RecursionError"),
            ("interrupts", "error", "KeyboardInterrupt"),
            ("too_large", "memory", "took more memory than there is.* It raised MemoryError: .* in too_large"),
            ("forbidden", "forbidden", "PermissionError"),
            ("hostile", "error", "hostile raised Hostile in hostile"),
            ("exiting", "error", "exiting raised Exiting in exiting"),
            ("garbage", "forbidden", "something other than an answer came from its process"),
            ("closes", "error", "the process ended while closes ran"),
            ("complex_numbers", "failed", "complex_numbers returned an array of dtype complex128"),
            (
                "too_much",
                "memory",
                "One answer may have 64 MB.* the answer is too large: .*100000000 bytes",
            ),
        ],
    )
    def test_with_a_sentence(self, student, name, verdict, says):
        error = failure(student, name)
        assert error.verdict == verdict
        assert re.search(says, str(error)), error

    @pytest.mark.parametrize("name, came", [("many", "3 values"), ("double", "one int"), ("nothing", "one NoneType")])
    def test_when_another_number_of_values_comes_back(self, student, name, came):
        args = [1] if name == "double" else []
        error = failure(student, name, *args, returns=["value", "handle"])
        assert (error.verdict, str(error)) == ("failed", f"{name} returned {came}, where 2 were expected")

    def test_when_the_arguments_do_not_fit(self, student):
        assert failure(student, "double").verdict == "error"

    @pytest.mark.parametrize("module, verdict", [("broken", "error"), ("eager", "missing"), ("absent", "error")])
    def test_when_the_module_cannot_be_imported(self, student, module, verdict):
        with pytest.raises(CallError) as error:
            student.call(f"{module}:f")
        assert error.value.verdict == verdict

    def test_and_names_the_function_that_is_missing(self, student):
        error = failure(student, "calls_stub")
        assert (error.verdict, error.file, error.function) == ("missing", "probe.py", "stub")

    def test_with_a_message_that_can_be_written_to_a_file(self, student):
        assert r"\ud800" in str(failure(student, "surrogate"))

    def test_with_a_message_of_bounded_length(self, student):
        assert len(str(failure(student, "long_message"))) < 1200


class TestAForgedAnswer:
    @pytest.mark.parametrize(
        "text",
        [
            "{}",
            '{"token": "0"}',
            '{"token": "0", "value": 1}',
            '{"token": null, "raised": {"type": "grader_fault"}}',
            "[1]",
            '{"token": "0", "value": {"array": "t0"}}',
        ],
    )
    def test_is_forbidden(self, student, text):
        assert failure(student, "own_frame", text).verdict == "forbidden"

    @pytest.mark.parametrize(
        "reply, options",
        [
            ({}, {}),
            ({"value": {"dtype": []}}, {}),
            ({"value": {"array": "t0"}}, {}),
            ({"value": 1}, {"returns": ["value", "value"]}),
            ({"value": {"list": [1, 1]}}, {"returns": ["value", "value"]}),
            ({"value": {"tuple": [1, 1, 1]}}, {"returns": ["value", "value"]}),
            ({"value": {"tuple": [1, 1]}}, {"returns": ["value", "handle"]}),
            ({"value": 1}, {"returns": "handle"}),
            ({"value": 1}, {"echo": True}),
            ({"value": 1, "echo": 1}, {"echo": True}),
            ({"value": 1, "echo": {"list": []}}, {"echo": True}),
        ],
        ids=str,
    )
    def test_that_knows_the_token_is_forbidden_where_it_is_not_what_was_asked(
        self, student, monkeypatch, reply, options
    ):
        monkeypatch.setattr("autograder.sandbox.worker_client.secrets.token_hex", lambda _: "known")
        monkeypatch.setattr(student, "_exchange", lambda request, name: ({"token": "known"} | reply, {}))
        assert failure(student, "double", 1, **options).verdict == "forbidden"

    @pytest.mark.parametrize(
        "raised", [1, [], None, {}, {"type": 1, "message": [], "trail": 5}, {"trail": [[], {}]}], ids=str
    )
    def test_account_of_an_exception_is_an_error_all_the_same(self, student, monkeypatch, raised):
        monkeypatch.setattr("autograder.sandbox.worker_client.secrets.token_hex", lambda _: "known")
        monkeypatch.setattr(student, "_exchange", lambda request, name: ({"token": "known", "raised": raised}, {}))
        assert failure(student, "double", 1).verdict == "error"


class TestTime:
    @pytest.mark.parametrize(
        "name, limits",
        [
            ("loops", Limits(1, 120, 1024)),
            ("loops", Limits(60, 2, 1024)),
            ("sleeps", Limits(60, 2, 1024)),
        ],
        ids=["loop by processor time", "loop by the clock", "sleep by the clock"],
    )
    def test_that_is_over_is_one_reason_and_nothing_is_left_to_try(self, folder, isolation, name, limits):
        with WorkerClient(folder, limits, isolation) as student:
            error = failure(student, name)
            assert (error.verdict, error.limit) == ("timeout", "time")
            assert str(error) == make_time_reason(name, limits).message
            assert student.seconds_left == 0

    def test_of_a_worker_that_closes_its_line_and_goes_on_is_over_too(self, folder, isolation):
        with WorkerClient(folder, Limits(1, 120, 1024), isolation) as student:
            assert failure(student, "closes_and_loops").verdict == "timeout"

    def test_of_calls_adds_up_and_starting_the_worker_is_free(self, student, monkeypatch):
        clock = types.SimpleNamespace(ahead=0)
        clock.monotonic = lambda: time.monotonic() + clock.ahead
        monkeypatch.setattr("autograder.sandbox.worker_client.time", clock)

        def start_slowly(*arguments):
            clock.ahead += 1000
            return start_worker(*arguments)

        monkeypatch.setattr("autograder.sandbox.worker_client.start_worker", start_slowly)
        student.call("probe:double", 1)
        first = student.seconds_left
        assert 0 < first < LIMITS.wall_seconds
        student.call("probe:double", 1)
        assert student.seconds_left < first and 1000 < student.usage().wall_seconds < 1000 + LIMITS.wall_seconds


class TestAfterwards:
    @pytest.mark.parametrize("name", ["leaves_hard", "crashes", "garbage"])
    def test_the_next_call_works_in_a_new_process(self, student, name):
        failure(student, name)
        assert student.call("probe:double", 1) == 2

    def test_what_was_printed_is_kept(self, student):
        student.call("probe:prints", "seen")
        student.stop()
        assert student.printed.count("seen") == 2

    def test_the_end_of_a_large_output_is_kept(self, student):
        student.call("probe:floods")
        student.stop()
        assert 1000 < len(student.printed) <= 4000

    def test_help_can_be_called_as_in_any_python(self, student):
        student.call("probe:asks_for_help")
        student.stop()
        assert "number of items" in student.printed

    def test_standard_input_is_empty(self, student):
        assert student.call("probe:reads") == ""

    def test_modules_of_any_package_folder_can_be_imported(self, folder, tmp_path, monkeypatch):
        """Only the folders count: a .pth file in one of them does not run."""
        packages = tmp_path / "a folder: with a colon"
        packages.mkdir()
        (packages / "installed.py").write_text("def f(): import sys; return 'loaded' in vars(sys)\n")
        (packages / "own.pth").write_text("import sys; sys.loaded = True\n")
        before = site.getsitepackages()
        monkeypatch.setattr(site, "getsitepackages", lambda: [*before, str(packages)])
        with WorkerClient(folder, LIMITS, PLAIN) as student:
            assert student.call("installed:f") is False

    def test_a_worker_that_does_not_start_is_the_graders_fault(self, folder, isolation, monkeypatch):
        monkeypatch.setattr("autograder.sandbox.worker_process._START", "raise SystemExit('no interpreter')")
        with WorkerClient(folder, LIMITS, isolation) as student, pytest.raises(WorkerStartError, match="did not start"):
            student.call("probe:double", 1)
