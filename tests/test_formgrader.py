"""formgrader, nbgrader's own page in JupyterLab: it lists the class and shows the judge's reports."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from autograder.classroom import grade_class

TOKEN = "formgrader-test"


@pytest.fixture
def formgrader(tmp_path, make_course, hand_in):
    """A course with one graded student, served by Jupyter; yields a function that fetches a page's text."""
    course = make_course(tmp_path)
    hand_in(course, "chen", "failed_dw_averaged")
    grade_class(course)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    command += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    environment = os.environ | {"HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}
    log = (tmp_path / "server.log").open("wb")
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)

    def fetch(path):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    try:
        _wait_for(fetch, server, tmp_path / "server.log")
        yield fetch
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def _wait_for(fetch, server, log):
    for _ in range(120):
        assert server.poll() is None, log.read_text()
        try:
            fetch("/formgrader/api/assignments")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


def test_formgrader_lists_the_class_and_shows_the_report_of_a_wrong_gradient(formgrader):
    (assignment,) = json.loads(formgrader("/formgrader/api/assignments"))
    assert assignment["name"] == "assignment2" and assignment["num_submissions"] == 1
    (submission,) = json.loads(formgrader("/formgrader/api/submitted_notebooks/assignment2/FullyConnectedNets"))
    assert submission["student"] == "chen" and 0 < submission["code_score"] < submission["max_code_score"]
    page = formgrader(f"/formgrader/submissions/{submission['id']}/")
    assert "dw is wrong in" in page and "<svg" in page
