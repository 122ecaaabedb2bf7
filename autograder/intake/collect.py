"""Collect submissions: copy them from a download into submitted/<student>/<assignment>/.

The zip of a student stays packed; `read_submission` reads it there. Each submission is first copied into a temporary
folder and read once, to check that it can be graded. Then one rename moves it into its place. An older submission is
kept in submitted/<student>/.earlier/, so that no submission is lost, even if the instructor collects the wrong folder.
Between the two renames, the new submission has another name in submitted/<student>/. If collecting is killed at that
moment, `finish_interrupted_collect` does the second rename.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from re import Pattern

from autograder.assignment.manifest import Manifest
from autograder.errors import KitError
from autograder.intake.course_folder import CourseFolder
from autograder.intake.downloads import DownloadedSubmission, Problems, find_submissions
from autograder.intake.lms_names import compile_pattern, parse_time
from autograder.intake.reading import read_submission
from autograder.runtime.locks import lock_folder
from autograder.runtime.os_errors import find_storage_error, raise_if_everywhere

_TITLES = {
    "new": "collected",
    "replaced": "collected again",
    "unchanged": "already there and unchanged",
    "older": "not replaced, because submitted/ has a later submission",
}
TIMESTAMP_FILE = "timestamp.txt"  # nbgrader's name for it
_TEMPORARY = ".collecting-"  # prefix of temporary folders in submitted/


@dataclass
class CollectResult:
    """The result of collecting.

    - students: {student: "new", "replaced", "unchanged" or "older"}
    - notes: (file, sentence) about submissions that were not used or were replaced
    - problems: (file or student, reason) for files that could not be collected
    """

    students: dict[str, str] = field(default_factory=dict[str, str])
    notes: Problems = field(default_factory=Problems)
    problems: Problems = field(default_factory=Problems)

    def describe(self) -> list[str]:
        """Return the lines for the instructor; the problems come last, in one list."""
        lines: list[str] = []
        for state, title in _TITLES.items():
            students = [student for student, found in sorted(self.students.items()) if found == state]
            if students:
                lines.append(f"{len(students)} {title}: {', '.join(students)}")
        lines += [f"{name}: {sentence}" for name, sentence in self.notes]
        if self.problems:
            lines.append(f"{len(self.problems)} could not be collected:")
            lines += [f"  {name}: {reason}" for name, reason in self.problems]
        return lines


def split_arguments(course: CourseFolder, arguments: Iterable[str | Path]) -> tuple[list[str], list[Path]]:
    """Split the arguments of a command into (ids of students, folders and zips to collect from), each listed once.

    An id of a student with a submission is that student, even if a file has that name. A path into submitted/ is the
    student of that folder. Any other existing path is a source. All other arguments are ids.
    """
    known, top = course.students(), _get_top(course)
    students: list[str] = []
    sources: list[Path] = []
    for argument in map(str, arguments):
        path = Path(argument).resolve()
        if argument in known or not (argument and path.exists()):
            students.append(argument)
        elif path == top:
            students += known
        elif path.is_relative_to(top):
            students.append(path.relative_to(top).parts[0])
        else:
            sources.append(path)
    return list(dict.fromkeys(students)), list(dict.fromkeys(sources))


def collect(
    course: CourseFolder,
    sources: Iterable[str | Path],
    pattern: str | None = None,
    wait: Callable[[str], None] | None = None,
) -> CollectResult:
    """Collect the submissions in folders and zips into a course.

    Of several submissions of a student, the latest that can be graded counts. A submission that differs from the one in
    submitted/ replaces it, unless both have a time stamp and the new one is earlier ("older").

    - sources: as for `downloads.find_submissions`
    - pattern: regular expression with a group `student` (and perhaps `timestamp`), for names of another form
    - wait: as for `locks.lock_folder`

    Raises KitError if a source is neither a folder nor a zip or the pattern is wrong, StorageError if submitted/ cannot
    be written, and Busy if another command is running in the course.
    """
    compiled = compile_pattern(pattern) if pattern else None
    paths = [Path(source) for source in sources]
    top = _get_top(course)
    for path in paths:
        if course.root.is_relative_to(path.resolve()) or path.resolve().is_relative_to(top):
            raise KitError(f"{path} contains this course itself. Give the folder or zip that you downloaded.")
    with lock_folder(course.root, "autograder collect", wait):
        try:
            top.mkdir(parents=True, exist_ok=True)
            finish_interrupted_collect(course)
            return _collect(course, paths, compiled)
        except OSError as error:
            storage_error = find_storage_error(error)
            if storage_error is None:
                raise
            raise storage_error from None


def finish_interrupted_collect(course: CourseFolder) -> None:
    """Finish the work of a killed `collect` in submitted/. The caller must hold the course's lock."""
    for temporary in _get_top(course).glob(f"{_TEMPORARY}*"):
        shutil.rmtree(temporary, ignore_errors=True)
    for waiting in _get_top(course).glob(f"*/{_make_waiting_name(Path(course.manifest.name))}"):
        target = waiting.with_name(course.manifest.name)
        if os.path.lexists(target):
            shutil.rmtree(waiting, ignore_errors=True)
        else:
            os.rename(waiting, target)


def find_usable_submission(
    submissions: Sequence[DownloadedSubmission], manifest: Manifest, temporary: Path | str, result: CollectResult
) -> tuple[DownloadedSubmission, Path] | None:
    """Return the first submission that can be graded and the folder with a copy of its files, or None.

    The earlier ones of the list go to `result.problems` with the reason, the later ones to `result.notes`.

    - temporary: the folder in which the copies are made
    """
    for number, submission in enumerate(submissions):
        # Never the assignment's name, so that no other function takes this folder for a submission.
        folder = Path(tempfile.mkdtemp(dir=temporary)) / "submission"
        try:
            _copy_files(submission, folder)
            read_submission(folder, manifest)
        except (KitError, OSError) as error:
            raise_if_everywhere(error)
            result.problems.append((submission.source, _describe_error(error, folder, submission.source)))
            continue
        rest = submissions[number + 1 :]
        result.notes += [(each.source, f"not used: {submission.source} is later") for each in rest]
        return submission, folder
    return None


def _collect(course: CourseFolder, sources: Sequence[Path], pattern: Pattern[str] | None) -> CollectResult:
    result = CollectResult()
    with tempfile.TemporaryDirectory(dir=_get_top(course), prefix=_TEMPORARY) as temporary:
        for source in sources:
            unpacked = Path(tempfile.mkdtemp(dir=temporary))
            download = find_submissions(source, course.manifest, unpacked, pattern)
            result.problems += download.problems
            for student, submissions in sorted(download.submissions.items()):
                try:
                    usable = find_usable_submission(submissions, course.manifest, temporary, result)
                    state = _place(course, *usable, result.notes) if usable else ""
                except OSError as error:
                    raise_if_everywhere(error)
                    reason = f"could not be put into {course.submitted(student)}: {error.strerror or error}"
                    result.problems.append((student, reason))
                    continue
                # A state from an earlier source of this run stays if this source changes nothing.
                if state and not (student in result.students and state in ("unchanged", "older")):
                    result.students[student] = state
    return result


def _get_top(course: CourseFolder) -> Path:
    return course.submitted("student").parents[1].resolve()


def _describe_error(error: Exception, folder: Path, source: str) -> str:
    """Return the message of an error without the name of the temporary folder."""
    reason = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), source)
    return reason.removeprefix(source).removeprefix(":").strip()


def _copy_files(submission: DownloadedSubmission, folder: Path) -> None:
    folder.mkdir()
    for inside, path in submission.files.items():
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
    if submission.timestamp:
        (folder / TIMESTAMP_FILE).write_text(f"{submission.timestamp.isoformat(' ')}\n", encoding="utf-8")


def _place(course: CourseFolder, submission: DownloadedSubmission, folder: Path, notes: Problems) -> str:
    """Move the copy of a submission to its place in submitted/; return the student's state for CollectResult."""
    target = course.submitted(submission.student)
    if not target.exists() and not target.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder, target)
        return "new"
    if _read_digest(target, course.manifest) == _read_digest(folder, course.manifest):
        return "unchanged"
    if submission.timestamp and _is_earlier(folder / TIMESTAMP_FILE, target / TIMESTAMP_FILE):
        notes.append((submission.source, f"not used: the submission in {target} is later"))
        return "older"
    kept, waiting = _find_place_to_keep(target), target.with_name(_make_waiting_name(target))
    os.rename(folder, waiting)
    try:
        os.rename(target, kept)
        os.rename(waiting, target)
    except OSError:
        if not os.path.lexists(target):
            os.rename(kept, target)
        shutil.rmtree(waiting, ignore_errors=True)
        raise
    notes.append((submission.source, f"replaced the earlier submission, which is now {kept}"))
    return "replaced"


def _make_waiting_name(target: Path) -> str:
    """Return the name of a new submission between the two renames."""
    return f".new-{target.name}"


def _find_place_to_keep(target: Path) -> Path:
    """Return a free path in .earlier/ for a submission that is replaced."""
    earlier = target.parent / ".earlier"
    earlier.mkdir(exist_ok=True)
    number = 1
    while (kept := earlier / f"{target.name}-{number}").exists():
        number += 1
    return kept


def _read_digest(folder: Path, manifest: Manifest) -> str | None:
    try:
        return read_submission(folder, manifest).digest
    except KitError:
        return None


def _is_earlier(new: Path, old: Path) -> bool:
    """Return whether the time stamp in the file `new` is earlier than that in `old`; False if one has no time stamp."""
    new_time, old_time = _read_timestamp(new), _read_timestamp(old)
    return new_time is not None and old_time is not None and new_time < old_time


def _read_timestamp(path: Path) -> datetime | None:
    if not path.is_file():
        return None
    return parse_time(path.read_bytes()[:100].decode("utf-8", "replace").strip())
