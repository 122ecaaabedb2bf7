"""Measure the processor time of grading one submission, for the judge and for its workers apart.

    python -m benchmarks.judging [--against CHECKOUT] [--repetitions N] [--only NAME] [--tensorflow] [--json FILE]

Five submissions are written as folders once and graded by `autograder check` in a process of their own each time. With
`--against` the autograder of another checkout of this repository grades the same folders, alternating with this one in
the same run, since only ratios of one run mean anything on a noisy machine. The table has the least seconds of all
repetitions. It also tells whether the reports of both checkouts are the same, apart from times, the kit's digest and
the accuracies of saved models, which depend on a secret of each checkout.

The workers' time is that of all processes below the judge, starting the interpreter included. On Linux that counts
those whose sandbox was killed as well: the measuring process adopts them. Questions that need TensorFlow are left out
unless `--tensorflow` is given.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from autograder.assignment.manifest import Manifest, read_manifest
from autograder.checking.pack import load_pack
from autograder.samples.sample import Sample, write_sample
from tests.mutants.rights import load_rights, replaced

ROOT = Path(__file__).resolve().parents[1]
HERE, OTHER = "here", "other"
JUDGE, WORKERS = "judge", "workers"

# Runs the command line and writes the seconds of processor time of this process and of its children to a file.
DRIVER = """
import contextlib, ctypes, json, os, sys
file = sys.argv.pop(1)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
from autograder.cli import main
try:
    main()
finally:
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    times = os.times()
    seconds = {"judge": times.user + times.system, "workers": times.children_user + times.children_system}
    with open(file, "w") as out:
        json.dump(seconds, out)
"""

# Entries of the catalogue of misconceptions, as (question, name).
ONE_MISTAKE = (("affine_backward", "affine_gradient_averaged"),)
MANY_MISTAKES = (
    ("affine_backward", "db_over_outputs"),
    ("softmax_loss", "dx_not_averaged"),
    ("batchnorm_backward", "norm_dx_not_through_mean"),
    ("spatial_groupnorm_backward", "norm_dgamma_averaged"),
    ("conv_backward_naive", "conv_dw_flipped"),
    ("max_pool_backward_naive", "pool_shared_by_all"),
    ("rmsprop", "rmsprop_no_root"),
    ("adam", "adam_no_bias_correction"),
    ("FullyConnectedNet", "net_reg_gradient_twice"),
)
# A mistake that neither the catalogue nor a small edit of the reference explains: every one of them is tried.
UNEXPLAINED = {"file": "cs231n/layers.py", "old": "along_x_hat) / std\n", "new": "along_x_hat) / (std + 0.1)\n"}
SLOW = (
    *("affine_loops", "relu_loop", "softmax_loops", "svm_loops", "batchnorm_loops", "layernorm_loops"),
    *("groupnorm_loops", "conv_loops", "pool_loops", "rmsprop_loop"),
)


def submissions(manifest: Manifest) -> dict[str, Sample]:
    """Return the submissions that are graded, by name."""
    many = (*_mistakes(MANY_MISTAKES, manifest), UNEXPLAINED)
    return {
        "right": Sample("right", "the reference"),
        "one mistake": Sample("one_mistake", "one mistake", change=_mistakes(ONE_MISTAKE, manifest)),
        "many mistakes": Sample("many_mistakes", "mistakes in ten functions", change=many),
        "stub": Sample("stub", "the release as it is", base="release"),
        "slow": Sample("slow", "right, in plain Python loops", change=_rights(SLOW, manifest)),
    }


def _mistakes(entries: Sequence[tuple[str, str]], manifest: Manifest) -> tuple[dict, ...]:
    """Return the changes of a Sample that put entries of the catalogue into the reference."""
    changes = []
    catalogue = load_pack(manifest).wrong_versions()
    for question, name in entries:
        version = next(one for one in catalogue[question] if one.misconception.name == name)
        changes += [{"file": version.file, **change} for change in _whole_functions(version, manifest)]
    return tuple(changes)


def _whole_functions(version, manifest: Manifest) -> Iterator[dict[str, str]]:
    text = (manifest.root / version.file).read_text(encoding="utf-8")
    for name, code in version.definitions.items():
        start = text.index(f"{code.partition(name)[0]}{name}")
        ends = [at for word in ("\ndef ", "\nclass ") if (at := text.find(word, start)) > 0]
        old = text[start : min(ends, default=len(text))].rstrip("\n")
        yield {"old": old, "new": code.rstrip("\n")}


def _rights(names: Sequence[str], manifest: Manifest) -> tuple[dict, ...]:
    """Return the changes of a Sample that put versions from tests/right/ into the reference."""
    texts: dict[str, str] = {}
    rights = {right.name: right for right in load_rights()}
    for name in names:
        right = rights[name]
        file = next(question.file for question in manifest.questions if question.id in right.defines)
        texts[file] = replaced(right, texts.get(file) or (manifest.root / file).read_text(encoding="utf-8"))
    return tuple(
        {"file": file, "old": (manifest.root / file).read_text(encoding="utf-8"), "new": text}
        for file, text in texts.items()
    )


def grade(folder: Path, checkout: Path, questions: Sequence[str]) -> tuple[dict[str, float], dict[str, Any]]:
    """Grade a folder with the autograder of a checkout; return the seconds of processor time, and the report.

    The seconds are {judge: ..., workers: ...}.
    """
    with tempfile.TemporaryDirectory() as aside:
        seconds, report = Path(aside, "seconds.json"), Path(aside, "report.json")
        command = [sys.executable, "-c", DRIVER, seconds, "check", folder, "--json", report]
        command += [part for question in questions for part in ("--question", question)]
        variables = os.environ | {"PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run(command, cwd=aside, env=variables, check=True, stdout=subprocess.DEVNULL)
        return json.loads(seconds.read_text()), json.loads(report.read_text())


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the places in which two reports differ, times and digests apart, as "questions[3].points: 2 and 3"."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if not _varies(path, key)]
        return [each for key in keys for each in differences(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if path == "questions":
            one, other = ([each for each in found if not each["id"].startswith("best_")] for found in (one, other))
        return [each for at, pair in enumerate(zip(one, other)) for each in differences(*pair, f"{path}[{at}]")]
    return [] if one == other else [f"{path}: {one!r:.80} and {other!r:.80}"]


def _varies(path: str, key: str) -> bool:
    measured = key in ("cpu_seconds", "wall_seconds", "memory_mb", "reference", "text") and path.endswith(".limits")
    return measured or (path, key) == ("kit", "digest") or key in ("seconds", "graded_at", "sha256")


def measure(folders: Mapping[str, Path], checkouts: Mapping[str, Path], questions: Sequence[str], repetitions: int):
    """Grade every folder with every checkout in turn, and yield a row for each folder.

    A row is {name, seconds: {checkout: {judge: [...], workers: [...]}}, differences: what the reports differ in}.
    """
    for name, folder in folders.items():
        seconds: dict = {checkout: {JUDGE: [], WORKERS: []} for checkout in checkouts}
        reports: dict[str, dict] = {}
        for _ in range(repetitions):
            for checkout, top in checkouts.items():
                spent, reports[checkout] = grade(folder, top, questions)
                for process, value in spent.items():
                    seconds[checkout][process].append(value)
        found = differences(reports[HERE], reports[OTHER]) if OTHER in reports else []
        yield {"name": name, "seconds": seconds, "differences": found}


def table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the cells of a table: least seconds, and the ratio of this checkout to the other one."""
    if not any(OTHER in row["seconds"] for row in rows):
        body = [[row["name"], *(f"{_least(row, HERE, each):.2f}" for each in (JUDGE, WORKERS))] for row in rows]
        return ["submission", *(f"{process}, s" for process in (JUDGE, WORKERS))], body
    heading, body = ["submission"], []
    for process in (JUDGE, WORKERS):
        heading += [f"{process}, s", f"{process} there, s", "ratio"]
    for row in rows:
        cells = [row["name"]]
        for process in (JUDGE, WORKERS):
            here, there = (_least(row, checkout, process) for checkout in (HERE, OTHER))
            cells += [f"{here:.2f}", f"{there:.2f}", f"{here / there:.2f}"]
        count = len(row["differences"])
        body.append([*cells, f"differ in {count} places" if count else "the same"])
    return [*heading, "reports"], body


def _least(row: Mapping[str, Any], checkout: str, process: str) -> float:
    return min(row["seconds"][checkout][process])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, measured in the same run")
    parser.add_argument("--repetitions", type=int, default=2, help="of every submission (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this submission (repeatable)")
    parser.add_argument("--tensorflow", action="store_true", help="grade the questions that need TensorFlow as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements to FILE as well")
    options = parser.parse_args()
    manifest = read_manifest(ROOT / "assignment2")
    known = submissions(manifest)
    unknown = set(options.only or ()) - set(known)
    if unknown:
        parser.error(f"--only {', '.join(sorted(unknown))}: no such submission. There are: {', '.join(known)}")
    questions = [each.id for each in manifest.questions if options.tensorflow or "tensorflow" not in each.requires]
    checkouts = {HERE: ROOT} | ({OTHER: options.against.resolve()} if options.against else {})
    console, progress, rows = Console(), Console(stderr=True), []
    with tempfile.TemporaryDirectory() as top:
        folders = {name: Path(top, known[name].name) for name in options.only or known}
        for name, folder in folders.items():
            write_sample(known[name], manifest, folder, manifest.notebooks)
        for row in measure(folders, checkouts, questions, options.repetitions):
            rows.append(row)
            heading, (cells,) = table([row])
            progress.print(", ".join(f"{name} {cell}" for name, cell in zip(heading, cells)))
    heading, body = table(rows)
    shown = Table(*heading, title="Processor seconds of grading one submission")
    for cells in body:
        shown.add_row(*cells)
    console.print(shown)
    for row in rows:
        for difference in row["differences"]:
            console.print(f"{row['name']}: {difference}", markup=False, soft_wrap=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
