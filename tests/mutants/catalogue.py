"""The wrong versions of the catalogue as submissions, and the judge's results for them."""

import multiprocessing
from dataclasses import dataclass
from functools import partial

from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from tests.kit import PACK
from tests.mutants.grading import FAILING, here, judge_questions, questions_upon


@dataclass(frozen=True)
class Graded:
    """The judge's result for one wrong version: whether it fails and is named, and which other questions fail."""

    verdict: str
    caught: bool
    named: bool
    said: tuple[str, ...]
    strays: dict[str, str]


def versions():
    """Return every wrong version of the catalogue, in the order of the questions."""
    return [version for found in PACK.wrong_versions().values() for version in found]


def submission_of(version, manifest):
    """Return a submission: the reference with the change of a wrong version."""
    place = {"notebook": version.file, "id": version.cell}
    cell = tuple(place | {"old": change.old, "new": change.new} for change in version.changes) if version.cell else ()
    files = Sample("", version.misconception.title, cell=cell, questions=(version.question,)).files(manifest)
    if not version.cell:
        files[version.file] = version.text(manifest.root).encode()
    return Submission(version.misconception.name, files)


def grade(version, manifest, isolation, only_own=False):
    """Grade a wrong version: its own question and, by default, all questions that build on it."""
    asked = [version.question] if only_own else questions_upon({version.question}, manifest)
    results = judge_questions(submission_of(version, manifest), manifest, isolation, asked, only_own)
    own = next(question for question in results if question.id == version.question)
    said = tuple(found.name for found in own.diagnosis)
    allowed = {version.question, *version.also}
    others = {question.id: question.verdict for question in results if question.id not in allowed}
    return Graded(
        verdict=own.verdict,
        caught=own.verdict in FAILING,
        named=said[:1] == (version.misconception.title,),
        said=said,
        strays={identifier: verdict for identifier, verdict in others.items() if verdict != "passed"},
    )


def _grade_here(only_own, at):
    return grade(versions()[at], *here(), only_own)


def grade_all(chosen, jobs, only_own=False):
    """Yield the results of many versions in their order; this number of processes grades them."""
    numbers = {id(version): at for at, version in enumerate(versions())}
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap(partial(_grade_here, only_own), [numbers[id(version)] for version in chosen])
