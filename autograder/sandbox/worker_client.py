"""The judge's side of a worker: it calls functions of the student's code, whose answers it does not trust.

A frame carries each call to a worker process, and another frame carries the answer back. Every failure of the worker
(an exception, an endless loop, a crash, a forged answer) becomes one CallError with its verdict.
"""

import contextlib
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from autograder.assignment.limits import Cost, Limits
from autograder.sandbox import cgroup
from autograder.sandbox.call import Call, CallError, Request, Returns, Target, WorkerStartError
from autograder.sandbox.exception_report import read_error_number, read_exception
from autograder.sandbox.exit_reason import (
    MAX_ANSWERS_MB,
    Ending,
    RaisedException,
    Reason,
    find_exception_reason,
    find_exit_reason,
    is_forbidden,
    make_disk_reason,
    make_memory_reason,
)
from autograder.sandbox.follow_through import AnswerLimitReached
from autograder.sandbox.isolation import BUBBLEWRAP, Isolation
from autograder.sandbox.pipe import receive, send
from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import Handle, ValueTypeError, decode, encode
from autograder.sandbox.worker_process import NO_OPTIONS, WorkerOptions, WorkerProcess, start_worker

__all__ = ["Call", "CallError", "WorkerClient", "WorkerStartError"]

_PRINTED_LENGTH = 4000  # characters of the student's prints that are kept
_END_SECONDS = 10  # for a process to end after it has closed its pipe, even if less time is left
_START_SECONDS = 60.0  # for starting the interpreter: the grader's time, not the student's


class WorkerClient:
    """One worker on one staged submission, started at the first call and after it died; use as a context manager.

    - calls: all Calls since the last time that a caller emptied this list
    """

    def __init__(self, folder: Path, limits: Limits, isolation: Isolation, options: WorkerOptions = NO_OPTIONS) -> None:
        self.calls: list[Call] = []
        self._folder, self._limits, self._isolation, self._options = folder, limits, isolation, options
        self._process: WorkerProcess | None = None
        self._group: cgroup.Group | None = None
        self._reader: threading.Thread | None = None  # reads the printed output of the student's code
        self._printed = bytearray()
        self._seconds_left = float(limits.wall_seconds)
        self._answer_bytes = 0
        self._start_seconds = 0.0  # that workers took to start

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def printed(self) -> str:
        """The end of the student's printed output."""
        return self._printed.decode("utf-8", "replace")[-_PRINTED_LENGTH:]

    @property
    def seconds_left(self) -> float:
        """The rest of this question's wall-clock time."""
        return self._seconds_left

    def stop(self) -> None:
        """End the worker; handles from it are invalid afterwards."""
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if process:
            process.kill_all()
        if reader:  # before its pipe is closed: a new file may get the number of a closed one
            reader.join(timeout=5)
        if process:
            process.close()
        group, self._group = self._group, None
        if group:
            group.remove()

    def call(self, target: Target, *args: Any, returns: Returns = "value", echo: bool = False, **kwargs: Any) -> Any:
        """Call a function of the student's and return its result.

        - target: "package.module:function", or (handle, "method")
        - returns: "value", or "handle" for a value that stays in the worker, or a list of these, one for each value
        - echo: also return the positional arguments as they are after the call: (result, arguments)
        """
        return self._record(Request(target, args, kwargs, returns, echo=echo))

    def get(self, handle: Handle, attribute: str, returns: Returns = "value") -> Any:
        """Return an attribute of a value that stays in the worker."""
        return self._record(Request((handle, attribute), returns=returns, is_call=False))

    def usage(self) -> Cost | None:
        """Return the limits.Cost so far, including the start, or None if no worker runs.

        Processor time and memory are those of the worker that runs now.
        """
        if self._process is None:
            return None
        wall = self._start_seconds + self._limits.wall_seconds - self._seconds_left
        processor, _ = self._ask(Request("time:process_time"))
        status: Mapping[str, str] = {}
        with contextlib.suppress(CallError):  # only Linux has this file
            file, _ = self._ask(Request("pathlib:Path", ("/proc/self/status",), returns="handle"))
            text, _ = self._ask(Request((file, "read_text")))
            status = dict(re.findall(r"^(Vm\w+):\s*(\d+) kB", text, re.MULTILINE))
        peaks = [round(int(status.get(name, 0)) / 1024, 1) for name in ("VmHWM", "VmPeak")]
        return Cost(round(processor, 3), round(wall, 3), *peaks)

    def _record(self, request: Request) -> Any:
        """Make a call, add it to `calls`, and return its result."""
        made = (request.target, request.args, request.kwargs, request.returns, request.is_call)
        try:
            value, after = self._ask(request)
        except CallError as error:
            self.calls.append(Call(*made, error))
            raise
        self.calls.append(Call(*made, value, after if request.echo else None))
        return (value, after) if request.echo else value

    def _ask(self, request: Request) -> tuple[Any, list[Any]]:
        """Make a call and return its result and the positional arguments after it."""
        name, tensors = request.name, {}
        header = {
            "token": secrets.token_hex(8),
            "target": request.path,
            "call": request.is_call,
            "args": [encode(value, tensors) for value in request.args],
            "kwargs": {key: encode(value, tensors) for key, value in request.kwargs.items()},
            "returns": request.returns,
            "echo": request.echo,
        }
        if self._answer_bytes > MAX_ANSWERS_MB << 20:  # a retry does not raise this limit
            self._fail(replace(make_memory_reason(name, self._limits, self._memory_mb), limit=None))
        reply, arrays = self._exchange(frames.pack(header, tensors), name)
        self._answer_bytes += sum(array.nbytes for array in arrays.values())
        if reply.get("token") != header["token"]:
            self._forbid(f"while {name} ran, something wrote on the line that only the judge may use")
        if "raised" in reply:
            raise self._make_error(reply["raised"], name)
        if self._has_written_too_much():
            self._fail(make_disk_reason(name))
        try:
            value = decode(reply["value"], arrays)
            after = decode(reply["echo"], arrays) if request.echo else list(request.args)
        except (ValueTypeError, KeyError):
            value = after = None
        if not (isinstance(after, list) and len(after) == len(request.args) and request.is_answered_by(value)):
            self._forbid(f"the answer of {name} is not an answer of this protocol")
        return value, after

    def _exchange(self, data: bytes, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send a frame and return the reply; every failure of the worker ends in a CallError."""
        process = self._process or self._start()
        deadline = time.monotonic() + self._seconds_left

        def send_and_receive(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
            send(process.stdin.fileno(), data, deadline)
            return frames.read(lambda size: receive(process.stdout.fileno(), size, deadline))

        try:
            reply = send_and_receive(data)
            while self._options.answers and "ask" in reply[0]:
                started = time.monotonic()
                if started > deadline:
                    raise TimeoutError
                answer = self._options.answers.reply(*reply)
                deadline += time.monotonic() - started  # the judge's own time
                reply = send_and_receive(answer)
        except (TimeoutError, AnswerLimitReached):
            self._fail(self._find_exit_reason(process, name))
        except frames.FrameError as error:
            self._forbid(f"while {name} ran, something other than an answer came from its process ({error})")
        except (EOFError, OSError):
            self._fail(self._find_exit_reason(process, name, max(_END_SECONDS, deadline - time.monotonic())))
        finally:
            self._seconds_left = max(0.0, min(self._seconds_left, deadline - time.monotonic()))
        return reply

    @property
    def _memory_mb(self) -> int:
        """The memory limit that holds on this machine."""
        return self._limits.memory_mb if self._group else self._limits.address_mb

    def _start(self) -> WorkerProcess:
        started = time.monotonic()
        self._group = cgroup.make(self._limits.memory_mb)
        process = start_worker(self._folder, self._limits, self._isolation, self._options, self._group)
        self._process = process
        os.set_blocking(process.stdin.fileno(), False)
        self._reader = threading.Thread(target=self._keep_output, args=(process.stderr,), daemon=True)
        self._reader.start()
        seconds_left, self._seconds_left = self._seconds_left, _START_SECONDS
        try:
            self._ask(Request("math:sqrt", (1.0,)))
            process.watch_home()
        except CallError as error:
            raise WorkerStartError(f"the worker did not start: {error}; it printed: {self.printed}") from None
        finally:
            self._seconds_left = seconds_left
            self._start_seconds += time.monotonic() - started
        if self._options.answers:
            self._ask(Request("worker.proxies:install", (self._options.answers.names,)))
        return process

    def _keep_output(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 1 << 16):
                self._printed += data
                del self._printed[: -4 * _PRINTED_LENGTH]

    def _find_exit_reason(self, process: WorkerProcess, name: str, seconds: float | None = None) -> Reason:
        """Return the exit_reason.Reason why the worker no longer answers.

        - seconds: how long to wait for the end of a worker that has closed its pipe; None if its time is over
        """
        group = self._group
        status = None if seconds is None else process.wait_for_end(seconds)
        process.kill_all()
        home = process.home.usage() if process.home else None
        out_of_memory = bool(group and group.was_exhausted())
        ending = Ending(status, process.cpu_seconds, status is None, out_of_memory, home)
        return find_exit_reason(name, ending, self._limits, self._memory_mb)

    def _make_error(self, report: Any, name: str) -> CallError:
        """Return the CallError for the worker's report of an exception, by the limit that caused it, if any."""
        error = read_exception(report, name, self._options.advice)
        reason, text = None, ""
        if error.raised:
            raised = RaisedException(*error.raised, read_error_number(report))
            has_own_disk = self._process is not None and self._process.isolation == BUBBLEWRAP
            reason = find_exception_reason(name, raised, self._limits, self._memory_mb, has_own_disk)
            error.verdict = "forbidden" if is_forbidden(raised) else error.verdict
            text = f" It {str(error).removeprefix(name).strip(' .')}."
        if self._has_written_too_much():
            reason = make_disk_reason(name)
            self.stop()
        if reason:
            error.verdict, error.limit = reason.verdict, reason.limit
            error.args = (reason.message + text,)
        return error

    def _has_written_too_much(self) -> bool:
        return self._process is not None and self._process.has_written_too_much()

    def _forbid(self, message: str) -> NoReturn:
        self._fail(Reason("forbidden", message))

    def _fail(self, reason: Reason) -> NoReturn:
        self.stop()
        if reason.verdict == "timeout":
            self._seconds_left = 0.0  # another endless loop in the same question adds no information
        error = CallError(reason.verdict, reason.message)
        error.limit = reason.limit
        raise error
