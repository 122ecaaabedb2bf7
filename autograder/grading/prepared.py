"""A submission prepared for grading: its files, the released stubs, the staging folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.reference import make_released_package
from autograder.checking.criteria import Trial
from autograder.checking.pack import Pack
from autograder.grading.setting import Setting
from autograder.intake.answer_cells import find_answer_cell, make_answer_modules
from autograder.intake.source_text import is_same_code
from autograder.intake.staging import find_own_path, stage
from autograder.intake.submission import Submission
from autograder.runtime.temporary import make_temporary_folder
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.worker_client import WorkerClient
from autograder.sandbox.worker_process import WorkerOptions


@dataclass(frozen=True)
class PreparedSubmission:
    """A submission, and the folder from which workers import its staged files.

    - released: {path: bytes} of the released package
    - modules: {path: text} of the answers in notebook cells
    """

    submission: Submission
    setting: Setting
    released: dict[str, bytes]
    modules: dict[str, str]
    folder: Path

    @property
    def manifest(self) -> Manifest:
        """The manifest of the assignment."""
        return self.setting.manifest

    @property
    def pack(self) -> Pack:
        """The checks of the assignment."""
        return self.setting.pack

    @cached_property
    def _stubs(self) -> dict[str, str]:
        """{path: text} of the released notebook cells."""
        return make_answer_modules(self.manifest, {})

    def make_worker(self, question: Question, answers: Answers | None = None) -> WorkerClient:
        """Return the WorkerClient for a question; no worker starts before the first call."""
        options = WorkerOptions(self.setting.hidden, question.withheld, answers, self.pack.advice)
        return WorkerClient(self.folder, question.limits, self.setting.isolation, options)

    def make_trial(self, question: Question, worker: WorkerClient) -> Trial:
        """Return the Trial for the checks of a question."""
        path = find_own_path(self.submission, question.file, self.manifest, self.released)
        own_file = self.submission.files.get(path) if question.file != question.source else None
        setting = self.setting
        return Trial(worker, setting.seed, question, self.manifest.options, own_file, setting.secret)

    def find_needs(self, question: Question) -> list[str]:
        """Return the ids of the questions that the student's answer to a question needs."""
        return [*question.needs, *(other for other in question.may_use if self._mentions(other))]

    def find_all_needs(self, question: Question) -> list[str]:
        """Return the ids of the questions that the student's answer or a criterion needs."""
        more = (need for criterion in self.pack.criteria[question.id] for need in criterion.needs)
        return list(dict.fromkeys([*self.find_needs(question), *more]))

    def find_code(self, question: Question) -> tuple[dict[str, Any] | None, bool]:
        """Return {file, line, text} of the student's answer, or None, and whether it is the released stub."""
        if question.cells:
            code, stub = find_answer_cell(self.modules, question), find_answer_cell(self._stubs, question)
        elif question.source:
            path = find_own_path(self.submission, question.file, self.manifest, self.released)
            code = self.submission.find_code(path, question.id)
            stub = Submission("release", self.released).find_code(question.file, question.id)
        else:
            return None, False
        return code, code is not None and stub is not None and is_same_code(code["text"], stub["text"])

    def _mentions(self, identifier: str) -> bool:
        """Return whether the student's own code contains the name of a function, outside the file of that function."""
        own_file = next(question.file for question in self.manifest.questions if question.id == identifier)
        texts = [
            text.decode(errors="replace")
            for path, text in self.submission.files.items()
            if self.manifest.is_editable(path) and path != own_file and text != self.released.get(path)
        ]
        return any(re.search(rf"\b{re.escape(identifier)}\b", text) for text in texts)


@contextmanager
def prepare_submission(submission: Submission, setting: Setting) -> Iterator[PreparedSubmission]:
    """Stage a submission in a temporary folder, which is removed afterwards."""
    manifest = setting.manifest
    released, modules = make_released_package(manifest), make_answer_modules(manifest, submission.files)
    with make_temporary_folder("submission-") as folder:
        stage(submission, released, manifest, folder, modules)
        Path(folder).chmod(0o755)
        yield PreparedSubmission(submission, setting, released, modules, Path(folder))
