"""Right versions of graded functions, with other code than the reference: the judge must find no mistake in them.

Each is a file of tests/right/. Its functions and classes take the place of the reference's of the same name, and its
docstring says what is different.
"""

import ast
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment.reference import read_reference_texts
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from tests.mutants.grading import here, judge_questions, questions_upon

FOLDER = Path(__file__).resolve().parents[1] / "right"


@dataclass(frozen=True)
class Right:
    """One right version: its name, its difference from the reference, its code, and the names that it defines."""

    name: str
    title: str
    text: str
    defines: tuple[str, ...]


def load_rights():
    """Return the Rights of tests/right/, sorted by name."""
    rights = []
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        defines = tuple(node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
        rights.append(Right(path.stem, ast.get_docstring(tree), text, defines))
    return rights


def replaced(right, text):
    """Return the reference's text without the functions that the version defines, and with its code at the end."""
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if getattr(node, "name", None) in right.defines:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines) + "\n\n\n" + right.text


def false_alarms(right, manifest, isolation, only_own=False):
    """Grade a version; return {question: sentence} for each lost point or diagnosis.

    The questions are those of its own functions and, by default, all that build on them.
    """
    file = next(question.file for question in manifest.questions if question.id in right.defines)
    text = read_reference_texts(manifest)[file]
    own = [question.id for question in manifest.questions if question.id in right.defines]
    asked = own if only_own else questions_upon(own, manifest)
    change = {"file": file, "old": text, "new": replaced(right, text)}
    files = Sample(right.name, right.title, change=(change,), questions=asked).files(manifest)
    found = {}
    for question in judge_questions(Submission(right.name, files), manifest, isolation, asked, only_own):
        said = [f"{each.name}: {each.message}" for each in question.criteria if each.verdict != "passed"]
        said += [f"diagnosis: {each.name}" for each in question.diagnosis]
        said += [f"{question.points} of {question.max_points} points"] * (question.points != question.max_points)
        if said:
            found[question.id] = "; ".join(said)
    return found


def _alarms_here(right):
    return false_alarms(right, *here())


def false_alarms_of_all(rights, jobs):
    """Yield the false alarms of many versions in their order; this number of processes grades them."""
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap(_alarms_here, rights)
