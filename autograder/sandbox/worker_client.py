"""The student's code as the judge sees it: functions that can be called and may answer anything.

Calls travel to a worker process and back as frames. Whatever goes wrong on the other side (an exception, an endless
loop, a crash, a forged answer) arrives here as one CallError with its verdict.
"""

import contextlib
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from autograder.assignment.limits import Cost
from autograder.sandbox import cgroup
from autograder.sandbox.exit_reason import (
    MAX_ANSWERS_MB,
    Ending,
    Raised,
    Reason,
    exception_reason,
    exit_reason,
    is_forbidden,
    took_too_much_memory,
    wrote_too_much,
)
from autograder.sandbox.follow_through import AskedTooMuch
from autograder.sandbox.isolation import BUBBLEWRAP, start_worker, stop_worker
from autograder.sandbox.pipe import receive, send
from autograder.sandbox.python_errors import about_exception
from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import Handle, ValueTypeError, decode, encode

_TAIL = 4000  # characters of the student's prints that are kept
_DYING = 10  # seconds that a process may take to end after its line is closed, however little time is left


class CallError(Exception):
    """The student's side failed: `verdict` is one of report.VERDICTS, the message is for the student.

    `file` and `function` say where in the submission an exception was raised, where that is known, and `raised` its
    type and the first line of its message. `limit` is "time" or "memory" where one was reached that a retry may raise.
    """

    limit = None

    def __init__(self, verdict, message, file=None, function=None, raised=None):
        super().__init__(message)
        self.verdict, self.file, self.function, self.raised = verdict, file, function, raised

    @property
    def is_not_answered(self):
        """Whether the student's code asked the judge for what it cannot answer; the worker's word."""
        return bool(self.raised) and self.raised[0] == "NotAnswered"


@dataclass(frozen=True)
class Call:
    """One call that was made: what was asked, and what came back (a value, or a CallError).

    `after` are the positional arguments as they were after the call, where that was asked for.
    """

    target: str | tuple
    args: tuple
    kwargs: dict
    returns: str | list
    is_call: bool
    result: Any
    after: list | None = None


class WorkerClient:
    """One worker on one staged submission, started at the first call and after it died; use as a context manager.

    - answers: follow_through.Answers, for functions that the judge answers in the place of the student's own
    - advice: (regular expression, advice) for exceptions that only this assignment's code meets
    """

    def __init__(self, folder, limits, isolation, hidden=(), withheld=(), answers=None, advice=()):
        self._start = lambda: start_worker(folder, limits, isolation, hidden, withheld, self._group)
        self._limits = limits
        self._answers = answers
        self._advice = advice
        self.calls = []  # every Call since somebody emptied this list
        self._process = self._group = None
        self._printed = bytearray()
        self._drain = None
        self._seconds_left = float(limits.wall_seconds)
        self._answered = 0  # bytes
        self._starting = 0.0  # seconds that workers took to start

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def printed(self):
        """The end of what the student's code printed."""
        return self._printed.decode("utf-8", "replace")[-_TAIL:]

    @property
    def seconds_left(self):
        """What remains of this question's wall-clock time."""
        return self._seconds_left

    def stop(self):
        """End the worker; handles from it are void from here on."""
        process, self._process = self._process, None
        if process:
            stop_worker(process)
            self._drain.join(timeout=5)
        group, self._group = self._group, None
        if group:
            group.remove()

    def call(self, target, *args, returns="value", echo=False, **kwargs):
        """Call a function of the student's and return what it returned.

        - target: "cs231n.layers:affine_forward", or (handle, "loss") for a method
        - returns: "value", or "handle" for what stays in the worker, or a list of these, one for each value returned
        - echo: also return the positional arguments as they are after the call: (result, arguments)
        """
        return self._recorded(target, True, args, kwargs, returns, echo)

    def get(self, handle, attribute, returns="value"):
        """Return an attribute of something the worker keeps."""
        return self._recorded((handle, attribute), False, (), {}, returns, False)

    def usage(self):
        """Return the limits.Cost so far, starting included, or None where no worker runs.

        Processor and memory are those of the worker that runs now.
        """
        if self._process is None:
            return None
        wall = self._starting + self._limits.wall_seconds - self._seconds_left
        processor, _ = self._ask("time:process_time", True, (), {}, "value", False)
        status = {}
        with contextlib.suppress(CallError):  # only Linux has this file
            file, _ = self._ask("pathlib:Path", True, ("/proc/self/status",), {}, "handle", False)
            text, _ = self._ask((file, "read_text"), True, (), {}, "value", False)
            status = dict(re.findall(r"^(Vm\w+):\s*(\d+) kB", text, re.MULTILINE))
        peaks = [round(int(status.get(name, 0)) / 1024, 1) for name in ("VmHWM", "VmPeak")]
        return Cost(round(processor, 3), round(wall, 3), *peaks)

    def _recorded(self, target, is_call, args, kwargs, returns, echo):
        try:
            value, after = self._ask(target, is_call, args, kwargs, returns, echo)
        except CallError as error:
            self.calls.append(Call(target, args, kwargs, returns, is_call, error))
            raise
        self.calls.append(Call(target, args, kwargs, returns, is_call, value, after if echo else None))
        return (value, after) if echo else value

    def _ask(self, target, call, args, kwargs, returns, echo):
        name = target if isinstance(target, str) else f"{target[0].kind}.{target[1]}"
        name = name.rpartition(":")[2]
        tensors = {}
        header = {
            "token": secrets.token_hex(8),
            "target": _path(target),
            "call": call,
            "args": [encode(value, tensors) for value in args],
            "kwargs": {key: encode(value, tensors) for key, value in kwargs.items()},
            "returns": returns,
            "echo": echo,
        }
        if self._answered > MAX_ANSWERS_MB << 20:  # a retry would not raise this limit
            self._fail(replace(took_too_much_memory(name, self._limits, self._memory_mb), limit=None))
        reply, arrays = self._exchange(frames.pack(header, tensors), name)
        self._answered += sum(array.nbytes for array in arrays.values())
        if reply.get("token") != header["token"]:
            self._forbid(f"while {name} ran, something wrote on the line that only the judge may use")
        if "raised" in reply:
            raise self._raised(reply["raised"], name)
        if self._has_written_too_much():
            self._fail(wrote_too_much(name))
        try:
            value = decode(reply["value"], arrays)
            after = decode(reply["echo"], arrays) if echo else list(args)
            if not (_fits(value, returns) and isinstance(after, list) and len(after) == len(args)):
                raise ValueTypeError("not what was asked for")
            return value, after
        except (ValueTypeError, KeyError):
            self._forbid(f"the answer of {name} is no answer of this protocol")

    def _exchange(self, request, name):
        """Send a request and return the reply; every way the worker can let us down ends in a CallError."""
        if self._process is None:
            self._open()
        deadline = time.monotonic() + self._seconds_left
        try:
            reply = self._send_and_receive(request, deadline)
            while self._answers and "ask" in reply[0]:
                asked = time.monotonic()
                if asked > deadline:
                    raise TimeoutError
                answer = self._answers.reply(*reply)
                deadline += time.monotonic() - asked  # the judge's own time
                reply = self._send_and_receive(answer, deadline)
        except (TimeoutError, AskedTooMuch):
            self._fail(self._exit_reason(name))
        except frames.FrameError as error:
            self._forbid(f"while {name} ran, something other than an answer came from its process ({error})")
        except (EOFError, OSError):
            self._fail(self._exit_reason(name, max(_DYING, deadline - time.monotonic())))
        finally:
            self._seconds_left = max(0.0, min(self._seconds_left, deadline - time.monotonic()))
        return reply

    def _send_and_receive(self, data, deadline):
        send(self._process.stdin.fileno(), data, deadline)
        return frames.read(lambda size: receive(self._process.stdout.fileno(), size, deadline))

    @property
    def _memory_mb(self):
        """The memory limit that holds on this machine."""
        return self._limits.memory_mb if self._group else self._limits.address_mb

    def _open(self):
        started = time.monotonic()
        self._group = cgroup.make(self._limits.memory_mb)
        self._process = self._start()
        os.set_blocking(self._process.stdin.fileno(), False)
        self._drain = threading.Thread(target=self._keep_output, args=(self._process.stderr,), daemon=True)
        self._drain.start()
        # Starting the interpreter is the grader's time, not the student's.
        own, self._seconds_left = self._seconds_left, 60.0
        try:
            self._ask("math:sqrt", True, (1.0,), {}, "value", False)
            self._process.watch_home()
        except CallError as error:
            raise WorkerStartError(f"the worker did not start: {error}; it printed: {self.printed}") from None
        finally:
            self._seconds_left = own
            self._starting += time.monotonic() - started
        if self._answers:
            self._ask("worker.answered:install", True, (self._answers.names,), {}, "value", False)

    def _keep_output(self, stream):
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 1 << 16):
                self._printed += data
                del self._printed[: -4 * _TAIL]

    def _exit_reason(self, name, seconds=None):
        """Return the exit_reason.Reason why the worker does not answer any more.

        - seconds: how long to wait for the end of a worker that has closed its line; None where time is over already
        """
        process, group = self._process, self._group
        status = None if seconds is None else process.wait_for_end(seconds)
        process.kill_all()
        home = process.home.usage() if process.home else None
        out_of_memory = bool(group and group.was_exhausted())
        ending = Ending(status, process.cpu_seconds, status is None, out_of_memory, home)
        return exit_reason(name, ending, self._limits, self._memory_mb)

    def _raised(self, account, name):
        """Return the CallError for the worker's account of an exception, by the limit that it came from, if any."""
        account = account if isinstance(account, dict) else {}
        error = _raised(account, name, self._advice)
        reason, seen = None, ""
        if error.raised:
            number = account.get("errno")
            raised = Raised(*error.raised, number if type(number) is int else None)
            own_disk = self._process is not None and self._process.isolation is BUBBLEWRAP
            reason = exception_reason(name, raised, self._limits, self._memory_mb, own_disk)
            error.verdict = "forbidden" if is_forbidden(raised) else error.verdict
            seen = f" It {str(error).removeprefix(name).strip(' .')}."
        if self._has_written_too_much():
            reason = wrote_too_much(name)
            self.stop()
        if reason:
            error.verdict, error.limit = reason.verdict, reason.limit
            error.args = (reason.message + seen,)
        return error

    def _has_written_too_much(self):
        return self._process is not None and self._process.has_written_too_much()

    def _forbid(self, message):
        self._fail(Reason("forbidden", message))

    def _fail(self, reason):
        self.stop()
        if reason.verdict == "timeout":
            self._seconds_left = 0.0  # a second endless loop in the same question would teach nobody anything
        error = CallError(reason.verdict, reason.message)
        error.limit = reason.limit
        raise error


class WorkerStartError(Exception):
    """The worker did not start: the grader's fault, never the student's."""


def _fits(value, returns):
    """Say whether an answer has the form that was asked for; what is in it is for the checks to judge."""
    if isinstance(returns, list):
        return isinstance(value, tuple) and len(value) == len(returns) and all(map(_fits, value, returns))
    return returns == "value" or isinstance(value, Handle)


def _path(target):
    if isinstance(target, str):
        module, _, name = target.partition(":")
        return ["module", module, *name.split(".")]
    handle, *names = target
    assert isinstance(handle, Handle)
    return ["handle", handle.number, *names]


def _raised(raised, name, advice):
    """Turn the worker's account of an exception into a CallError. The account is the student's word: text only."""
    kind, message = _text(raised.get("type", "")), _text(raised.get("message", ""))
    trail = raised.get("trail")
    trail = [step for step in trail if isinstance(step, dict)] if isinstance(trail, list) else []
    place, where = "", (None, None)
    if trail:
        where = _text(trail[-1].get("file")), _text(trail[-1].get("function"))
        function = where[1] if where[1].isidentifier() or where[1].startswith("<") else "a function"
        place = f" in {function} ({where[0]}, line {_text(trail[-1].get('line'))})"
    if kind == "NotImplementedError":
        return CallError("missing", f"not done yet: the stub is still there{place}", *where)
    if kind == "AttributeError" and message.startswith("module ") and f"'{name}'" in message and not trail:
        return CallError("missing", f"there is no {name} in the submission")
    if kind == "returned":
        return CallError("failed", f"{name} returned {message}")
    if kind == "SystemExit":
        message = "the code calls exit()"
    known = about_exception(kind, message, advice)
    first = message.strip().partition("\n")[0]  # NumPy, for one, adds paragraphs
    said = f"{name} raised {kind}{': ' if first else ''}{first}{place}"
    return CallError("error", f"{said}. {known}" if known else said, *where, raised=(kind, first))


def _text(value):
    """Return a value as text that can be written to any file: lone surrogates become visible escapes."""
    return str(value)[:1000].encode("utf-8", "backslashreplace").decode()
