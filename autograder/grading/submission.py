"""The judge: tries a submission's code on every criterion and writes the report.

It owns the reference, the hidden inputs, the comparison and the score. The student's code runs in a worker process,
one for each question, and returns arrays and nothing else.
"""

import functools
import hashlib
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import autograder
from autograder.assignment.manifest import Manifest, Question
from autograder.checking.attempt import Attempt
from autograder.checking.pack import Pack, load_pack, pack_path
from autograder.grading.prepared import Prepared, Setting, hidden_folders, prepared
from autograder.grading.question import is_available
from autograder.grading.retry import RetryingExaminer
from autograder.intake.submission import Submission
from autograder.report.model import QuestionResult, Report
from autograder.runtime.paths import KIT, PACKAGE
from autograder.runtime.secret import load_secret
from autograder.runtime.text import escape_path
from autograder.sandbox.isolation import Isolation

_CODE = (".py", ".pyx", ".pxi", ".h", ".tbl", ".toml", ".ipynb")  # what the digest reads of folders that may hold more


def judge(
    submission: Submission,
    manifest: Manifest,
    isolation: Isolation,
    questions: Sequence[str] | None = None,
    hidden: Sequence[Path] = (),
    progress: Callable[[QuestionResult], None] | None = None,
    secret: tuple[int, ...] | None = None,
    seed: int | None = None,
    watch: Callable[[str, Attempt], None] | None = None,
    pack: Pack | None = None,
    alone: bool = True,
) -> Report:
    """Grade a submission and return its Report; RetryLater where it is not `alone` and reaches a limit.

    - isolation: from sandbox.isolation.choose_isolation
    - questions: ids to grade (default all); the questions that they need are graded with them
    - hidden: folders that the student's code must not be able to read, in addition to the kit's own
    - progress: called with each QuestionResult as it is done
    - secret: from runtime.secret.load_secret for the course; None takes the kit's own
    - seed: of the hidden inputs; None takes the course's, or without a secret the kit's
    - watch: called with each (question id, Attempt)
    - pack: the checks; None takes the pack that the manifest names
    - alone: whether no other submission of this run is judged meanwhile
    """
    started = time.monotonic()
    seed = seed_of(manifest, secret) if seed is None else seed
    pack, secret = pack or load_pack(manifest), secret or load_secret(KIT)
    setting = Setting(manifest, pack, isolation, hidden_folders(manifest, hidden), secret, seed)
    results: list[QuestionResult] = []
    # One thread: the same sums in the same order on every machine.
    with threadpool_limits(1), prepared(submission, setting) as staged:
        examiner = RetryingExaminer(staged, alone)
        for question in _with_needs(staged, questions):
            examined = examiner.examine(question, results)
            results.append(examined.result)
            if watch:
                for attempt in examined.attempts:
                    watch(question.id, attempt)
            if progress:
                progress(examined.result)
    order = [question.id for question in manifest.questions]
    return Report(
        assignment=manifest.name,
        submission={
            "student": submission.student,
            "name": submission.name,
            "digest": submission.digest,
            "files": [escape_path(path) for path in sorted(submission.files)],
            "notes": list(submission.notes),
        },
        isolation={"name": isolation.name, "strong": isolation.strong, "text": isolation.text},
        seed=seed,
        kit=kit_of(manifest),
        questions=sorted(results, key=lambda result: order.index(result.id)),
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - started, 3),
    )


def seed_of(manifest: Manifest, secret: tuple[int, ...] | None = None) -> int:
    """Return the seed of all hidden inputs; it never depends on the student, so all get the same questions.

    - secret: of the course, which nobody can know; without one the kit's version and the assignment's name decide
    """
    text = f"{autograder.__version__} {manifest.name} {secret or ''}".strip()
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def kit_of(manifest: Manifest) -> dict:
    """Return what produced a report: versions of kit, Python and NumPy, a digest, which optional modules are there."""
    return {
        "version": autograder.__version__,
        "digest": _kit_digest(manifest.root, manifest.notebooks, pack_path(manifest)),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "available": {name: is_available(name) for question in manifest.questions for name in question.requires},
    }


@functools.cache
def _kit_digest(root: Path, notebooks: Path, pack: Path | None) -> str:
    """Return a SHA-256 over the grader, the reference, the notebooks, and all files of the pack, data as well."""
    total = hashlib.sha256()
    code = [(top, path) for top in (PACKAGE, root, notebooks) for path in top.rglob("*") if path.suffix in _CODE]
    if pack:
        inside = pack.rglob("*") if pack.is_dir() else [pack]
        code += [(pack.parent, path) for path in inside if path.is_file() and "__pycache__" not in path.parts]
    for top, path in sorted(code):
        total.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _with_needs(staged: Prepared, ids: Iterable[str] | None) -> list[Question]:
    """Return the questions to be judged; a needed question comes before the question that needs it."""
    by_id = {question.id: question for question in staged.manifest.questions}
    wanted: dict[str, Question] = {}

    def want(identifier: str) -> None:
        if identifier not in wanted:
            for need in staged.all_needs(by_id[identifier]):
                if need in by_id:  # a course may leave out a question that some criterion builds on
                    want(need)
            wanted[identifier] = by_id[identifier]

    for identifier in by_id if ids is None else ids:
        want(identifier)
    return list(wanted.values())
