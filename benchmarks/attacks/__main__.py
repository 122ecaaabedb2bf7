"""Try attacks and broken submissions on this kit, on nbgrader and on otter-grader, and print who holds.

    python -m venv build/otter && build/otter/bin/pip install -r benchmarks/attacks/requirements.txt
    python -m benchmarks.attacks [--markdown docs/security.md] [--only WORDS] [--graders ours,nbgrader,otter]

Needs Linux with bubblewrap and unshare: every grader runs shut in a world of its own, see arena.py. OTTER_PYTHON names
the Python of otter-grader's environment where it is not build/otter. A grader that is not installed is left out, and
its column says so. What was found is kept in build/attacks, a file for each attack on each grader, and an interrupted
run goes on from there; delete the folder to try everything again.
"""

import argparse
import platform
import textwrap
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..pages import write_between
from .browser import has_browser
from .compare import ATTACKS, GRADERS, compare, found
from .in_otter import installed_version

ABSENT, NOT_RUN = "not installed", "not run"
RESULTS = Path("build/attacks")
GOOD = ("held", "detected")
WIDTH = 100  # columns of prose in Markdown files
START, END = "<!-- comparison: begin -->", "<!-- comparison: end -->"
INTRODUCTION = """# Attacks and broken submissions, three graders

Made by `python -m benchmarks.attacks --markdown docs/security.md`, after
`python -m venv build/otter && build/otter/bin/pip install -r benchmarks/attacks/requirements.txt`.
"""
HOW = """Every grader gets the same small assignment (ReLU forward, 2 points; ReLU backward, 3; affine
forward, 3), a hidden test of each, and a class of three. ada was graded before, mallory attacks,
and zoe is honest and graded afterwards. All graders get the same text of the attack. Its answers
are wrong and deserve 0 points; if only the input is broken, the answers are right. nbgrader and
otter-grader run with their defaults. otter-grader can also grade in Docker containers (`otter
grade`). This was not measured, because this machine has no Docker. Every grader runs in separate
namespaces of the benchmark, so an attack reaches only a temporary folder.

The state after the run decides each word. The evidence is: points in the grader's own record, a
token of a secret file in the output of the attack, unexpected files, other students' submissions
and grades, processes that still run, calls to a listener on 127.0.0.1, a script that
{ran}.

- held: none of these. The attacker has the grade that the answers deserve.
- detected: held, and the grader names the problem (a verdict, a note, a warning in its log).
- no grade: held, but this student gets no grade.
- points lost: right answers got fewer points than they deserve.
- no limit: the run had to be stopped from outside, or left more than 50 MB behind.
- no page: the grader makes no page, so there is nothing to attack.
- Every other word says what the attacker got.
"""


def rows(results, attacks, graders):
    """Return (head, rows) of the table: one row an attack."""
    head = ["group", "attack", *(f"{GRADERS[name].TITLE} {GRADERS[name].VERSION}" for name in graders)]
    lines = []
    for attack in attacks:
        cells = [cell(results[name].get(attack.name)) if name in results else ABSENT for name in graders]
        lines.append([attack.group, attack.name, *cells])
    return head, lines


def cell(result):
    """Return the text of one entry of the table, from the result of an attack or None."""
    if result is None:
        return NOT_RUN
    word = result["word"] if result["word"] in GOOD else f"**{result['word']}**"
    return f"{word}: {result['evidence']}"


def totals(results, attacks):
    """Return sentences that count the words of each grader, controls left out."""
    counted = [attack.name for attack in attacks if attack.group != "Control"]
    sentences = []
    for name, there in results.items():
        run = [there[attack] for attack in counted if attack in there]
        words = Counter(result["word"] for result in run)
        text = ", ".join(f"{word} {count}" for word, count in words.most_common())
        seconds = sum(result["seconds"] for result in run)
        sentence = f"- {GRADERS[name].TITLE}: {text}; {len(run)} of {len(counted)} run, {seconds:.0f} seconds"
        sentences.append(textwrap.fill(sentence, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return sentences


def markdown(head, lines, sentences):
    """Return the text between the markers."""
    table = [head, ["---"] * len(head), *lines]
    shown = "\n".join(f"| {' | '.join(part.replace('|', '/') for part in line)} |" for line in table)
    ran = "ran in Chromium" if has_browser() else "is in a page unescaped"
    machine = f"Python {platform.python_version()}, Linux {platform.release()}."
    return "\n".join([HOW.replace("{ran}", ran), machine, "", *sentences, "", shown])


def write_page(path, text):
    """Write the table between its lines of a Markdown file, which is made where there is none."""
    if not path.exists():
        path.write_text(f"{INTRODUCTION}\n{START}\n{END}\n")
    write_between(path, START, END, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE as well")
    parser.add_argument("--only", metavar="WORDS", help="only attacks whose group or name holds these words")
    parser.add_argument("--graders", default=",".join(GRADERS), help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="attacks at once (default: %(default)s)")
    parser.add_argument("--no-run", action="store_true", help="only write the table of what an earlier run found")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args()
    graders = options.graders.split(",")
    if set(graders) - set(GRADERS):
        parser.error(f"--graders {options.graders}: expected some of {', '.join(GRADERS)}")
    attacks = [one for one in ATTACKS if (options.only or "").lower() in f"{one.group} {one.name}".lower()]
    here = [name for name in graders if name != "otter" or installed_version()]
    console = Console()

    def progress(name, attack, result):
        said = f"{attack.name}: {result['word']}: {result['evidence']}"
        console.print(f"{result['seconds']:5.0f} s  {GRADERS[name].TITLE:12}  {said}", markup=False, soft_wrap=True)

    if not options.no_run:
        compare(here, attacks, options.results, options.jobs, progress)
    results = found(here, attacks, options.results)
    head, lines = rows(results, attacks, graders)
    table = Table(*head, title="Attacks on graders", show_lines=True)
    for line in lines:
        table.add_row(*(part.replace("**", "") for part in line))
    console.print(table)
    sentences = totals(results, attacks)
    console.print("\n".join(sentences), markup=False)
    if options.markdown:
        write_page(options.markdown, markdown(head, lines, sentences))


if __name__ == "__main__":
    main()
