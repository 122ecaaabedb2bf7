"""A real Jupyter server with formgrader, for a course."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

TOKEN = "formgrader-test"
HEADERS = {"Authorization": f"token {TOKEN}"}


@contextmanager
def served(course):
    """Serve a course's folder while the block runs; yield the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    command += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    environment = os.environ | {"HOME": str(course.root), "JUPYTER_PLATFORM_DIRS": "1"}
    log = (course.root / "server.log").open("wb")
    server = subprocess.Popen(command, cwd=course.root, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, course.root / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=120)
        log.close()


def fetch(url):
    """Return the text of one of the server's pages."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS), timeout=60) as answer:
        return answer.read().decode()


def _wait_for(address, server, log):
    for _ in range(360):
        assert server.poll() is None, log.read_text()
        try:
            fetch(f"{address}/formgrader/api/assignments")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())
