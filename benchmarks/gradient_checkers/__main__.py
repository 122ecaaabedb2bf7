"""Try gradient checkers on planted bugs and on right code, and print who catches what.

    pip install -r requirements.txt -r benchmarks/requirements.txt
    python -m benchmarks.gradient_checkers [--markdown docs/gradient_checkers.md]

A library that is not installed is left out, and its column says so.
"""

import argparse
import contextlib
import importlib.util
import io
import textwrap
import time
import warnings
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import ours
from .cases import BUGS, RIGHT
from .installed import INSTALLED
from .rules import RULES

ABSENT = "not installed"
WIDTH = 100  # columns of prose in Markdown files
INTRODUCTION = """# Gradient checkers compared

This page is made by `python -m benchmarks.gradient_checkers --markdown docs/gradient_checkers.md`,
after `pip install -r requirements.txt -r benchmarks/requirements.txt`. Each checker sees each pair
of functions once, with its own defaults and a fixed seed. If a checker raises an exception, this
counts as a rejection.

"This kit" is `cs231n.gradient_check` with the additional criteria of every layer: arguments and
`dout` unchanged, right shapes, a separate cache for each call. The other checkers look only at
gradients, so they cannot find violations of these criteria. Some checkers draw entries or
directions at random. In another run these may catch a bug that they missed in this run.
"""


def checkers():
    """Return {title: accepts, or None where the library is not installed}; this kit comes last."""
    found = {
        title: check if importlib.util.find_spec(library) else None for title, (library, check) in INSTALLED.items()
    }
    return found | RULES | {"this kit": ours.accepts}


def accepts(check, case):
    """Return whether a checker accepts a case; what it raises is a rejection."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return bool(check(case))
        except Exception:
            return False


def verdict(accepted, wrong):
    """Return the word for one entry of the table."""
    if wrong:
        return "missed" if accepted else "caught"
    return "right" if accepted else "false alarm"


def compare(found):
    """Return {title: ([a word for each bug], [a word for each right case], seconds)}."""
    results = {}
    for title, check in found.items():
        start = time.perf_counter()
        words = [
            [verdict(accepts(check, case), wrong) for case in cases] for cases, wrong in ((BUGS, True), (RIGHT, False))
        ]
        results[title] = (*words, time.perf_counter() - start)
    return results


def rows(found, results):
    """Return (head, rows) of the table: one row a checker."""
    head = ["checker", f"caught of {len(BUGS)}", f"false alarms of {len(RIGHT)}", "missed", "alarms at", "seconds"]
    lines = []
    for title in found:
        if title not in results:
            lines.append([title, ABSENT, "", "", "", ""])
            continue
        caught, said, seconds = results[title]
        missed = [case.name for case, word in zip(BUGS, caught, strict=True) if word == "missed"]
        alarms = [case.name for case, word in zip(RIGHT, said, strict=True) if word == "false alarm"]
        numbers = [str(caught.count("caught")), str(len(alarms))]
        lines.append([title, *numbers, "; ".join(missed) or "-", "; ".join(alarms) or "-", f"{seconds:.1f}"])
    return head, lines


def markdown(head, lines):
    """Return the page for docs/."""
    table = [head, ["---"] * len(head), *lines]
    return INTRODUCTION + "\n" + "\n".join(f"| {' | '.join(line)} |" for line in table) + "\n\n" + _rules()


def _rules():
    said = {title: check for title, (_, check) in INSTALLED.items()} | RULES
    lines = [f"- {title}: {check.__doc__}" for title, check in said.items()]
    wrapped = [textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False) for line in lines]
    return "The rules:\n\n" + "\n".join(wrapped) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE as well")
    options = parser.parse_args()
    found = checkers()
    head, lines = rows(found, compare({title: check for title, check in found.items() if check}))
    table = Table(*head, title="Gradient checkers on planted bugs and on right code", show_lines=True)
    for line in lines:
        table.add_row(*line)
    Console().print(table)
    if options.markdown:
        options.markdown.write_text(markdown(head, lines))


if __name__ == "__main__":
    main()
