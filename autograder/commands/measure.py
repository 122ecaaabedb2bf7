"""`autograder measure`: measure the cost of the reference, which determines the limits."""

from pathlib import Path

from autograder.assignment.limits import COSTS_FILE, Cost, format_costs
from autograder.commands.console import console
from autograder.course import Course
from autograder.grading.calibrate import measure
from autograder.grading.setting import make_setting
from autograder.runtime.atomic import write_atomically
from autograder.runtime.machine_load import is_loaded
from autograder.sandbox.isolation import choose_isolation


def run(times: int, course: Path) -> None:
    """Measure every question `times` times and write costs.toml next to the manifest."""
    manifest = Course(course).manifest
    costs = measure(make_setting(manifest, choose_isolation()), times, _show)
    path = manifest.root / COSTS_FILE
    write_atomically(path, format_costs(costs).encode())
    if is_loaded():
        console.print("This machine is busy, so the wall-clock times are too long. Measure again when it is idle.")
    console.print(f"written: {path}", soft_wrap=True)


def _show(identifier: str, cost: Cost, measured: bool) -> None:
    seconds, memory = (cost.cpu_seconds, cost.wall_seconds), (cost.memory_mb, cost.address_mb)
    used = " ".join([f"{value:7.2f} s" for value in seconds] + [f"{value:7.0f} MB" for value in memory])
    console.print(f"{identifier:<28}{used}{'' if measured else '  (earlier value; not measured here)'}")
