"""One small mistake anywhere in an answer: the diagnosis where no misconception of the catalogue fits.

Every mutation operator is applied wherever it can be in the reference's solution. Where one of these versions gives the
student's own answers, the student's code is right except for a mistake of that kind. The student reads the kind; a TA
reads the line of the reference as well.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.variants import make_variant
from autograder.checking.pack import Vocabulary
from autograder.diagnosis.mutation.derive import Mutant, derive_question
from autograder.diagnosis.mutation.descriptions import DESCRIPTIONS
from autograder.report.model import Diagnosis


@dataclass(frozen=True, eq=False)
class Edit:
    """The reference with one mutant in it; a wrong version that replay takes."""

    mutant: Mutant
    code: str

    @property
    def file(self) -> str:
        return self.mutant.file

    @property
    def diagnosis(self) -> Diagnosis:
        kind = DESCRIPTIONS[self.mutant.operator]
        _, _, change = self.mutant.key.partition(": ")
        text = f"Your answers are those of a right solution with one small mistake: {kind}."
        return Diagnosis("edit", self.mutant.operator, text, f"The reference gives the same answers with {change}")

    @functools.cached_property
    def module(self) -> ModuleType:
        return make_variant(self.mutant.file, self.code)

    @property
    def can_be_replayed(self) -> bool:
        return True


@functools.cache
def edits_of(identifier: str, root: Path, vocabulary: Vocabulary) -> list[Edit]:
    """Return the Edits of a question; of a backward pass also those that change only the cache of its forward pass.

    Only the functions that this question is about are taken apart.

    - identifier: the question's id
    - root: the folder of the reference solution
    """
    questions = read_manifest(root).questions
    needs = next(question.needs for question in questions if question.id == identifier)
    found: list[Edit] = []
    for question in questions:
        if question.id in needs or question.id == identifier:
            of_cache = question.id in needs
            found += [e for e in _edits_in(question.id, root, vocabulary) if e.mutant.changes_cache == of_cache]
    return found


@functools.cache
def _edits_in(identifier: str, root: Path, vocabulary: Vocabulary) -> list[Edit]:
    """Return the Edits in the function or class that answers a question."""
    manifest = read_manifest(root)
    question = next(question for question in manifest.questions if question.id == identifier)
    mutants = derive_question(manifest, question, vocabulary)
    text = read_reference_texts(manifest)[question.file] if mutants else ""
    return [Edit(mutant, mutant.definition(text)) for mutant in mutants]
