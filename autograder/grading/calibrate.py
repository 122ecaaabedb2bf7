"""The cost of the reference's answer to a question, measured like a student's: the same worker, the same checks."""

import time
from collections.abc import Callable
from dataclasses import astuple, replace

from threadpoolctl import threadpool_limits

from autograder.assignment.limits import Cost, Limits, read_costs
from autograder.assignment.manifest import Manifest, Question
from autograder.checking.criteria import Trial
from autograder.checking.pack import load_pack
from autograder.errors import KitError
from autograder.grading.prepared import Setting, prepared
from autograder.grading.question import examine, is_available
from autograder.intake.reference_submission import make_reference_submission
from autograder.runtime.paths import KIT
from autograder.runtime.secret import load_secret
from autograder.runtime.text import join_words
from autograder.sandbox.isolation import Isolation

UNBOUNDED = Limits(cpu_seconds=3600, wall_seconds=3600, memory_mb=1 << 20)


def measure(
    manifest: Manifest,
    isolation: Isolation,
    seed: int,
    times: int = 3,
    progress: Callable[[str, Cost, bool], None] | None = None,
) -> dict[str, Cost]:
    """Measure the reference on every question and return {id: Cost}, the least of `times` runs.

    KitError where the reference does not pass. A question that this machine cannot judge keeps its recorded cost.

    - seed: of the hidden inputs
    - progress: called with (id, Cost, whether it was measured) of each question
    """
    setting = Setting(manifest, load_pack(manifest), isolation, (), load_secret(KIT), seed)
    known, costs = read_costs(manifest.root), {}
    for question in manifest.questions:
        measured = all(map(is_available, question.requires))
        if not measured and question.id not in known:
            lacking = join_words(question.requires)
            raise KitError(f"{question.id} needs {lacking}, which is not installed here. Install it.")
        costs[question.id] = _least(question, setting, times) if measured else known[question.id]
        if progress:
            progress(question.id, costs[question.id], measured)
    return costs


def reference_cost(question: Question, setting: Setting) -> Cost | None:
    """Return the Cost of the reference's answer to a question on this machine now, or None where it does not pass."""
    # Where the answer is no module of the package, it may be a saved model.
    models = setting.pack.model_files() if question.file != question.source else {}
    submission, used = make_reference_submission(setting.manifest, models), []

    def usage(trial: Trial) -> None:
        used.append(trial.worker.usage())

    with threadpool_limits(1), prepared(submission, setting) as reference:
        started, processor = time.monotonic(), time.process_time()
        examined = examine(replace(question, limits=UNBOUNDED), reference, [], usage)
    if examined.result.verdict != "passed":
        return None
    # Where no code of the student's is run, the work is the judge's own.
    return used[0] or Cost(round(time.process_time() - processor, 3), round(time.monotonic() - started, 3), 0, 0)


def _least(question: Question, setting: Setting, times: int) -> Cost:
    runs = [cost for _ in range(times) if (cost := reference_cost(question, setting))]
    if len(runs) < times:
        raise KitError(
            f"the reference does not pass {question.id} here, so its cost cannot be measured. Check it first: "
            f"autograder check {setting.manifest.root}"
        )
    return Cost(*(min(values) for values in zip(*map(astuple, runs), strict=True)))
