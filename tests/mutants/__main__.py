"""The mutation score of the judge: python -m tests.mutants, from the top of the repository.

The exit code is 1 if a wrong version passes, or fails a question other than its own; with --right, if a right version
loses a point or gets a diagnosis; with --catalogue, if a misconception is not named.
"""

import json
import sys
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.assignment.reference import read_reference_texts
from autograder.diagnosis.mutation.derive import MAX_MUTANTS, choose_varied_mutants, derive_mutants
from tests.kit import PACK
from tests.mutants import catalogue
from tests.mutants.grading import equivalent, grade_all, here
from tests.mutants.rights import false_alarms_of_all, load_rights

console = Console(highlight=False)


def main(
    jobs: Annotated[int, typer.Option(help="Processes that grade.")] = 2,
    sample: Annotated[Optional[int], typer.Option(help="Grade so many only, the same ones in every run.")] = None,
    only: Annotated[Optional[list[str]], typer.Option(help="Only this function or class (repeatable).")] = None,
    most: Annotated[int, typer.Option(help="Mutants of one function at most.")] = MAX_MUTANTS,
    own: Annotated[bool, typer.Option("--own", help="Judge no question but the mutant's own: faster.")] = False,
    file: Annotated[Optional[Path], typer.Option("--json", help="Write all results here.")] = None,
    right: Annotated[bool, typer.Option("--right", help="Grade the right versions of tests/right/ instead.")] = False,
    misconceptions: Annotated[
        bool, typer.Option("--catalogue", help="Grade the wrong versions of the misconceptions instead.")
    ] = False,
):
    """Grade wrong versions of the reference, each with one mistake: each must fail its own question and no other."""
    if right or misconceptions:
        sys.exit(_grade_rights(jobs, only) if right else _grade_catalogue(jobs, sample, only, own))
    sys.exit(_grade_mutants(jobs, sample, only, most, own, file))


def _grade_mutants(jobs, sample, only, most, own, file):
    manifest, _ = here()
    dropped = equivalent()
    made = [m for m in derive_mutants(manifest, PACK.vocabulary, most) if not only or m.function in only]
    mutants = [mutant for mutant in made if mutant.key not in dropped]
    mutants = choose_varied_mutants(mutants, sample, "function") if sample else mutants
    results = [*track(grade_all(mutants, jobs, own), "grading", len(mutants), console=Console(stderr=True))]
    survivors, strays = [r for r in results if r.survived], [r for r in results if r.strays]
    texts = read_reference_texts(manifest)
    for result in survivors:
        console.print(f"\n[bold]survived:[/] {result.mutant.operator}, at {', '.join(result.own)}")
        console.print(_diff(result.mutant, texts[result.mutant.file]), markup=False, soft_wrap=True)
    for result in strays:
        console.print(f"\n[bold]fails elsewhere:[/] {result.strays}, for")
        console.print(result.mutant.key, markup=False, soft_wrap=True)
    console.print(_table(results))
    said = {
        "fail at their own question": [result for result in results if not result.survived],
        "survive": survivors,
        "fail another question too": strays,
        "block another question": [result for result in results if result.blocked],
        "are named by a diagnosis": [result for result in results if result.diagnosis],
    }
    console.print(f"{len(results)} mutants graded, {sum(mutant.key in dropped for mutant in made)} equivalent ones not")
    for what, found in said.items():
        console.print(f"{len(found):5} {what} ({len(found) / max(len(results), 1):.1%})")
    if file:
        file.write_text(json.dumps([_entry(result) for result in results], indent=1) + "\n", encoding="utf-8")
    return int(bool(survivors or strays))


def _diff(mutant, text):
    lines = unified_diff(text.splitlines(), mutant.apply(text).splitlines(), mutant.file, mutant.file, lineterm="", n=1)
    return "\n".join(lines)


def _table(results):
    table = Table("function", "mutants", "fail", "raise", "named")
    for function in dict.fromkeys(result.mutant.function for result in results):
        of_it = [result for result in results if result.mutant.function == function]
        raised = sum("error" in {r.verdicts[question] for question in r.own} for r in of_it)
        counts = (len(of_it), sum(not r.survived for r in of_it), raised, sum(bool(r.diagnosis) for r in of_it))
        table.add_row(function, *map(str, counts))
    return table


def _entry(result):
    return asdict(result) | {"survived": result.survived, "strays": result.strays, "blocked": result.blocked}


def _grade_rights(jobs, only):
    rights = [right for right in load_rights() if not only or set(only) & set(right.defines)]
    alarms = [*track(false_alarms_of_all(rights, jobs), "grading", len(rights), console=Console(stderr=True))]
    for right, found in zip(rights, alarms):
        for question, said in found.items():
            console.print(f"\n{right.name} ({right.title})\n  {question}: {said}", markup=False, soft_wrap=True)
    wrong = sum(map(bool, alarms))
    console.print(f"{wrong} of {len(rights)} right versions get a false alarm ({wrong / max(len(rights), 1):.1%})")
    return int(wrong > 0)


def _grade_catalogue(jobs, sample, only, own):
    versions = [v for v in catalogue.versions() if not only or v.question in only]
    versions = versions[:: max(1, len(versions) // sample)] if sample else versions
    graded = [*track(catalogue.grade_all(versions, jobs, own), "grading", len(versions), console=Console(stderr=True))]
    for version, found in zip(versions, graded):
        if not (found.caught and found.named) or found.strays:
            said = f"{version.misconception.name}, {version.question}: {found.verdict}, {found.said}; {found.strays}"
            console.print(said, markup=False, soft_wrap=True)
    counts = {
        "are caught": sum(found.caught for found in graded),
        "are called by their name": sum(found.named for found in graded),
        "cost another question": sum(bool(found.strays) for found in graded),
    }
    entries = len({version.misconception for version in versions})
    console.print(f"{len(versions)} wrong versions of {entries} misconceptions graded")
    for what, count in counts.items():
        console.print(f"{count:5} {what} ({count / max(len(versions), 1):.1%})")
    return int(counts["are called by their name"] < len(versions) or counts["cost another question"] > 0)


if __name__ == "__main__":
    typer.run(main)
