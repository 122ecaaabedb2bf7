"""A submission prepared for grading: its files, the released stubs, the staging folder."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.assignment.manifest import Manifest, Question
from autograder.assignment.reference import make_released_package
from autograder.checking.criteria import Trial
from autograder.checking.pack import Pack, pack_path
from autograder.intake.answer_cells import find_answer_cell, make_answer_modules
from autograder.intake.staging import find_own_path, stage
from autograder.intake.submission import Submission
from autograder.runtime.temporary import make_temporary_folder
from autograder.sandbox.follow_through import Answers
from autograder.sandbox.isolation import Isolation
from autograder.sandbox.worker_client import WorkerClient
from autograder.sandbox.worker_process import WorkerOptions


@dataclass(frozen=True)
class Setting:
    """What all submissions of one run share.

    - hidden: folders that the student's code must not be able to read, in addition to the kit's own
    - secret: integers that no student can know, from which images with hidden labels are drawn
    - seed: of all hidden inputs
    """

    manifest: Manifest
    pack: Pack
    isolation: Isolation
    hidden: tuple[Path, ...]
    secret: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class Prepared:
    """A submission whose files are staged in `folder`, where workers import them.

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
        return self.setting.manifest

    @property
    def pack(self) -> Pack:
        return self.setting.pack

    @cached_property
    def _stubs(self) -> dict[str, str]:
        return make_answer_modules(self.manifest, {})

    def worker(self, question: Question, answers: Answers | None = None) -> WorkerClient:
        """Return the WorkerClient for a question; no worker starts before the first call."""
        options = WorkerOptions(self.setting.hidden, question.withheld, answers, self.pack.advice)
        return WorkerClient(self.folder, question.limits, self.setting.isolation, options)

    def trial(self, question: Question, worker: WorkerClient) -> Trial:
        """Return what the checks of a question work with."""
        path = find_own_path(self.submission, question.file, self.manifest, self.released)
        own_file = self.submission.files.get(path) if question.file != question.source else None
        setting = self.setting
        return Trial(worker, setting.seed, question, self.manifest.options, own_file, setting.secret)

    def needs(self, question: Question) -> list[str]:
        """Return the ids of the questions that the student's answer to a question builds on."""
        return [*question.needs, *(other for other in question.may_use if self._is_named(other))]

    def all_needs(self, question: Question) -> list[str]:
        """Return the ids of the questions that an answer, or one of its criteria, builds on."""
        more = (need for criterion in self.pack.criteria[question.id] for need in criterion.needs)
        return list(dict.fromkeys([*self.needs(question), *more]))

    def code(self, question: Question) -> tuple[dict | None, bool]:
        """Return ({file, line, text} of the student's answer or None, whether it is the released stub)."""
        if question.cells:
            code, stub = find_answer_cell(self.modules, question), find_answer_cell(self._stubs, question)
        elif question.source:
            path = find_own_path(self.submission, question.file, self.manifest, self.released)
            code = self.submission.find_code(path, question.id)
            stub = Submission("release", self.released).find_code(question.file, question.id)
        else:
            return None, False
        return code, code is not None and stub is not None and code["text"] == stub["text"]

    def _is_named(self, identifier: str) -> bool:
        """Say whether the student's own code, outside the file of a question's function, calls that function."""
        home = next(question.file for question in self.manifest.questions if question.id == identifier)
        own = [
            text.decode(errors="replace")
            for path, text in self.submission.files.items()
            if self.manifest.is_editable(path) and path != home and text != self.released.get(path)
        ]
        return any(re.search(rf"\b{re.escape(identifier)}\b", text) for text in own)


@contextmanager
def prepared(submission: Submission, setting: Setting) -> Iterator[Prepared]:
    """Stage a submission in a temporary folder; yield it as Prepared."""
    manifest = setting.manifest
    released, modules = make_released_package(manifest), make_answer_modules(manifest, submission.files)
    with make_temporary_folder("submission-") as folder:
        stage(submission, released, manifest, folder, modules)
        Path(folder).chmod(0o755)
        yield Prepared(submission, setting, released, modules, Path(folder))


def hidden_folders(manifest: Manifest, more: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders of an assignment and its pack, and `more`: none may be readable in a sandbox."""
    pack = pack_path(manifest)
    return (manifest.root.parent, *([pack] if pack and pack.is_dir() else []), *map(Path, more))
