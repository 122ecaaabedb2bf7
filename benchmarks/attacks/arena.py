"""A grader's world, shut off from this machine.

Every run of a grader gets a folder of its own, mounted as /srv, and is shut in namespaces: everything else is read
only, there is no network but a loopback of its own, and no process that is not its own. So an attack that gets through
can do no more than leave its marks in that folder, and ends with the run. The folder holds:

    home/        the home directory of the user who grades, with private.txt
    submitted/   <student>/...   what ada, mallory and zoe handed in; mallory is the attacker
    records/     what a grader writes for each of them
    outside/     where nobody has any business: a file here is a mark
    loot/        where anybody may write, so that a thief can show what was found
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from .attack import ARENA

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = ("ada", "mallory", "zoe")
PLACES = ("home", "classmate", "gradebook", "environment", "tests", "solution")


def draw_tokens():
    """Return {place: token}, drawn again for every run of the benchmark."""
    return {place: f"{place}-token-{secrets.token_hex(8)}" for place in PLACES}


def lay_out(folder, tokens):
    """Make the folders that every grader's world has."""
    for name in ("home", "submitted", "records", "outside", "loot"):
        (folder / name).mkdir(parents=True)
    (folder / "home" / "private.txt").write_text(tokens["home"])


def copied(template, folder):
    """Return a fresh copy of a prepared world."""
    shutil.copytree(template, folder, symlinks=True)
    return folder


def run_inside(folder, tokens, commands, seconds, pythons=()):
    """Run commands one after the other in the world at `folder`; return what inside.py saw.

    - commands: lists of arguments, as seen from inside
    - seconds: how long each may take
    - pythons: environments that must be readable, besides this one
    """
    shut = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
    shut += ["bwrap", "--ro-bind", "/", "/", "--dev-bind", "/proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in dict.fromkeys(map(str, (ROOT, sys.prefix, *pythons))):
        shut += ["--ro-bind", path, path]
    shut += ["--bind", str(folder), ARENA, "--unshare-net", "--unshare-ipc", "--die-with-parent", "--chdir", ARENA]
    environment = {
        "HOME": f"{ARENA}/home",
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "GRADER_SECRET": tokens["environment"],
    }
    work = json.dumps({"commands": commands, "seconds": seconds})
    limit = seconds * len(commands) + 120
    shut += [sys.executable, "-m", "benchmarks.attacks.inside"]
    done = subprocess.run(shut, input=work, capture_output=True, text=True, env=environment, timeout=limit)
    if done.returncode:
        raise RuntimeError(f"the world of a grader could not be run: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
