"""Kill commands at random moments and run them again: python -m tests.kills, from the top of the repository.

Half of the moments are anywhere in a run. The other half are where the run writes important files: the gradebook, the
release or the submissions. One run in eight uses a pool of judges; one in four is killed again when it continues. At
the end the command runs without a kill. The exit code is 1 if the result then differs in any byte from that of an
undisturbed run; only times may differ.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from tests.kills.experiments import EXPERIMENTS, Broken


def main(
    times: Annotated[int, typer.Option(help="How often to kill each command.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 1,
    what: Annotated[list[str], typer.Option(help=f"The commands: {', '.join(EXPERIMENTS)}.")] = ["grade"],  # noqa: B006
):
    """Kill commands at random moments, run each again, and compare the result with that of an undisturbed run."""
    sys.exit(any([_try(name, times, seed) for name in what]))


def _try(what, times, seed):
    """Kill one command this number of times; return whether a result differed."""
    started, draw = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        experiment = EXPERIMENTS[what](Path(folder))
        phases, broken = Counter(), []
        while phases.total() < times:
            course = experiment.fresh()
            try:
                kills = min(draw.choice([1, 1, 1, 2]), times - phases.total())
                more = ("--jobs", "2" if draw.random() < 1 / 8 else "1") if what == "grade" else ()
                for _ in range(kills):
                    phases[_kill(experiment, course, draw, more)] += 1
                experiment.check(course)
            except Broken as found:
                broken.append(f"kill {phases.total()}: {found}")
                print(broken[-1], flush=True)
            experiment.forget(course)
            print(f"{phases.total()} of {times}: {dict(phases)}", file=sys.stderr, flush=True)
    counted = ", ".join(f"{count} {phase}" for phase, count in phases.most_common())
    print(f"{what}: killed {times} times ({counted}), an undisturbed run takes {experiment.seconds:.1f} s")
    print(f"{len(broken)} times the end was another one; {time.monotonic() - started:.0f} s, seed {seed}", flush=True)
    return bool(broken)


def _kill(experiment, course, draw, more):
    """Start the command, kill it at a random moment, and return the phase that it had reached."""
    run = experiment.start(course, *more)
    if draw.random() < 0.5:
        delay = draw.uniform(0, 1.1 * experiment.seconds)
    else:
        while not experiment.matters(course) and run.is_running():
            time.sleep(0.001)
        delay = draw.uniform(0, experiment.seconds_that_matter())
    time.sleep(delay)
    return experiment.phase(course) if run.kill() else "ended by itself"


if __name__ == "__main__":
    typer.run(main)
