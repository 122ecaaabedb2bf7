"""Show how the current reports of the golden cases differ from the golden reports, and accept the differences.

    python -m tests.golden [--accept] [NAME ...]

The exit code is 1 if a report differs and is not accepted.
"""

import argparse
import json
import logging
import sys

from autograder.assignment.manifest import read_manifest
from autograder.sandbox.isolation import choose_isolation
from tests.golden.cases import HERE, load_cases
from tests.golden.comparison import differences


def main():
    """Judge the named cases, or all cases; print each difference; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases (default: all)")
    parser.add_argument("--accept", action="store_true", help="write the reports as they are now")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # one case plants a fault of the grader
    cases = load_cases()
    unknown = set(options.names) - set(cases)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}. Known cases: {', '.join(cases)}")
    manifest, isolation, differing = read_manifest(HERE.parents[1] / "assignment2"), choose_isolation(), 0
    for name in options.names or cases:
        current = cases[name].report(manifest, isolation)
        known = cases[name].path.exists()
        found = differences(json.loads(cases[name].path.read_text()), current) if known else ["no golden report yet"]
        differing += bool(found)
        print(f"{name}: {'differs' if found else 'equal'}", *found, sep="\n  ", flush=True)
        if options.accept and found:
            cases[name].path.write_text(json.dumps(current, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print("  accepted")
    return 1 if differing and not options.accept else 0


if __name__ == "__main__":
    sys.exit(main())
