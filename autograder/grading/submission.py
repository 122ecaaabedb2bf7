"""The judge: grades a submission question by question and writes the report.

The judge owns the reference, the hidden inputs, the comparison and the score. The student's code runs in worker
processes, at least one for each question, which return only arrays.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from threadpoolctl import threadpool_limits

from autograder.assignment.manifest import Question
from autograder.grading.kit import describe_kit
from autograder.grading.prepared import PreparedSubmission, prepare_submission
from autograder.grading.question import JudgedQuestion
from autograder.grading.retry import RetryingJudge
from autograder.grading.setting import Setting
from autograder.intake.submission import Submission
from autograder.report.model import QuestionResult, Report
from autograder.runtime.text import escape_path


def judge(
    submission: Submission,
    setting: Setting,
    questions: Sequence[str] | None = None,
    watch: Callable[[JudgedQuestion], None] | None = None,
    alone: bool = True,
) -> Report:
    """Grade a submission and return its Report.

    Raises RetryLater if the submission reaches a limit and is not `alone`.

    - setting: from grading.setting.make_setting
    - questions: ids of the questions (default: all); the questions that they need are graded too
    - watch: called with each JudgedQuestion as soon as it is judged
    - alone: whether no other submission of this run is judged at the same time
    """
    started = time.monotonic()
    results: list[QuestionResult] = []
    # One thread: the same sums in the same order on every machine.
    with threadpool_limits(1), prepare_submission(submission, setting) as prepared:
        retrying_judge = RetryingJudge(prepared, alone)
        for question in _order_by_needs(prepared, questions):
            judged = retrying_judge.judge_question(question, results)
            results.append(judged.result)
            if watch:
                watch(judged)
    seconds = round(time.monotonic() - started, 3)
    return _make_report(submission, setting, results, seconds)


def _make_report(submission: Submission, setting: Setting, results: Sequence[QuestionResult], seconds: float) -> Report:
    """Return the Report, with the questions in the order of the manifest."""
    order = [question.id for question in setting.manifest.questions]
    isolation = setting.isolation
    return Report(
        assignment=setting.manifest.name,
        submission={
            "student": submission.student,
            "name": submission.name,
            "digest": submission.digest,
            "files": [escape_path(path) for path in sorted(submission.files)],
            "notes": list(submission.notes),
        },
        isolation={"name": isolation.name, "strong": isolation.strong, "text": isolation.text},
        seed=setting.seed,
        kit=describe_kit(setting.manifest),
        questions=sorted(results, key=lambda result: order.index(result.id)),
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=seconds,
    )


def _order_by_needs(prepared: PreparedSubmission, ids: Iterable[str] | None) -> list[Question]:
    """Return these questions and those that they need; a needed question comes before the question that needs it."""
    by_id = {question.id: question for question in prepared.manifest.questions}
    ordered: dict[str, Question] = {}

    def add(identifier: str) -> None:
        if identifier not in ordered:
            for need in prepared.find_all_needs(by_id[identifier]):
                if need in by_id:  # a course may leave out a question that a criterion needs
                    add(need)
            ordered[identifier] = by_id[identifier]

    for identifier in by_id if ids is None else ids:
        add(identifier)
    return list(ordered.values())
