"""Time the fast layers against PyTorch, the classic im2col and the matrix products alone: make bench.

    pip install -r requirements.txt -r benchmarks/requirements.txt
    python -m benchmarks.fast_layers [--threads N] [--repetitions N] [--markdown docs/performance.md]

All contenders run every case in turn, several times, each in a process of its own with the same number of threads. The
table has medians. Because machines are noisy, its ratios are medians of the ratios of runs that followed one another. A
contender that is not installed is left out. The medians go to benchmarks/results.json. All of it takes about four
minutes on two processors.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..pages import write_between
from .cases import all_cases
from .runners import CONTENDERS, ROOT

START, END = "<!-- fast layers: begin -->", "<!-- fast layers: end -->"
PAUSE = 0.05  # seconds, after which threads of the contender before do not wait for work any more
# Threads of OpenBLAS keep the processors busy for 30 ms after each product. `make lab` sets this shorter time, 2^16
# cycles, for students as well.
ENVIRONMENT = os.environ | {"OPENBLAS_THREAD_TIMEOUT": "16"}


class Contender:
    """A process that runs cases when it is asked to."""

    def __init__(self, name, threads):
        command = [sys.executable, "-m", "benchmarks.fast_layers.runners", name, str(threads)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, text=True, **pipes)

    def ask(self, line):
        """Return the answer to a line; None where the process has ended, because its library is missing."""
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._process.stdout.readline().strip() or None

    def stop(self):
        self._process.kill()
        self._process.wait()


def compile_classic():
    """Compile the baseline into build/."""
    folder = ROOT / "build" / "classic"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("classic.pyx"), folder)
    command = [sys.executable, "-m", "Cython.Build.Cythonize", "--inplace", "--quiet", "classic.pyx"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def measure(threads, repetitions, only):
    """Return rows {kind, name, type, milliseconds: {contender: [one for each repetition]}}."""
    contenders = {name: Contender(name, threads) for name in CONTENDERS}
    rows, cases = [], [case for case in all_cases() if only in " ".join(case)]
    try:
        for case in track(cases, "timing", console=Console(stderr=True)):
            ready = [one for one in contenders if contenders[one].ask(json.dumps(case)) == "True"]
            times = {one: [] for one in ready}
            for _ in range(repetitions):
                for one in ready:
                    time.sleep(PAUSE)
                    times[one].append(1000 * float(contenders[one].ask("run")))
            rows.append(dict(zip(("kind", "name", "type"), case, strict=True)) | {"milliseconds": times})
    finally:
        for contender in contenders.values():
            contender.stop()
    return rows


def ratio(row, one, other):
    """The median of one contender's time over another's, run by run; None where either is absent."""
    times = row["milliseconds"]
    if one not in times or other not in times:
        return None
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


RATIOS = (("kit", "PyTorch"), ("kit", "products"), ("kit on NumPy", "classic"))


def lines(rows):
    """The table: a heading, and for each row its cells."""
    yield ["case", "numbers", *(f"{name}, ms" for name in CONTENDERS), *(f"{a} : {b}" for a, b in RATIOS)]
    for row in rows:
        medians = {name: statistics.median(times) for name, times in row["milliseconds"].items()}
        cells = [f"{medians[name]:.1f}" if name in medians else "" for name in CONTENDERS]
        ratios = [ratio(row, *pair) for pair in RATIOS]
        yield [row["name"], row["type"], *cells, *("" if one is None else f"{one:.2f}" for one in ratios)]


def markdown(rows, about):
    """The same as a table in Markdown, under a line about where it was made."""
    heading, *body = lines(rows)
    rule = ["---", "---", *["---:"] * (len(heading) - 2)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in (heading, rule, *body))
    return f"{about['words']}\n\n{table}"


def summary(rows):
    """The rows with medians in the place of single runs, and with the ratios of the table."""
    for row in rows:
        medians = {name: round(statistics.median(times), 2) for name, times in row["milliseconds"].items()}
        ratios = {f"{a} : {b}": ratio(row, a, b) for a, b in RATIOS}
        known = {name: round(value, 3) for name, value in ratios.items() if value is not None}
        yield row | {"milliseconds": medians, "ratios": known}


def surroundings(threads, repetitions, extra):
    """What else matters: the machine, the versions and the memory."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    names = "import numpy; print(numpy.__version__); import torch; print(torch.__version__)"
    versions = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True).stdout.split()
    libraries = ", ".join(f"{name} {version}" for name, version in zip(("NumPy", "PyTorch"), versions, strict=False))
    processor = model[0].partition(":")[2].strip() if model else platform.processor()
    words = (
        f"{threads} threads on {processor}; Python {platform.python_version()}, {libraries}; medians of {repetitions} "
        "runs in turn. Memory of the 500 images in float64 beyond the results: "
        f"{max(1, round(extra / 2**20))} MB or less."
    )
    return {"words": words, "threads": threads, "repetitions": repetitions, "extra_memory_bytes": extra}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of every contender (default: %(default)s)")
    parser.add_argument("--repetitions", type=int, default=7, help="of every case (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only cases whose kind or name holds these words")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE as well")
    options = parser.parse_args()
    compile_classic()
    command = [sys.executable, "-m", "benchmarks.fast_layers.runners", "memory", str(options.threads)]
    memory = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if memory.returncode:  # it has said why
        raise SystemExit(memory.returncode)
    extra = int(memory.stdout)
    rows = measure(options.threads, options.repetitions, options.only)
    about = surroundings(options.threads, options.repetitions, extra)
    results = ROOT / "benchmarks" / "results.json"
    results.write_text(json.dumps(about | {"rows": list(summary(rows))}, indent=1) + "\n")
    heading, *body = lines(rows)
    table = Table(*heading)
    for cells in body:
        table.add_row(*cells)
    Console(width=180).print(table, about["words"], f"written to {results.relative_to(ROOT)}", sep="\n")
    if options.markdown:
        write_between(options.markdown, START, END, markdown(rows, about))


if __name__ == "__main__":
    main()
