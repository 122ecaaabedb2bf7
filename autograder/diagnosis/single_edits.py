"""Single edits: the diagnosis of one small mistake, if no misconception of the catalogue explains the answers.

Every mutation operator is applied to every line of the reference's solution that it fits. If one of these versions
gives the student's own answers, the student's code is right except for a mistake of that kind. The student reads the
kind of mistake; a TA also reads the changed line of the reference.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from autograder.assignment.manifest import Question, read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.variants import make_variant
from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.derive import Mutant, derive_question_mutants
from autograder.diagnosis.mutation.descriptions import DESCRIPTIONS
from autograder.report.model import Diagnosis


@dataclass(frozen=True, eq=False)
class Edit:
    """The reference with one mutant: a checking.pack.WrongVersion for replay.

    - code: the function or class that contains the mutant
    """

    mutant: Mutant
    code: str

    @property
    def file(self) -> str:
        """The file of the reference that contains the mutant."""
        return self.mutant.file

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of an answer that this edit gives too."""
        kind = DESCRIPTIONS[self.mutant.operator]
        _, _, change = self.mutant.key.partition(": ")
        text = f"Your answers are those of a right solution with one small mistake: {kind}."
        return Diagnosis("edit", self.mutant.operator, text, f"The reference gives the same answers with {change}")

    @functools.cached_property
    def module(self) -> ModuleType:
        """The file with the mutant, as a separate module."""
        return make_variant(self.mutant.file, self.code)

    @property
    def can_be_replayed(self) -> bool:
        """Whether replay can use this edit: always."""
        return True


@functools.cache
def find_edits(identifier: str, root: Path, vocabulary: Vocabulary) -> list[Edit]:
    """Return the Edits of a question.

    For a backward pass, these include the edits of its forward pass that change only the cache. Other functions get
    no mutants here.

    - identifier: the id of the question
    - root: the folder of the reference solution
    """
    questions = read_manifest(root).questions
    needs = _find_question(questions, identifier).needs
    found: list[Edit] = []
    for question in questions:
        if question.id in needs or question.id == identifier:
            is_needed = question.id in needs
            edits = _find_own_edits(question.id, root, vocabulary)
            found += [edit for edit in edits if edit.mutant.changes_cache == is_needed]
    return found


@functools.cache
def _find_own_edits(identifier: str, root: Path, vocabulary: Vocabulary) -> list[Edit]:
    """Return the Edits of the function or class that answers a question."""
    manifest = read_manifest(root)
    question = _find_question(manifest.questions, identifier)
    mutants = derive_question_mutants(manifest, question, vocabulary)
    text = read_reference_texts(manifest)[question.file] if mutants else ""
    return [Edit(mutant, mutant.extract_definition(text)) for mutant in mutants]


def _find_question(questions: Iterable[Question], identifier: str) -> Question:
    return next(question for question in questions if question.id == identifier)
