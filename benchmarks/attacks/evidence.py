"""From what was seen to one word: held, detected, or what the attack achieved."""

import hashlib
from dataclasses import dataclass, field

from .assignment import ALL
from .browser import script_ran

MOST_LEFT = 50 << 20  # bytes that a run may leave behind


@dataclass
class Seen:
    """What a run left behind, as facts; `deserved` is what the attacker's answers are worth at least, `most` at most.

    - points: {student: points or None where there is no grade}
    - harmed: students whose hand-in or earlier grade is not what it was
    - tokens: places whose token came out
    - marks: names of files where no file should be
    - calls: addresses of listeners that were called
    - alive: command lines of processes that live on
    - stopped: whether the grader had to be stopped from outside
    - left: bytes written and left
    - scripts: names of pages in which a script ran, None where no page was made
    - named: words by which the grader itself names the attack
    """

    points: dict
    deserved: float
    most: float
    harmed: list = field(default_factory=list)
    tokens: list = field(default_factory=list)
    marks: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    alive: list = field(default_factory=list)
    stopped: bool = False
    left: int = 0
    scripts: list | None = None
    named: list = field(default_factory=list)
    seconds: float = 0.0


def judge(attack, seen):
    """Return (word, what it rests on) for an attack on a grader."""
    found = list(_achieved(seen))
    if found:
        return found[0][0], "; ".join(text for _, text in found)
    mine = seen.points["mallory"]
    if mine is None:
        return "no grade", "the attacker has no grade" if attack.group != "Broken input" else "no grade, no report"
    if attack.group == "Reports" and seen.scripts is None:
        return "no page", "the grader makes no page"
    score = f"{mine:g} of {ALL}"
    if mine < seen.deserved:
        return "points lost", score + _because(seen)
    return ("detected" if seen.named else "held"), score + _because(seen)


def _because(seen):
    return f", says: {', '.join(seen.named)}" if seen.named else ""


def _achieved(seen):
    """Yield (word, evidence) for everything the attacker got."""
    others = [name for name in ("ada", "zoe") if seen.points[name] != ALL]
    if others:
        grades = ", ".join(f"{name}: {_shown(seen.points[name])}" for name in others)
        yield "others' grades lost", f"grades of others: {grades}"
    if (seen.points["mallory"] or 0) > seen.most:
        yield "points forged", f"{seen.points['mallory']:g} of {ALL}, deserved {seen.most:g}"
    if seen.tokens:
        yield "secret read", f"token of: {', '.join(seen.tokens)}"
    if seen.calls:
        yield "connected", f"reached {', '.join(sorted(set(seen.calls)))}"
    if seen.harmed:
        yield "harm done", f"changed: {', '.join(seen.harmed)}"
    if seen.marks:
        yield "harm done", f"marks: {', '.join(seen.marks)}"
    if seen.scripts:
        yield "script ran", f"in {', '.join(seen.scripts)}"
    if seen.stopped:
        yield "no limit", "stopped from outside"
    if seen.alive:
        yield "process lives on", f"{len(seen.alive)} after the run"
    if seen.left > MOST_LEFT:
        yield "no limit", f"{seen.left >> 20} MB left behind"


def _shown(points):
    return "none" if points is None else f"{points:g}"


def fingerprint(arena):
    """Return {path: digest} of what belongs to others, to be compared before and after."""
    found = {}
    for top in ("submitted/ada", "submitted/zoe", "records/ada", "home/private.txt", "gradebook.db"):
        path = arena / top
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                found[str(file.relative_to(arena))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def look(grader, arena, attack, tokens, before, inside):
    """Return what is Seen in a grader's world after a run.

    - before: the fingerprint before it
    - inside: what inside.py returned
    """
    after = fingerprint(arena)
    shown = grader.printed(arena, "mallory")
    for path in (arena / "loot").glob("*.txt"):
        shown += path.read_text(errors="replace")
    pages = grader.pages(arena, "mallory") if attack.group == "Reports" else []
    said = inside["said"]
    written = ("records/mallory", "records/zoe", "course/autograded")
    files = [file for top in written for file in (arena / top).rglob("*") if file.is_file()]
    return Seen(
        points={student: grader.points(arena, student) for student in ("ada", "mallory", "zoe")},
        deserved=ALL if attack.right and not attack.lost else 0,
        most=ALL if attack.right else 0,
        harmed=sorted(path for path in before if before[path] != after.get(path)),
        tokens=[place for place, token in tokens.items() if token in shown],
        marks=sorted(path.name for path in (arena / "outside").iterdir()),
        calls=inside["calls"],
        alive=list(inside["alive"].values()),
        stopped=any(code is None for code, _ in inside["runs"]),
        left=0 if attack.group == "Broken input" else sum(file.stat().st_size for file in files),
        scripts=[page.name for page in pages if script_ran(page)] if pages else None,
        named=grader.named(arena, "mallory", said),
        seconds=sum(seconds for _, seconds in inside["runs"]),
    )
