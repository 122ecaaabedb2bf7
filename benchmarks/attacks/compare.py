"""Runs attacks against graders: a prepared world for each grader, a fresh copy of it for each attack."""

import json
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograder.runtime.atomic import write_atomically

from . import broken, forgery, harm, in_nbgrader, in_otter, ours, reports, tampering, theft
from .arena import copied, draw_tokens, lay_out, run_inside
from .assignment import ALL
from .attack import Attack
from .evidence import fingerprint, judge, look

CONTROL = [Attack("Control", "an honest hand-in, right", right=True), Attack("Control", "an honest hand-in, wrong")]
ATTACKS = [
    *CONTROL,
    *forgery.ATTACKS,
    *tampering.ATTACKS,
    *theft.ATTACKS,
    *harm.ATTACKS,
    *reports.ATTACKS,
    *broken.ATTACKS,
]
GRADERS = {"ours": ours, "nbgrader": in_nbgrader, "otter": in_otter}
HONEST = CONTROL[0]


def prepared(grader, folder, tokens):
    """Make a grader's world in `folder`: the assignment is released, ada's right answers are graded."""
    lay_out(folder, tokens)
    first = grader.prepare(folder, tokens)
    if first:
        _run(grader, folder, tokens, first, 120)
    hand_in(grader, folder, "ada", HONEST, tokens)
    said = _run(grader, folder, tokens, grader.commands(["ada"], False), 120)["said"]
    if grader.points(folder, "ada") != ALL:
        raise RuntimeError(f"{grader.TITLE} does not give an honest hand-in {ALL} points:\n{said[-3000:]}")
    return folder


def hand_in(grader, folder, student, attack, tokens):
    """Hand in for a student; ada's holds the token that a thief of submissions would show."""
    grader.hand_in(folder, student, attack)
    if student == "ada":
        (folder / "submitted/ada/notes.py").write_text(f"# {tokens['classmate']}\n")


def _run(grader, folder, tokens, commands, seconds):
    return run_inside(folder, tokens, commands, seconds, grader.PYTHONS)


def attempt(grader, template, folder, attack, tokens):
    """Let mallory attack and zoe hand in honestly, in a copy of a prepared world; return (what is Seen, the log)."""
    arena = copied(template, folder)
    hand_in(grader, arena, "mallory", attack, tokens)
    hand_in(grader, arena, "zoe", HONEST, tokens)
    before = fingerprint(arena)
    commands = grader.commands(["mallory", "zoe"], attack.group == "Reports")
    inside = _run(grader, arena, tokens, commands, attack.seconds)
    seen = look(grader, arena, attack, tokens, before, inside)
    shutil.rmtree(arena)
    return seen, inside["said"]


def compare(graders, attacks, results, jobs=1, progress=None):
    """Run attacks on graders, and keep the result of each as {word, evidence, seconds, log}.

    - graders: some names of GRADERS
    - results: folder with one JSON file for each attack on each grader; an attack with a file is not run again
    - jobs: number of attacks at the same time
    - progress: called with (grader, attack, result) after each
    """
    tokens = draw_tokens()
    files = {(name, attack): _file(results, name, attack) for name in graders for attack in attacks}
    waiting = [key for key in sorted(files, key=lambda key: attacks.index(key[1])) if not files[key].exists()]
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder, ThreadPoolExecutor(jobs) as pool:

        def one(key):
            name, attack = key
            world = Path(folder) / name
            seen, log = attempt(GRADERS[name], world / "template", world / files[key].stem, attack, tokens)
            word, evidence = judge(attack, seen)
            result = {"word": word, "evidence": evidence, "seconds": seen.seconds, "log": log[-5000:]}
            write_atomically(files[key], json.dumps(result, indent=1).encode())
            if progress:
                progress(name, attack, result)

        needed = {name for name, _ in waiting}
        list(pool.map(lambda name: prepared(GRADERS[name], Path(folder) / name / "template", tokens), needed))
        list(pool.map(one, waiting))


def found(graders, attacks, results):
    """Return {grader: {attack's name: its result}} of all attacks that have been run."""
    files = {name: {attack.name: _file(results, name, attack) for attack in attacks} for name in graders}
    return {
        name: {attack: json.loads(path.read_text()) for attack, path in there.items() if path.exists()}
        for name, there in files.items()
    }


def _file(results, name, attack):
    words = re.sub(r"\W+", "-", f"{attack.group} {attack.name}").strip("-").lower()
    return Path(results) / name / f"{words}.json"
