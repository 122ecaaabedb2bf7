"""Try a broken submission and find the problems: things that no submission may cause.

A problem is a sentence; a case without problems has passed. With no questions, a case is only read, staged and shown,
and no code of the student runs. By default, two cheap questions are judged.
"""

import ast
import contextlib
import functools
import io
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from rich.console import Console

from autograder.errors import KitError
from autograder.grading import judge, make_setting
from autograder.grading.prepared import prepare_submission
from autograder.intake.reading import read_submission
from autograder.intake.safe_notebook import read_notebook
from autograder.report import model as report
from autograder.report.html import render_student_page
from autograder.report.terminal import print_question, print_summary
from autograder.report.verdicts import find_worst_verdict
from autograder.sandbox.isolation import choose_isolation
from tests.fuzz.cases import RIGHT, Case, bases, manifest
from tests.kit import PACK

JUDGED = ("relu_forward", "sgd_momentum")
LONGEST = 30  # seconds of this process's time for one submission


@dataclass
class Result:
    """The result of a case.

    - outcome: refused, crashed, read, or the worst verdict
    - said: the texts for the student
    - problems: one sentence for each thing that must not happen
    """

    case: Case
    outcome: str = "crashed"
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def try_case(case, questions=JUDGED):
    """Read and judge a case, and return its Result.

    - questions: ids that are judged; () to read, stage and report only
    """
    result, loud = Result(case), io.StringIO()
    started = time.process_time()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, contextlib.redirect_stderr(loud):
        path = case.write(Path(folder))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            try:
                _grade(path, case, questions, result)
            except Exception:
                result.problems.append(traceback.format_exc(limit=-4))
    result.seconds = time.process_time() - started
    if loud.getvalue():
        result.problems.append(f"printed: {loud.getvalue()[-500:]}")
    if result.seconds > LONGEST:
        result.problems.append(f"took {result.seconds:.0f} s")
    return result


def _grade(path, case, questions, result):
    try:
        submission = read_submission(path, manifest(), "ada")
    except KitError as error:
        result.outcome, result.said = "refused", [str(error)]
        if case.stays_right:
            result.problems.append("it was refused, and is right")
        return
    result.said = list(submission.notes)
    _stage(submission, case, result)
    for path, data in submission.files.items():
        notebook, _ = read_notebook(data) if path.endswith(".ipynb") else (None, "")
        if notebook:
            nbformat.writes(notebook, version=4).encode()  # as nbgrader does
    done = judge(submission, make_setting(manifest(), choose_isolation()), questions)
    verdicts = {question.id: question.verdict for question in done.questions}
    result.outcome = find_worst_verdict(verdicts.values()) if questions else "read"
    for question in done.questions:
        result.problems += _problems(question, case)
        result.said += [c.message for c in question.criteria if c.verdict != "passed"][:1]
    _show(done)


def _stage(submission, case, result):
    """Stage a submission; a right file that is not staged is a problem, and so is an ignored file without a reason."""
    with prepare_submission(submission, make_setting(manifest(), choose_isolation(), seed=1)) as work:
        for question in {question.source: question for question in manifest().questions}.values():
            work.find_code(question), work.find_needs(question)
        for path in sorted({question.file for question in manifest().questions if question.file.endswith(".py")}):
            data = (work.folder / path).read_bytes()
            staged, own, stub = map(_defined, (data, bases()[case.base][path], work.released[path]))
            if case.stays_right and (staged in (None, stub) or set(own) - set(staged)):
                result.problems.append(f"{path} is right, and was not staged")
            if case.base in RIGHT and staged in (None, stub) and not any(path in said for said in result.said):
                result.problems.append(f"{path} does not count, and nothing says why")


@functools.lru_cache(maxsize=100)
def _defined(data):
    """Return {name: code} of the functions and classes of a module, or None if it cannot be imported."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = ast.parse(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return {node.name: ast.dump(node) for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def _problems(question, case):
    """Yield the problems of the result of one question."""
    for criterion in question.criteria:
        if criterion.verdict == "grader_fault":
            yield f"{question.id}: {criterion.message}"
        if criterion.verdict != "passed" and not criterion.message:
            yield f"{question.id}, {criterion.name}: {criterion.verdict} without a reason"
    if case.stays_right and question.verdict != "passed":
        yield f"{question.id} is right, and {question.verdict}: {question.criteria[0].message}"
    if case.base not in RIGHT and question.verdict == "passed":
        yield f"{question.id} is a stub, and passed"


def _show(done):
    """Write a report as JSON and HTML and print it; raise an exception if that fails."""
    text = done.to_json().encode("utf-8", "backslashreplace").decode()
    if report.parse_report(text).score != done.score:
        raise ValueError("a report that is read again has another score")
    render_student_page(done, PACK.heat_map).encode()
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), width=100)
    for question in done.questions:
        print_question(console, question)
    print_summary(console, done)
    console.file.flush()
