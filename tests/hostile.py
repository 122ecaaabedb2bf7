"""Run the planted attacks in a sandbox; print which of them are held, and the time of each.

    python -m tests.hostile [--isolation plain] [--attack forgery|theft|harm] [NAME ...]

An attack is held if each question passes exactly when its case expects that. A theft gives a wrong answer on purpose if
it finds nothing, and the right answer if it succeeds. The exit code is 1 if an attack is not held that should be.
"""

import argparse
import sys
import time
from pathlib import Path

from autograder.assignment.manifest import read_manifest
from autograder.grading import judge, make_setting
from autograder.samples.load import load_samples
from autograder.sandbox.isolation import BUBBLEWRAP, ISOLATIONS, LANDLOCK, PLAIN

ROOT = Path(__file__).resolve().parents[1]
ATTACKS = {name: sample for name, sample in load_samples().items() if sample.attack}
# The attacks that a sandbox does not promise to hold. They are not run there, because some leave files behind.
NOT_HELD = {
    BUBBLEWRAP.name: frozenset(),
    LANDLOCK.name: frozenset({"failed_sees_names_at_home"}),
    PLAIN.name: frozenset(
        {
            "forbidden_disk_filled_home",
            "forbidden_disk_filled_tmp",
            "forbidden_disk_sparse",
            "failed_leftovers",
            "failed_machine_settings",
            "failed_poisons_the_next_question",
            "failed_setuid_made",
            "failed_sees_names_at_home",
            "failed_steals_checks",
            "failed_steals_command_line",
            "failed_steals_environment",
            "failed_steals_gradebook",
            "failed_steals_home",
            "failed_steals_kit",
            "failed_steals_other_students",
            "failed_steals_parents_environment",
            "failed_steals_parents_files",
            "failed_steals_parents_memory",
            "failed_steals_reference",
            "failed_steals_system_files",
            "failed_writes_parents_memory",
            "failed_written_report",
        }
    ),
}


def held(isolation):
    """Return the names of the attacks that a sandbox promises to hold, sorted."""
    return sorted(set(ATTACKS) - NOT_HELD[isolation.name])


def verdicts(name, manifest, isolation):
    """Return ({question id: verdict}, {question id: expected verdict}) of one attack in one sandbox."""
    sample = ATTACKS[name]
    report = judge(sample.submission(manifest), make_setting(sample.limited(manifest), isolation), sample.questions)
    came = {question.id: question.verdict for question in report.questions}
    return came, {identifier: sample.expect.get(identifier, "passed") for identifier in came}


def is_held(came, expected):
    """Return whether the same questions pass in both; other verdicts may differ between sandboxes.

    - came, expected: {question id: verdict}
    """
    return {name: verdict == "passed" for name, verdict in came.items()} == {
        name: verdict == "passed" for name, verdict in expected.items()
    }


def main():
    """Run the chosen attacks and print one line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases of tests/submissions/attacks (default: all)")
    parser.add_argument("--isolation", choices=ISOLATIONS, default=BUBBLEWRAP.name)
    parser.add_argument("--attack", choices=sorted({sample.attack for sample in ATTACKS.values()}))
    options = parser.parse_args()
    isolation, manifest = ISOLATIONS[options.isolation], read_manifest(ROOT / "assignment2")
    wanted = [name for name in options.names or held(isolation) if options.attack in (None, ATTACKS[name].attack)]
    broken = 0
    for name in wanted:
        started = time.monotonic()
        came, expected = verdicts(name, manifest, isolation)
        seconds, words = time.monotonic() - started, "held" if is_held(came, expected) else f"NOT HELD: {came}"
        print(f"{ATTACKS[name].attack:8} {seconds:5.1f} s  {name:40} {words}", flush=True)
        broken += not is_held(came, expected)
    print(f"{len(wanted) - broken} of {len(wanted)} held under {isolation.name}")
    sys.exit(broken > 0)


if __name__ == "__main__":
    main()
