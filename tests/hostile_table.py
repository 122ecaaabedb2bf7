"""Run every attack in every sandbox; write the table of docs/attacks.md and its summary in docs/security.md.

    python -m tests.hostile_table

This takes about ten minutes. `_HEAD` explains the words of the table.
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

- **held**: the attack gets nothing, and the answers get the verdict that they deserve;
- **stopped**: the attack was ended after it began, and the report says why;
- **not covered**: the attack works, or was not run because it would leave files behind.

[security.md](security.md) describes the sandboxes.
"""


def run_attack(name, isolation):
    """Run an attack in one sandbox; return its word in the table, or "BROKEN" if the attack works."""
    if name in NOT_HELD[isolation]:
        return "not covered"
    actual, expected = verdicts(name, read_manifest(ROOT / "assignment2"), ISOLATIONS[isolation])
    if not is_held(actual, expected):
        return "BROKEN"
    return "stopped" if _STOPPED & set(actual.values()) else "held"


def format_table(found):
    """Return docs/attacks.md as markdown.

    - found: {attack: {sandbox: word of run_attack}}
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


def format_summary(found):
    """Return the table in docs/security.md as markdown: the number of attacks of each kind and of each word.

    - found: {attack: {sandbox: word of run_attack}}
    """
    lines = [f"| attacks | {' | '.join(ISOLATIONS)} |", "|---" * 4 + "|"]
    for kind in KINDS:
        names = [name for name, sample in ATTACKS.items() if sample.attack == kind]
        counts = [Counter(found[name][isolation] for name in names) for isolation in ISOLATIONS]
        cells = [", ".join(f"{count[word]} {word}" for word in sorted(count)) for count in counts]
        lines.append(f"| {kind}, {len(names)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    """Run every attack in every sandbox and write both tables."""
    found = {name: {} for name in ATTACKS}
    tries = [(name, isolation) for isolation in ISOLATIONS for name in ATTACKS]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for (name, isolation), ended in zip(tries, pool.map(run_attack, *zip(*tries), chunksize=4)):
            found[name][isolation] = ended
            if ended == "BROKEN":
                print(f"{name} is not held under {isolation}", flush=True)
    (ROOT / "docs" / "attacks.md").write_text(format_table(found))
    write_between(ROOT / "docs" / "security.md", BEGIN, END, format_summary(found))


if __name__ == "__main__":
    main()
