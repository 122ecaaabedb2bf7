"""Measure the cost of the reference's answers, in the same worker and with the same checks as a student's."""

import time
from collections.abc import Callable
from dataclasses import astuple, replace

from threadpoolctl import threadpool_limits

from autograder.assignment.limits import Cost, Limits, read_costs
from autograder.assignment.manifest import Question
from autograder.checking.criteria import Trial
from autograder.errors import KitError
from autograder.grading.prepared import prepare_submission
from autograder.grading.question import is_available, judge_question
from autograder.grading.setting import Setting
from autograder.intake.reference_submission import make_reference_submission
from autograder.runtime.text import join_words

UNBOUNDED = Limits(cpu_seconds=3600, wall_seconds=3600, memory_mb=1 << 20)


def measure(
    setting: Setting, times: int = 3, progress: Callable[[str, Cost, bool], None] | None = None
) -> dict[str, Cost]:
    """Measure the reference on every question and return {id: Cost}, the smallest of `times` runs.

    Raises KitError if the reference does not pass. A question that this machine cannot judge keeps its recorded cost.

    - progress: called with (id, Cost, whether it was measured) for each question
    """
    known, costs = read_costs(setting.manifest.root), {}
    for question in setting.manifest.questions:
        measured = all(map(is_available, question.requires))
        if not measured and question.id not in known:
            lacking = join_words(question.requires)
            raise KitError(f"{question.id} needs {lacking}, which is not installed here. Install it.")
        costs[question.id] = _measure_smallest(question, setting, times) if measured else known[question.id]
        if progress:
            progress(question.id, costs[question.id], measured)
    return costs


def measure_reference(question: Question, setting: Setting) -> Cost | None:
    """Return the Cost of the reference's answer on this machine, or None if the reference does not pass."""
    # An answer that is not a module of the package may be a saved model.
    models = setting.pack.model_files() if question.file != question.source else {}
    submission = make_reference_submission(setting.manifest, models)
    usages: list[Cost | None] = []

    def record_usage(trial: Trial) -> None:
        usages.append(trial.worker.usage())

    with threadpool_limits(1), prepare_submission(submission, setting) as prepared:
        started, processor = time.monotonic(), time.process_time()
        judged = judge_question(replace(question, limits=UNBOUNDED), prepared, [], record_usage)
    if judged.result.verdict != "passed":
        return None
    # Without a worker, the judge itself did all the work.
    return usages[0] or Cost(round(time.process_time() - processor, 3), round(time.monotonic() - started, 3), 0, 0)


def _measure_smallest(question: Question, setting: Setting, times: int) -> Cost:
    runs = [cost for _ in range(times) if (cost := measure_reference(question, setting))]
    if len(runs) < times:
        raise KitError(
            f"the reference does not pass {question.id} here, so its cost cannot be measured. Check it first: "
            f"autograder check {setting.manifest.root}"
        )
    return Cost(*(min(values) for values in zip(*map(astuple, runs), strict=True)))
