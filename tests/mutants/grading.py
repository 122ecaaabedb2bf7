"""Grade wrong versions of the reference, and compare the judge's results with the expected ones."""

import multiprocessing
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from threadpoolctl import threadpool_limits

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.diagnosis.mutation.derive import Mutant
from autograder.grading import judge, make_setting
from autograder.grading.prepared import prepare_submission
from autograder.grading.retry import RetryingJudge
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
    """The judge's result for one mutant: the verdict of each question, and the names of its diagnoses."""

    mutant: Mutant
    own: tuple[str, ...]
    verdicts: dict[str, str]
    diagnosis: tuple[str, ...]
    seconds: float

    @property
    def survived(self):
        """Whether none of its own questions fails."""
        return not any(self.verdicts[question] in FAILING for question in self.own)

    @property
    def strays(self):
        """{question: verdict} of other questions that fail, or in which the grader fails."""
        others = {question: verdict for question, verdict in self.verdicts.items() if question not in self.own}
        return {question: verdict for question, verdict in others.items() if verdict not in UNTOUCHED}

    @property
    def blocked(self):
        """The questions with the verdict `blocked`."""
        return [question for question, verdict in self.verdicts.items() if verdict == "blocked"]


@cache
def _judged_by_hand():
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def equivalent():
    """Return {key: reason} of the mutants that are right, or that a fair grader must accept."""
    return {key: entry["reason"] for entry in _judged_by_hand()["equivalent"] for key in entry["keys"]}


def of_the_cache():
    """Return {key: reason} of further mutants of forward functions that change the cache and not out."""
    return {key: entry["reason"] for entry in _judged_by_hand()["cache"] for key in entry["keys"]}


def own_questions(mutant, manifest):
    """Return the ids of the questions that a mutant must fail: its own, or those that use its cache."""
    if not mutant.changes_cache and mutant.key not in of_the_cache():
        return (mutant.function,)
    return tuple(q.id for q in manifest.questions if mutant.function in q.needs and "backward" in q.id)


def questions_upon(functions, manifest):
    """Return these ids and the ids of all questions that need one of them, as a whole or for a criterion."""
    return [
        question.id
        for question in manifest.questions
        if question.id in functions
        or any(need in question.needs for need in functions)
        or any(need in criterion.needs for criterion in PACK.criteria[question.id] for need in functions)
    ]


def judge_questions(submission, manifest, isolation, asked, only_these=False):
    """Return the QuestionResults of these questions, and by default of those that they need.

    - only_these: a needed question is not judged, and counts as passed: for a submission whose other code is right
    """
    setting = make_setting(manifest, isolation)
    if not only_these:
        return judge(submission, setting, asked).questions
    results = []
    with threadpool_limits(1), prepare_submission(submission, setting) as prepared:
        retrying_judge = RetryingJudge(prepared, alone=True)
        for question in manifest.questions:
            if question.id in asked:
                results.append(retrying_judge.judge_question(question, results).result)
    return results


def grade(mutant, manifest, isolation, only_own=False):
    """Return the Result of a mutant: of its own questions and, by default, of all that build on them."""
    own, text = own_questions(mutant, manifest), read_reference_texts(manifest)[mutant.file]
    asked = own if only_own else questions_upon({mutant.function, *own}, manifest)
    change = {"file": mutant.file, "old": text, "new": mutant.apply(text)}
    files = Sample(mutant.key, mutant.operator, change=(change,), questions=asked).files(manifest)
    results = judge_questions(Submission("mutant", files), manifest, isolation, asked, only_own)
    found = [found.name for question in results if question.id in own for found in question.diagnosis]
    verdicts = {question.id: question.verdict for question in results}
    return Result(mutant, own, verdicts, tuple(dict.fromkeys(found)), sum(question.seconds for question in results))


_CONTEXTS = ExitStack()  # a context that nothing refers to ends at once


@cache
def here():
    """Return the objects that each process makes once: the manifest, and the isolation of forked workers."""
    if find_spec("tensorflow"):
        import_tensorflow()
    return read_manifest(ROOT / "assignment2"), _CONTEXTS.enter_context(forked_workers())


def _grade_here(only_own, mutant):
    return grade(mutant, *here(), only_own)


def grade_all(mutants, jobs, only_own=False):
    """Yield the Results of many mutants in their order; this number of processes grades them."""
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap(partial(_grade_here, only_own), mutants)
