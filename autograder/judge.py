"""The judge: puts a submission's code through every criterion and writes the report.

It owns the reference, the hidden inputs, the comparison and the score. The student's code runs in a worker process,
one for each question, and is only ever asked for arrays.
"""

import functools
import hashlib
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
from autograder.criteria import Outcome, Trial, Wrong
from autograder.release import package_files
from autograder.student import Student, StudentError
from autograder.submission import Submission, source_path, stage

# Verdicts that may be the doing of a needed question that is not right itself.
_INHERITED = {"failed", "error", "missing", "timeout", "memory"}
MESSAGE = 2000  # characters of a message at most: some of it is the student's
log = logging.getLogger("autograder")


def judge(submission, manifest, isolation, questions=None, hidden=(), progress=None):
    """Grade a submission and return its Report.

    - isolation: what sandbox.choose_isolation returned
    - questions: ids to grade (default all); what they need is graded with them
    - hidden: folders the student's code must not be able to read, besides the kit's own
    - progress: called with each report.Question as it is done
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
    released = package_files(manifest)
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        stage(submission, released, manifest, folder)
        Path(folder).chmod(0o755)
        for question in wanted:
            code = submission.code_of(source_path(submission, question.file, manifest, released), question.id)
            untouched = code is not None and code["text"] == _stub_of(question, released)
            outcome = _judge_question(question, folder, result, isolation, hidden, untouched)
            outcome.code = code
            result.questions.append(outcome)
            if progress:
                progress(outcome)
    result.graded_at = datetime.now(UTC).isoformat(timespec="seconds")
    result.seconds = round(time.monotonic() - started, 3)
    return result


def seed_of(manifest):
    """Return the seed of all hidden inputs: from the kit's version and the assignment, never from the student."""
    text = f"{autograder.__version__} {manifest.name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def kit_of(manifest):
    """Return what produced a report: kit version and digest, Python and NumPy versions."""
    return {
        "version": autograder.__version__,
        "digest": _kit_digest(manifest.root),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


@functools.cache
def _kit_digest(root):
    total = hashlib.sha256()
    for top in (Path(autograder.__file__).parent, root):
        for path in sorted(top.rglob("*")):
            if path.suffix in (".py", ".toml"):
                total.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _with_needs(manifest, ids):
    if ids is None:
        return manifest.questions
    by_id = {question.id: question for question in manifest.questions}
    wanted, todo = set(), list(ids)
    while todo:
        identifier = todo.pop()
        if identifier not in wanted:
            wanted.add(identifier)
            todo += by_id[identifier].needs
    return [question for question in manifest.questions if question.id in wanted]


def _stub_of(question, released):
    """Return the text of a question's function or class as it was released."""
    return Submission("release", released).code_of(question.file, question.id)["text"]


def _judge_question(question, folder, result, isolation, hidden, untouched):
    started = time.monotonic()
    outcome = report.Question(
        question.id,
        question.title,
        question.notebook,
        0,
        question.points,
        "passed",
        needs=list(question.needs),
        hint=question.hint,
    )
    # Of the needed questions, those whose main criteria do not all hold. An edge case may fail by an edge of theirs.
    needed = [result.question(need) for need in question.needs]
    unmet = {False: [need.id for need in needed if not _sound(need)]}
    unmet[True] = [need.id for need in needed if need.verdict != "passed"]
    criteria = checks.CRITERIA[question.id]
    shares = _shares(question.points, [criterion.weight for criterion in criteria])
    with Student(folder, question.limits, isolation, hidden) as student:
        trial = Trial(student, result.seed)
        for criterion, points in zip(criteria, shares):
            judged, found = _judge_criterion(criterion, trial, points, question, unmet[criterion.edge])
            if untouched and judged.verdict == "blocked":
                judged.verdict, judged.message = "missing", "not done yet: the stub is still there"
            outcome.criteria.append(judged)
            outcome.diagnosis += [d for d in found if d not in outcome.diagnosis]
        outcome.output = student.printed
    outcome.points = round(sum(criterion.points for criterion in outcome.criteria), 2)
    outcome.verdict = report.worst(criterion.verdict for criterion in outcome.criteria)
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def _judge_criterion(criterion, trial, points, question, unmet):
    """Run one check and return (report.Criterion, diagnoses)."""
    try:
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
        worst_index=None if found.worst_index is None else list(found.worst_index),
        near=_near(found),
        picture=checks.picture_of(*found.arrays) if found.arrays else None,
    )
    return judged, found.diagnosis


def _blamed(error, question, unmet):
    """Return which needed questions an exception may be put down to, given those that are not right."""
    own = error.file in (None, question.file) or not question.needs
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
    return 0.5 <= found.max_rel_error / found.bound <= 2


def _finite(value):
    return float(value) if value is not None and math.isfinite(value) else None
