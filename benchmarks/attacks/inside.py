"""Runs a grader inside its world, listens for what should never call, and says what is left when it is done."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

LISTENERS = {
    "127.0.0.1, port 47111": (socket.AF_INET, ("127.0.0.1", 47111)),
    "an abstract socket": (socket.AF_UNIX, "\0attacks-listener"),
}
MOST_MEMORY = 8 << 30  # bytes; above what any attack takes, for the sake of the machine
SETTLED = 5  # seconds that a grader's own helpers get to go away


def listen(name, family, address, calls):
    """Put a listener's name into the list `calls` whenever somebody connects."""
    line = socket.socket(family)
    line.bind(address)
    line.listen()

    def wait():
        while True:
            line.accept()[0].close()
            calls.append(name)

    threading.Thread(target=wait, daemon=True).start()


def processes():
    """Return {id: command line} of all processes but this one and the one that holds the world."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if command and int(path.name) not in (1, os.getpid(), os.getppid()):
            found[int(path.name)] = command[:100]
    return found


def run(command, seconds, log):
    """Run one command; return (exit code or None where it had to be stopped, seconds)."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code = None
    return code, time.monotonic() - start


def main():
    work, calls = json.load(sys.stdin), []
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for name, (family, address) in LISTENERS.items():
        listen(name, family, address, calls)
    with open("/tmp/log", "w+b") as log:
        runs = [run(command, work["seconds"], log) for command in work["commands"]]
        log.seek(max(0, log.tell() - 50_000))
        said = log.read().decode(errors="replace")
    deadline = time.monotonic() + SETTLED
    while processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    sys.stdout.write(json.dumps({"runs": runs, "calls": calls, "alive": processes(), "said": said}) + "\n")


if __name__ == "__main__":
    main()
