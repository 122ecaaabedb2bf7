"""What the reference takes for a question, measured as a student's answer is: the same worker, the same checks."""

import tempfile
import time
from dataclasses import astuple, replace

from threadpoolctl import threadpool_limits

from autograder import checks
from autograder.errors import KitError
from autograder.examine import examine, is_available
from autograder.limits import Cost, Limits, recorded_costs
from autograder.reference import reference_submission
from autograder.secret import secret_of
from autograder.submission import Submission
from autograder.visible import KIT
from autograder.words import listed
from autograder.work import Work

UNBOUNDED = Limits(cpu_seconds=3600, wall_seconds=3600, memory_mb=1 << 20)


class _Watched(Work):
    """A Work that remembers who answered."""

    def student(self, question, answers=None):
        self.answered_by = super().student(question, answers)
        return self.answered_by


def measure(manifest, isolation, seed, times=3, progress=None):
    """Measure the reference on every question and return {id: Cost}, the least of so many runs.

    KitError where it does not pass. A question that this machine cannot judge keeps the cost that is on record.

    - seed: of the hidden inputs
    - progress: called with (id, Cost, whether it was measured) of each
    """
    work, known = Work(Submission("none", {}), manifest, isolation, (), secret_of(KIT)), recorded_costs(manifest.root)
    costs = {}
    for question in manifest.questions:
        measured = all(map(is_available, question.requires))
        if not measured and question.id not in known:
            raise KitError(f"{question.id} needs {listed(question.requires)}, which is not installed here. Install it.")
        costs[question.id] = _least(question, work, seed, times) if measured else known[question.id]
        if progress:
            progress(question.id, costs[question.id], measured)
    return costs


def _least(question, work, seed, times):
    runs = [reference_cost(question, work, seed) for _ in range(times)]
    if not all(runs):
        raise KitError(
            f"the reference does not pass {question.id} here, so there is nothing to measure. Check it first."
        )
    return Cost(*(min(values) for values in zip(*map(astuple, runs))))


def reference_cost(question, work, seed):
    """Return the Cost of the reference's answer to a question on this machine now, or None where it does not pass.

    - work: a Work with the manifest, isolation, hidden folders and secret to measure with
    """
    # Where the answer is no module of the package, it may be a saved model.
    models = checks.model_files() if question.file != question.source else {}
    submission = reference_submission(work.manifest, models)
    reference = _Watched(submission, work.manifest, work.isolation, work.hidden, work.secret)
    used = []

    def watch(*_):
        if not used:  # all checks are done, and the worker is still there
            used.append(reference.answered_by.usage())

    with threadpool_limits(1), tempfile.TemporaryDirectory(prefix="submission-") as folder:
        reference.stage(folder)
        started, processor = time.monotonic(), time.process_time()
        outcome = examine(replace(question, limits=UNBOUNDED), reference, [], seed, watch)
    if outcome.verdict != "passed":
        return None
    # Where no code of the student's is run, the work is the judge's own.
    return used[0] or Cost(round(time.process_time() - processor, 3), round(time.monotonic() - started, 3), 0, 0)
