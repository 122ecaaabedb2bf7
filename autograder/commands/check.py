"""`autograder check` and `autograder reproduce`: one submission, without a course."""

from collections.abc import Sequence
from pathlib import Path

from autograder.assignment.manifest import find_assignment, read_manifest
from autograder.checking.pack import load_pack
from autograder.commands.console import console
from autograder.errors import KitError
from autograder.grading import judge, make_setting
from autograder.grading.reproduce import reproduce as judge_again
from autograder.intake.reading import read_submission
from autograder.report.html import render_student_page
from autograder.report.terminal import print_question, print_reproduced, print_summary
from autograder.runtime.atomic import write_output
from autograder.runtime.paths import KIT
from autograder.runtime.secret import find_secret
from autograder.sandbox.isolation import choose_isolation


def check(
    path: Path,
    json: Path | None,
    html: Path | None,
    questions: Sequence[str],
    for_student: bool,
    sandbox: str | None,
    assignment: Path | None,
    seed: int | None,
) -> None:
    """Grade one submission, print its report, and write the requested files."""
    manifest = read_manifest(assignment or find_assignment(KIT))
    unknown = set(questions) - {question.id for question in manifest.questions}
    if unknown:
        known = ", ".join(question.id for question in manifest.questions)
        raise KitError(f"--question {', '.join(sorted(unknown))}: no such question; expected one of: {known}")
    submission = read_submission(path, manifest)
    setting = make_setting(manifest, choose_isolation(sandbox), seed=seed)
    report = judge(
        submission, setting, list(questions) or None, watch=lambda judged: print_question(console, judged.result)
    )
    if json:
        report.save(json, write_output)
    if html:
        page = render_student_page(report, load_pack(manifest).heat_map, to_student=for_student)
        write_output(html, page.encode())
    print_summary(console, report)


def reproduce(
    path: Path,
    question: str,
    criterion: str,
    seed: int | None,
    save: Path | None,
    course: Path,
    sandbox: str | None,
    assignment: Path | None,
) -> None:
    """Judge one criterion again; show its inputs, the answer and the expected answer."""
    manifest = read_manifest(assignment or find_assignment(KIT))
    submission = read_submission(path, manifest)
    setting = make_setting(manifest, choose_isolation(sandbox), secret=find_secret(course), seed=seed)
    found = judge_again(submission, setting, question, criterion)
    if save:
        found.save(save)
    print_reproduced(console, found)
    if save:
        console.print(f"arrays: {save}", soft_wrap=True)
