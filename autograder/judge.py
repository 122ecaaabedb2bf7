"""The judge: puts a submission's code through every criterion and writes the report.

It owns the reference, the hidden inputs, the comparison and the score. The student's code runs in a worker process,
one for each question, and is only ever asked for arrays.
"""

import functools
import hashlib
import importlib.util
import logging
import math
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import autograder
from autograder import checks, report
from autograder.cells import in_the_notebook
from autograder.criteria import Outcome, Wrong
from autograder.sandbox import KIT
from autograder.secret import secret_of
from autograder.student import StudentError
from autograder.work import Work

# Verdicts that may be the doing of a needed question that is not right itself.
_INHERITED = {"failed", "error", "missing", "timeout", "memory"}
STUB = "not done yet: the stub is still there"
MESSAGE = 2000  # characters of a message at most: some of it is the student's
log = logging.getLogger("autograder")


def judge(submission, manifest, isolation, questions=None, hidden=(), progress=None, secret=None):
    """Grade a submission and return its Report.

    - isolation: what sandbox.choose_isolation returned
    - questions: ids to grade (default all); what they need is graded with them
    - hidden: folders the student's code must not be able to read, besides the kit's own
    - progress: called with each report.Question as it is done
    - secret: what secret.secret_of gave for the course; None takes the kit's own
    """
    started = time.monotonic()
    wanted = _with_needs(manifest, questions)
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
        seed=seed_of(manifest),
        kit=kit_of(manifest),
    )
    work = Work(submission, manifest, isolation, hidden, secret or secret_of(KIT))
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        work.stage(folder)
        for question in wanted:
            outcome = _judge_question(question, work, result)
            result.questions.append(outcome)
            if progress:
                progress(outcome)
    order = [question.id for question in manifest.questions]
    result.questions.sort(key=lambda outcome: order.index(outcome.id))
    result.graded_at = datetime.now(UTC).isoformat(timespec="seconds")
    result.seconds = round(time.monotonic() - started, 3)
    return result


def seed_of(manifest):
    """Return the seed of all hidden inputs: from the kit's version and the assignment, never from the student."""
    text = f"{autograder.__version__} {manifest.name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def kit_of(manifest):
    """Return what produced a report: kit version and digest, Python and NumPy versions, what else was to be had."""
    return {
        "version": autograder.__version__,
        "digest": _kit_digest(manifest.root, manifest.notebooks),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "available": {name: _available(name) for question in manifest.questions for name in question.requires},
    }


@functools.cache
def _kit_digest(*folders):
    total = hashlib.sha256()
    for top in (Path(autograder.__file__).parent, *folders):
        for path in sorted(top.rglob("*")):
            if path.suffix in (".py", ".pyx", ".toml", ".ipynb"):
                total.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _available(module):
    return importlib.util.find_spec(module) is not None


def _needs(question):
    """Return the ids that a question or one of its criteria needs."""
    return [*question.needs, *(need for criterion in checks.CRITERIA[question.id] for need in criterion.needs)]


def _with_needs(manifest, ids):
    """Return the questions to be judged, what is needed before what needs it."""
    by_id = {question.id: question for question in manifest.questions}
    wanted = {}

    def want(identifier):
        if identifier not in wanted:
            for need in _needs(by_id[identifier]):
                if need in by_id:  # a course may leave out a question that some criterion builds on
                    want(need)
            wanted[identifier] = by_id[identifier]

    for identifier in by_id if ids is None else ids:
        want(identifier)
    return list(wanted.values())


def _judge_question(question, work, result):
    started = time.monotonic()
    code, untouched = work.code(question)
    outcome = report.Question(
        question.id,
        question.title,
        question.notebook,
        0,
        question.points,
        "passed",
        needs=list(dict.fromkeys(_needs(question))),
        hint=question.hint,
        bonus=question.bonus,
        code=code,
    )
    refused = _refusal(question, untouched)
    criteria = checks.CRITERIA[question.id]
    shares = _shares(question.points, [criterion.weight for criterion in criteria])
    with work.student(question) as student:
        trial = work.trial(question, student, result.seed)
        for criterion, points in zip(criteria, shares):
            unmet = _unmet(result, question, criterion)
            judged, found = _judge_criterion(criterion, trial, points, question, unmet, refused)
            if untouched and judged.verdict == "blocked":
                judged.verdict, judged.message = "missing", STUB
            judged.message = in_the_notebook(judged.message, work.modules)
            outcome.criteria.append(judged)
            outcome.diagnosis += [d for d in found if d not in outcome.diagnosis]
        outcome.output = student.printed
    outcome.points = round(sum(criterion.points for criterion in outcome.criteria), 2)
    outcome.verdict = report.worst(criterion.verdict for criterion in outcome.criteria)
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def _refusal(question, untouched):
    """Return a Wrong for every criterion of a question that needs no worker to be judged, or None."""
    lacking = [name for name in question.requires if not _available(name)]
    if lacking:
        return Wrong(f"{' and '.join(lacking)} is not installed on the machine that graded this", "skipped")
    # A module made of cells holds nothing but them; in one of the package something else might define the function.
    return Wrong(STUB, "missing") if untouched and question.cells else None


def _unmet(result, question, criterion):
    """Return the needed questions that are not right.

    For a main criterion that means: whose main criteria do not all hold. An edge case may fail by an edge of theirs.
    """
    names = {*question.needs, *criterion.needs}
    needed = [done for done in result.questions if done.id in names]
    return [need.id for need in needed if not (need.verdict == "passed" if criterion.edge else _sound(need))]


def _judge_criterion(criterion, trial, points, question, unmet, refused):
    """Run one check, unless it is `refused` by a Wrong, and return (report.Criterion, diagnoses)."""
    try:
        if refused:
            raise refused
        if trial.student.seconds_left <= 0:
            raise StudentError("timeout", "not tried: the question's time was used up before")
        found, verdict = criterion.check(trial) or Outcome(), "passed"
    except Wrong as wrong:
        found, verdict = wrong.outcome, wrong.verdict
    except StudentError as error:
        found, verdict = Outcome(str(error)), error.verdict
        unmet = _blamed(error, question, unmet)
    except Exception as error:  # a fault of the grader: it must not cost the student a point, nor stop the class
        log.exception("grader fault in %s, %s", question.id, criterion.name)
        found = Outcome(f"the grader itself failed here ({type(error).__name__}); a human will look")
        verdict = "grader_fault"
    message = found.message[:MESSAGE]
    if unmet and verdict in _INHERITED:
        verdict = "blocked"
        message = f"This may not be a mistake of its own: it needs {' and '.join(unmet)}, not right yet. {message}"
    judged = report.Criterion(
        name=criterion.name,
        text=criterion.text,
        verdict=verdict,
        points=points if verdict == "passed" else 0,
        max_points=points,
        message=message,
        max_rel_error=_finite(found.max_rel_error),
        worst_index=None if found.worst_index is None else [int(i) for i in found.worst_index],
        near=_near(found),
        picture=checks.picture_of(*found.arrays) if found.arrays else None,
    )
    return judged, found.diagnosis


def _blamed(error, question, unmet):
    """Return which needed questions an exception may be put down to, given those that are not right."""
    own = error.file in (None, question.source) or not question.needs
    if own and (error.verdict == "missing" or error.function == "<module>"):
        return []  # the student's own stub, or a file that cannot even be imported
    if error.verdict == "missing":
        return unmet or [error.function]
    return unmet


def _shares(points, weights):
    """Split points by weight into hundredths that add up exactly."""
    edges = [round(points * sum(weights[:i]) / sum(weights), 2) for i in range(len(weights) + 1)]
    return [round(high - low, 2) for low, high in zip(edges, edges[1:])]


def _sound(question):
    edges = {criterion.name for criterion in checks.CRITERIA[question.id] if criterion.edge}
    return all(criterion.verdict == "passed" or criterion.name in edges for criterion in question.criteria)


def _near(found):
    """Within a factor of two of the bound, on either side: a human may want to look."""
    if not found.max_rel_error or not found.bound:
        return False
    return bool(0.5 <= found.max_rel_error / found.bound <= 2)


def _finite(value):
    return float(value) if value is not None and math.isfinite(value) else None
