"""The table of attacks and sandboxes in docs/attacks.md, and its summary in docs/security.md, by trying them all.

    python -m tests.hostile_table

*held*: the attack gets nothing, and its code the verdict it deserves. *stopped*: it is ended when it has begun, and the
report says why. *not covered*: it works, or is not tried because it would. Takes some ten minutes.
"""

import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from autograder.assignment.manifest import read_manifest
from autograder.sandbox.isolation import ISOLATIONS
from benchmarks.pages import write_between
from tests.hostile import ATTACKS, NOT_HELD, ROOT, is_held, verdicts

BEGIN, END = "<!-- attacks: begin -->", "<!-- attacks: end -->"
KINDS = ("forgery", "theft", "harm")
_STOPPED = {"forbidden", "timeout", "memory", "error"}
_HEAD = """# Attacks

`python -m tests.hostile_table` writes this file. Each row is a case of
`tests/submissions/attacks/`, graded in each sandbox.

- **held**: the attack gets nothing, and the code around it gets the verdict it deserves;
- **stopped**: the attack was ended after it began, and the report says why;
- **not covered**: the attack works, or was not run because it would leave files behind.

[security.md](security.md) describes the sandboxes.
"""


def outcome(name, isolation):
    """Return how an attack ended in the isolation of a name: "held", "stopped", "not covered" or "BROKEN"."""
    if name in NOT_HELD[isolation]:
        return "not covered"
    came, expected = verdicts(name, read_manifest(ROOT / "assignment2"), ISOLATIONS[isolation])
    if not is_held(came, expected):
        return "BROKEN"
    return "stopped" if _STOPPED & set(came.values()) else "held"


def table(found):
    """Return the markdown of docs/attacks.md.

    - found: {attack: {isolation's name: outcome}}
    """
    lines = [_HEAD]
    for kind in KINDS:
        lines += [f"## {kind.capitalize()}\n", f"| attack | {' | '.join(ISOLATIONS)} |", "|---" * 4 + "|"]
        rows = sorted((sample.title, name) for name, sample in ATTACKS.items() if sample.attack == kind)
        lines += [
            f"| {title.replace('|', chr(92) + '|')} | {' | '.join(found[name].values())} |" for title, name in rows
        ]
        lines.append("")
    return "\n".join(lines)


def summary(found):
    """Return the markdown of the table in docs/security.md: how many attacks of each kind a sandbox holds."""
    lines = [f"| attacks | {' | '.join(ISOLATIONS)} |", "|---" * 4 + "|"]
    for kind in KINDS:
        names = [name for name, sample in ATTACKS.items() if sample.attack == kind]
        counts = [Counter(found[name][isolation] for name in names) for isolation in ISOLATIONS]
        cells = [", ".join(f"{count[word]} {word}" for word in sorted(count)) for count in counts]
        lines.append(f"| {kind}, {len(names)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    """Try every attack in every isolation and write both tables."""
    found = {name: {} for name in ATTACKS}
    tries = [(name, isolation) for isolation in ISOLATIONS for name in ATTACKS]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for (name, isolation), ended in zip(tries, pool.map(outcome, *zip(*tries), chunksize=4)):
            found[name][isolation] = ended
            if ended == "BROKEN":
                print(f"{name} is not held under {isolation}", flush=True)
    (ROOT / "docs" / "attacks.md").write_text(table(found))
    write_between(ROOT / "docs" / "security.md", BEGIN, END, summary(found))


if __name__ == "__main__":
    main()
