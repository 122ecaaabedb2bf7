"""One small mistake, anywhere in an answer: what is named where no misconception of the catalogue fits.

Every mutation operator is applied wherever it can be in the reference's solution. Where one of these versions gives the
student's own answers, the student's code is right but for a mistake of that kind. The student reads the kind; whoever
grades reads the line of the reference as well.
"""

import functools
from dataclasses import dataclass

from autograder.assignment.manifest import read_manifest
from autograder.assignment.reference import read_reference_texts
from autograder.assignment.variants import make_variant
from autograder.diagnosis.mutation.derive import Mutant, derive_question
from autograder.diagnosis.mutation.kinds import SAID
from autograder.report.model import Diagnosis


@dataclass(frozen=True, eq=False)
class Edit:
    """The reference with one mutant in it; what replay.explanations takes."""

    mutant: Mutant
    code: str

    @property
    def file(self):
        return self.mutant.file

    @property
    def diagnosis(self):
        kind = SAID[self.mutant.operator]
        _, _, change = self.mutant.key.partition(": ")
        text = f"Your answers are those of a right solution with one small mistake: {kind}."
        return Diagnosis("edit", self.mutant.operator, text, f"The reference gives the same answers with {change}")

    @functools.cached_property
    def module(self):
        return make_variant(self.mutant.file, self.code)


@functools.cache
def edits_of(identifier, root):
    """Return the Edits of a question; of a backward pass also those that spoil what the forward pass puts aside.

    Only the functions that this question is about are taken apart.

    - identifier: the question's id
    - root: the folder of the reference solution
    """
    questions = read_manifest(root).questions
    needs = next(question.needs for question in questions if question.id == identifier)
    found = []
    for question in questions:
        if question.id in needs:
            found += [edit for edit in _edits_in(question.id, root) if edit.mutant.cache]
        if question.id == identifier:
            found += [edit for edit in _edits_in(question.id, root) if not edit.mutant.cache]
    return found


@functools.cache
def _edits_in(identifier, root):
    """Return the Edits in the function or class that answers a question."""
    manifest = read_manifest(root)
    question = next(question for question in manifest.questions if question.id == identifier)
    mutants = derive_question(manifest, question)
    text = read_reference_texts(manifest)[question.file] if mutants else ""
    return [Edit(mutant, mutant.definition(text)) for mutant in mutants]
