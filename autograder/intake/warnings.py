"""Describe problems of the files of a submission, in sentences for students and TAs."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from autograder.assignment.manifest import Manifest
from autograder.intake.safe_notebook import read_notebook
from autograder.intake.source_text import find_source_problem
from autograder.runtime.memo import Memo
from autograder.runtime.text import escape_file_name, join_words

# Why files cannot be read, by name and digest: a submission is read again for each notebook that is recorded,
# and most files of a class are equal.
_PROBLEMS = Memo(1 << 20)


def find_warnings(
    files: Mapping[str, bytes], manifest: Manifest, seen: Sequence[str], notes: Sequence[str] = ()
) -> list[str]:
    """Return sentences about files that cannot be read, and about absent files.

    - files: {path: bytes} that were read, relative to the assignment's folder
    - seen: paths of all files in the submission, of any kind
    - notes: earlier sentences; a file that they name gets no other sentence
    """
    sentences: list[str] = []
    for path, data in sorted(files.items()):
        if path.endswith(".py"):
            sentences.append(_find_problem(path, data))
        elif path.endswith(".ipynb"):
            sentences.append(_find_notebook_problem(path, data, manifest))
    modules = {question.file for question in manifest.questions if question.file.endswith(".py")}
    notebooks = {f"{question.notebook}.ipynb" for question in manifest.questions if question.cells}
    for path in sorted((modules | notebooks) - set(files)):
        similar = _find_similar(path, manifest, seen)
        if any(path in note for note in notes):
            continue
        # A submission may contain modules without notebooks; a similar name shows that a notebook was intended.
        if manifest.aliases.get(path) not in files and (similar or path in modules):
            sentences.append(f"{path} is not in the submission; its answers count as missing. {_advise(similar)}")
    return [sentence for sentence in sentences if sentence]


def describe_skipped_files(paths: Sequence[str], reason: str) -> str:
    """Return the sentence about files that were not read, with the first three names."""
    names = [escape_file_name(path) for path in paths[:3]]
    if len(paths) > 3:
        names.append(f"{len(paths) - 3} more files")
    return f"{join_words(names)} {'were' if len(paths) > 1 else 'was'} left out: {reason}"


def _find_problem(path: str, data: bytes) -> str:
    """Return why a module or a notebook cannot be read, or ''."""

    def find() -> str:
        return find_source_problem(data, path) if path.endswith(".py") else read_notebook(data)[1]

    return _PROBLEMS.get((path, hashlib.sha256(data).digest()), find)


def _find_notebook_problem(path: str, data: bytes, manifest: Manifest) -> str:
    reason = _find_problem(path, data)
    has_answers = any(f"{question.notebook}.ipynb" == path and question.cells for question in manifest.questions)
    effect = "Answers in its cells count as missing; the modules" if has_answers else "The functions"
    return reason and f"{escape_file_name(path)} could not be read: {reason}. {effect} are still graded."


def _advise(similar: Sequence[str]) -> str:
    """Return the next step for an absent file, with the names of similar files."""
    found = f"There is {join_words([escape_file_name(name) for name in similar[:3]])}. " if similar else ""
    return f"{found}Give the file exactly this path, with the same capitals, and submit everything again."


def _find_similar(path: str, manifest: Manifest, seen: Collection[str]) -> list[str]:
    """Return the files of the submission whose name contains this file's name, in any case."""
    stem = PurePosixPath(path).stem.casefold()
    others = {PurePosixPath(other).name for other in (*manifest.provided, *(q.file for q in manifest.questions))}
    others.discard(PurePosixPath(path).name)
    names = {full: PurePosixPath(full).name for full in seen}
    found = [full for full, name in names.items() if stem in name.casefold() and name not in others]
    return sorted(found, key=lambda full: (len(names[full]), len(full), full))
