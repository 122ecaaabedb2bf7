"""The judge: puts a submission's code through every criterion and writes the report.

It owns the reference, the hidden inputs, the comparison and the score. The student's code runs in a worker process,
one for each question, and is only ever asked for arrays.
"""

import functools
import hashlib
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import autograder
from autograder import report
from autograder.examine import all_needs, is_available
from autograder.fairness import FairExaminer
from autograder.scratch import temporary_folder
from autograder.secret import secret_of
from autograder.visible import KIT
from autograder.work import Work


def judge(
    submission,
    manifest,
    isolation,
    questions=None,
    hidden=(),
    progress=None,
    secret=None,
    seed=None,
    watch=None,
    alone=True,
):
    """Grade a submission and return its Report; RetryLater where it is not `alone` and reaches a limit.

    - isolation: what sandbox.choose_isolation returned
    - questions: ids to grade (default all); what they need is graded with them
    - hidden: folders the student's code must not be able to read, besides the kit's own
    - progress: called with each report.Question as it is done
    - secret: what secret.secret_of gave for the course; None takes the kit's own for what needs one
    - seed: of the hidden inputs; None takes the course's, or without a secret the kit's
    - watch: called with each (question id, examine.Attempt)
    - alone: no other submission of this run is judged meanwhile
    """
    started = time.monotonic()
    work = Work(submission, manifest, isolation, hidden, secret or secret_of(KIT))
    wanted = _with_needs(work, questions)
    result = report.Report(
        assignment=manifest.name,
        submission={
            "student": submission.student,
            "name": submission.name,
            "digest": submission.digest,
            "files": [path.encode("utf-8", "backslashreplace").decode() for path in sorted(submission.files)],
            "notes": list(submission.notes),
        },
        isolation={"name": isolation.name, "strong": isolation.strong, "text": isolation.text},
        seed=seed_of(manifest, secret) if seed is None else seed,
        kit=kit_of(manifest),
    )
    # One thread: the same sums in the same order on every machine.
    with threadpool_limits(1), temporary_folder("submission-") as folder:
        work.stage(folder)
        examiner = FairExaminer(work, result.seed, watch, alone)
        for question in wanted:
            outcome = examiner.examine(question, result.questions)
            result.questions.append(outcome)
            if progress:
                progress(outcome)
    order = [question.id for question in manifest.questions]
    result.questions.sort(key=lambda outcome: order.index(outcome.id))
    result.graded_at = datetime.now(UTC).isoformat(timespec="seconds")
    result.seconds = round(time.monotonic() - started, 3)
    return result


def seed_of(manifest, secret=None):
    """Return the seed of all hidden inputs: never from the student, who gets the same questions as everybody.

    - secret: of the course, which nobody can know; without one the kit's version and the assignment's name decide
    """
    text = f"{autograder.__version__} {manifest.name} {secret or ''}".strip()
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def kit_of(manifest):
    """Return what produced a report: kit version and digest, Python and NumPy versions, what else was to be had."""
    return {
        "version": autograder.__version__,
        "digest": _kit_digest(manifest.root, manifest.notebooks),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "available": {name: is_available(name) for question in manifest.questions for name in question.requires},
    }


@functools.cache
def _kit_digest(*folders):
    total = hashlib.sha256()
    for top in (Path(autograder.__file__).parent, *folders):
        for path in sorted(top.rglob("*")):
            if path.suffix in (".py", ".pyx", ".pxi", ".h", ".toml", ".ipynb"):
                total.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _with_needs(work, ids):
    """Return the questions to be judged, what is needed before what needs it."""
    by_id = {question.id: question for question in work.manifest.questions}
    wanted = {}

    def want(identifier):
        if identifier not in wanted:
            for need in all_needs(by_id[identifier], work):
                if need in by_id:  # a course may leave out a question that some criterion builds on
                    want(need)
            wanted[identifier] = by_id[identifier]

    for identifier in by_id if ids is None else ids:
        want(identifier)
    return list(wanted.values())
