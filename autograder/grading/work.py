"""One submission on the bench: its files, what was released, and where the staged copy lies."""

import re
from pathlib import Path

from autograder.checking.criteria import Trial
from autograder.intake.notebook_cells import answer_cell, answer_modules
from autograder.intake.submission import Submission, own_path, stage
from autograder.release.build import package_files
from autograder.sandbox.worker_client import Student


class Work:
    """What the judge takes up again for every question of one submission.

    - isolation: what sandbox.choose_isolation returned
    - hidden: folders the student's code must not be able to read, besides the kit's own
    - secret: what images with hidden labels are drawn by
    """

    def __init__(self, submission, manifest, isolation, hidden, secret):
        self.submission, self.manifest = submission, manifest
        self.isolation, self.hidden, self.secret = isolation, hidden, secret
        self.released, self.stubs = package_files(manifest), answer_modules(manifest, {})
        self.modules = answer_modules(manifest, submission.files)
        self.folder = None

    def stage(self, folder):
        """Lay the submission out in an empty folder, for the workers."""
        stage(self.submission, self.released, self.manifest, folder, self.modules)
        Path(folder).chmod(0o755)
        self.folder = folder

    def student(self, question, answers=None):
        """Return the Student who answers a question; no worker starts before the first call."""
        return Student(self.folder, question.limits, self.isolation, self.hidden, question.withheld, answers)

    def trial(self, question, student, seed):
        """Return what the checks of a question work with."""
        path = own_path(self.submission, question.file, self.manifest, self.released)
        handed_in = self.submission.files.get(path) if question.file != question.source else None
        return Trial(student, seed, question, self.manifest.options, handed_in, self.secret)

    def needs(self, question):
        """Return the ids of what the student's answer to a question builds on."""
        return [*question.needs, *(other for other in question.may_use if self._is_named(other))]

    def _is_named(self, identifier):
        """Say whether the student's own code calls the function of another question, outside the file it stands in."""
        home = {question.id: question.file for question in self.manifest.questions}[identifier]
        own = [
            text.decode(errors="replace")
            for path, text in self.submission.files.items()
            if self.manifest.is_editable(path) and path != home and text != self.released.get(path)
        ]
        return any(re.search(rf"\b{re.escape(identifier)}\b", text) for text in own)

    def code(self, question):
        """Return ({file, line, text} of the student's answer or None, whether it is the stub as it was released)."""
        if question.cells:
            code, stub = answer_cell(self.modules, question), answer_cell(self.stubs, question)
        elif question.source:
            path = own_path(self.submission, question.file, self.manifest, self.released)
            code = self.submission.code_of(path, question.id)
            stub = Submission("release", self.released).code_of(question.file, question.id)
        else:
            return None, False
        return code, code is not None and code["text"] == stub["text"]
