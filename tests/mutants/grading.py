"""Grading wrong versions of the reference: what the judge says of one, and whether that is what it should say."""

import multiprocessing
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.diagnosis.mutation.derive import Mutant
from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from tests.forked_worker import forked_workers, import_tensorflow
from tests.kit import PACK

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
FAILING = {"failed", "error", "timeout", "memory", "forbidden", "missing"}
UNTOUCHED = {"passed", "blocked"}  # what a question may be that has no mistake of its own


@dataclass(frozen=True)
class Result:
    """What the judge made of one mutant: the verdict of each question, and the names of what it recognised."""

    mutant: Mutant
    own: tuple[str, ...]
    verdicts: dict[str, str]
    diagnosis: tuple[str, ...]
    seconds: float

    @property
    def survived(self):
        """Whether no question of its own fails."""
        return not any(self.verdicts[question] in FAILING for question in self.own)

    @property
    def strays(self):
        """The other questions that fail as well, or in which the grader itself fails, with their verdicts."""
        others = {question: verdict for question, verdict in self.verdicts.items() if question not in self.own}
        return {question: verdict for question, verdict in others.items() if verdict not in UNTOUCHED}

    @property
    def blocked(self):
        """The questions of functions that are right and earn less for what they build on."""
        return [question for question, verdict in self.verdicts.items() if verdict == "blocked"]


@cache
def _judged_by_hand():
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def equivalent():
    """Return {key: reason} of the mutants that are right, or that a fair grader lets pass."""
    return {key: entry["reason"] for entry in _judged_by_hand()["equivalent"] for key in entry["keys"]}


def of_the_cache():
    """Return {key: reason} of the mutants elsewhere in a forward function that leave its out right, not its cache."""
    return {key: entry["reason"] for entry in _judged_by_hand()["cache"] for key in entry["keys"]}


def own_questions(mutant, manifest):
    """Return the ids of the questions that a mutant must fail: where it is, or where its cache is used."""
    if not mutant.changes_cache and mutant.key not in of_the_cache():
        return (mutant.function,)
    return tuple(q.id for q in manifest.questions if mutant.function in q.needs and "backward" in q.id)


def questions_upon(functions, manifest):
    """Return these ids and those of all questions that need one of them, by themselves or for a criterion."""
    return [
        question.id
        for question in manifest.questions
        if question.id in functions
        or any(need in question.needs for need in functions)
        or any(need in criterion.needs for criterion in PACK.criteria[question.id] for need in functions)
    ]


def grade(mutant, manifest, isolation, only_own=False):
    """Return the Result of a mutant: of its own questions, and of all that build on them unless told otherwise."""
    own, text = own_questions(mutant, manifest), read_reference_texts(manifest)[mutant.file]
    asked = own if only_own else questions_upon({mutant.function, *own}, manifest)
    change = {"file": mutant.file, "old": text, "new": mutant.apply(text)}
    files = Sample(mutant.key, mutant.operator, change=(change,), questions=asked).files(manifest)
    report = judge(Submission("mutant", files), make_setting(manifest, isolation), asked)
    found = [found.name for question in own for found in report.question(question).diagnosis]
    verdicts = {question.id: question.verdict for question in report.questions}
    return Result(mutant, own, verdicts, tuple(dict.fromkeys(found)), report.seconds)


@cache
def here():
    """Return what every process makes once: the manifest, and the isolation of workers that it forks."""
    import_tensorflow()
    return read_manifest(ROOT / "assignment2"), ExitStack().enter_context(forked_workers())


def _grade_here(only_own, mutant):
    return grade(mutant, *here(), only_own)


def grade_all(mutants, jobs, only_own=False):
    """Yield the Results of many mutants in their order, graded by so many processes."""
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap(partial(_grade_here, only_own), mutants)
