"""The built-in sample with all its images, made once for each test process by the command for students."""

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.kit import ROOT

SAMPLE = pytest.mark.xdist_group("sample")  # tests that read the sample share a process, and with it the sample


@functools.cache
def run_command():
    """Make the sample; return the folder that the command was given, and what it printed."""
    folder = Path(tempfile.mkdtemp(prefix="sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "-m", "cs231n.sample_data", str(folder / "here")]
    done = subprocess.run(command, cwd=ROOT / "assignment2", capture_output=True, text=True, check=True, timeout=600)
    return folder / "here", done.stdout
