"""Grade thousands of broken submissions: python -m tests.fuzz, from the top of the repository.

The exit code is 1 if a case crashed, was refused or graded without a reason, or took points from a right answer.
"""

import multiprocessing
import resource
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.fuzz.cases import make_case
from tests.fuzz.depths import JUDGED, try_case

console = Console(highlight=False)


def main(
    cases: Annotated[int, typer.Option(help="How many cases.")] = 1000,
    seed: Annotated[int, typer.Option(help="What all cases are drawn from.")] = 1,
    through: Annotated[str, typer.Option(help="How deep: reading, judge or course.")] = "judge",
    jobs: Annotated[int, typer.Option(help="Number of processes that judge.")] = 2,
    minutes: Annotated[Optional[float], typer.Option(help="Stop after this time.")] = None,
    only: Annotated[
        Optional[int], typer.Option(help="Judge only the case of this number, and show everything.")
    ] = None,
    said: Annotated[int, typer.Option(help="Show so many of the messages that students read.")] = 0,
):
    """Grade broken submissions: every case must give a report with a reason, and right answers must pass."""
    if through not in ("reading", "judge", "course"):
        raise typer.BadParameter("reading, judge or course", param_hint="--through")
    if through == "course":
        from tests.fuzz.course import grade_all

        sys.exit(grade_all(cases, seed, console))
    started, questions = time.monotonic(), JUDGED if through == "judge" else ()
    numbers = range(cases) if only is None else [only]
    drawn, results = [make_case(seed, number) for number in numbers], []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        tried = pool.map(partial(try_case, questions=questions), drawn, chunksize=5)
        for result in track(tried, "judging", len(drawn), console=Console(stderr=True)):
            results.append(result)
            for problem in result.problems:
                console.print(f"\n{result.case}\n{problem}", markup=False, soft_wrap=True)
            if minutes and time.monotonic() - started > 60 * minutes:
                pool.shutdown(cancel_futures=True)
                break
    if only is not None:
        console.print(results[0].case, results[0].outcome, *results[0].said, sep="\n", markup=False, soft_wrap=True)
    messages = {text: result for result in results for text in result.said}
    for text in sorted(messages)[:: max(1, len(messages) // said)][:said] if said else ():
        console.print(f"[{messages[text].case}]\n  {text}", markup=False, soft_wrap=True)
    console.print(_table(results))
    broken = [result for result in results if result.problems]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    seconds = time.monotonic() - started
    console.print(f"{len(results)} cases, {len(broken)} with a problem, {seconds:.0f} s, at most {peak} MB of memory")
    sys.exit(bool(broken))


def _table(results):
    """Return a table of the outcomes of the cases, by the first breakage of each case."""
    by_kind = defaultdict(list)
    for result in results:
        by_kind[result.case.breakages[0]].append(result)
    outcomes = sorted({result.outcome for result in results})
    table = Table("breakage", "cases", *outcomes, "problems", "slowest, s")
    for kind, found in sorted(by_kind.items()):
        counted = Counter(result.outcome for result in found)
        problems = sum(bool(result.problems) for result in found)
        slowest = max(result.seconds for result in found)
        numbers = [str(counted[outcome] or "") for outcome in outcomes]
        table.add_row(kind, str(len(found)), *numbers, str(problems or ""), f"{slowest:.1f}")
    return table


if __name__ == "__main__":
    typer.run(main)
